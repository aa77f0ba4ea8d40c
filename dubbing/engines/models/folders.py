"""Where models lie, and that nothing in them reaches outside their folder.

Each engine that needs a model has a folder of its own: `<models>/<engine>`, or one that a setting
names. Models are read from there alone: a configuration that names an address, or a file outside,
is refused before anything is loaded.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dubbing.documents import is_identifier, listed, read_json
from dubbing.errors import BadInput, EngineMissing

ADDRESS = re.compile(r"://|^\w+::|^data:", re.IGNORECASE)
"""What libraries that open files take for an address: a URL, one through a cache, or the data."""


NOWHERE = Path(os.devnull)
"""A folder in which nothing is."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What an engine's folder has to hold, and who publishes it."""

    files: tuple[str, ...]
    """Names, or patterns such as ``*.onnx``."""
    home: str
    """Address of the page on which its authors publish it."""
    repository: str = ""
    """Repository on Hugging Face that `dubbing models fetch` takes it from; ``""`` for none."""
    fetched: tuple[str, ...] = ()
    """What is fetched from there; left out, ``files``. Whichever folder of the repository a file
    is in, it goes into the model's folder itself."""

    def found(self, folder: Path) -> dict[str, list[Path]]:
        """Return the files that are in ``folder``, by what ``files`` calls them.

        Raises BadInput for a link that leads out of the folder.
        """
        return {
            name: [
                within(folder, str(path.relative_to(folder)))
                for path in folder.glob(name)
                if path.is_file()
            ]
            for name in self.files
        }

    def missing(self, folder: Path) -> list[str]:
        """Return what is not in ``folder``; raises as `found`."""
        return [name for name, paths in self.found(folder).items() if not paths]

    def size(self, folder: Path) -> int:
        """Return how many bytes the model's files have; raises as `found`."""
        paths = {path for found in self.found(folder).values() for path in found}
        return sum(path.stat().st_size for path in paths)


@dataclass(frozen=True, kw_only=True)
class ModelFolders:
    """Where each engine's model lies."""

    root: Path = NOWHERE
    """Holds a folder an engine, of its name."""
    named: Mapping[str, Path] = field(default_factory=dict)
    """Folders elsewhere, by engine."""

    def of(self, name: str) -> Path:
        """Return the folder of an engine's model, whether it is there or not."""
        if not is_identifier(name):
            raise BadInput(f"{name!r} is no engine's name: letters, digits, '-', '_' and '.'")
        return self.named.get(name) or self.root / name

    def names(self) -> list[str]:
        """Return the engines for which there is a folder, sorted."""
        found = self.root.iterdir() if self.root.is_dir() else ()
        here = {path.name for path in found if path.is_dir() and is_identifier(path.name)}
        return sorted(here | self.named.keys())


def require_files(weights: Weights, folder: Path, name: str) -> None:
    """Raise EngineMissing, saying what to put where, unless the model is in its folder.

    Raises BadInput when a file of it is a link that leads out of the folder.
    """
    if missing := weights.missing(folder):
        how = f"run `dubbing models fetch {name}`, " if weights.repository else ""
        raise EngineMissing(
            f"engine {name!r} lacks {', '.join(missing)} in {folder}: {how}get the model from "
            f"{weights.home}, or name its folder in DUBBING_MODEL_FOLDERS"
        )


def within(folder: Path, name: str) -> Path:
    """Return the path of a model's file; raises BadInput for one that lies outside ``folder``.

    Links are followed first: one that leads elsewhere lies outside too.
    """
    try:
        path = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError) as exc:
        # A link to itself, or no name at all.
        raise BadInput(f"{name!r} is no name of a file: {exc}", where=str(folder)) from exc
    if not path.is_relative_to(folder.resolve()):
        raise BadInput(
            f"{name!r} lies outside the model's folder: copy it there, as models are read from "
            "their own folders alone",
            where=str(folder),
        )
    return path


def read_config(folder: Path, name: str, unread: Collection[str] = ()) -> dict[str, Any]:
    """Return a model's JSON configuration.

    unread: settings that nothing reads, such as those of its training: they are left out.

    Raises BadInput when it is no JSON object, lies outside, or names an address.
    """
    path = within(folder, name)
    config = read_json(path)
    if not isinstance(config, dict):
        raise BadInput("it is no configuration: one is a JSON object", where=str(path))
    config = {key: value for key, value in config.items() if key not in unread}
    faults = [
        f"{place}: {value[:80]!r} is an address: name a file in the model's own folder"
        for place, value in _addresses(config)
    ]
    if faults:
        raise BadInput(listed(faults), where=str(path))
    return config


def digest_files(paths: Iterable[Path]) -> str:
    """Return a hex digest of what is in the files of a model, whatever their folder."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        with path.open("rb") as file:
            whole.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _addresses(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where a configuration names an address, and which."""
    # No recursion, as nothing bounds how deep it is.
    waiting: deque[tuple[str, object]] = deque([("", config)])
    while waiting:
        place, value = waiting.popleft()
        if isinstance(value, str):
            if ADDRESS.search(value):
                yield place, value
        elif isinstance(value, Mapping):
            waiting += ((f"{place}.{key}".removeprefix("."), inner) for key, inner in value.items())
        elif isinstance(value, list):
            waiting += ((f"{place}[{number}]", inner) for number, inner in enumerate(value))

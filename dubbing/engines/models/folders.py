"""The folders of models, and checks that a model refers to no file outside its folder.

Each engine that needs a model has its own folder: `<models>/<engine>`, or a folder from a setting.
Models are read only from their own folder: a configuration that contains an address, or the path of
a file outside, is refused before anything is loaded.
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

from dubbing.documents import is_identifier, listed
from dubbing.errors import BadInput, EngineMissing
from dubbing.files import read_json

ADDRESS = re.compile(r"://|^\w+::|^data:", re.IGNORECASE)
"""Text that fsspec and similar libraries open as an address: a URL, a chained URL such as
``filecache::s3://…``, or a ``data:`` URI."""


NOWHERE = Path(os.devnull)
"""A path that stands for an empty folder."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The files of an engine's model, and where they are published."""

    files: tuple[str, ...]
    """File names that the folder must hold, or patterns such as ``*.onnx``."""
    home: str
    """Address of the page on which the authors publish the model."""
    repository: str = ""
    """Hugging Face repository for `dubbing models fetch`; ``""`` if there is none."""
    fetched: tuple[str, ...] = ()
    """Paths or patterns of the files to fetch from the repository; by default, ``files``. Files of
    subfolders are put directly into the model's folder."""
    revision: str = "main"
    """Default commit, branch or tag to fetch."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Hex digests of files of ``revision``, by their paths in the repository."""

    def found(self, folder: Path) -> dict[str, list[Path]]:
        """Return the files in ``folder``, by their name or pattern in ``files``.

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
        """Return the names and patterns without a file in ``folder``; raises as `found`."""
        return [name for name, paths in self.found(folder).items() if not paths]

    def size(self, folder: Path) -> int:
        """Return the size of the model's files in bytes; raises as `found`."""
        paths = {path for found in self.found(folder).values() for path in found}
        return sum(path.stat().st_size for path in paths)


@dataclass(frozen=True, kw_only=True)
class ModelFolders:
    """The folder of each engine's model."""

    root: Path = NOWHERE
    """Contains a folder for each engine, with the engine's name."""
    named: Mapping[str, Path] = field(default_factory=dict)
    """Folders elsewhere, by engine."""

    def of(self, name: str) -> Path:
        """Return the folder of an engine's model, which need not exist.

        Raises BadInput for an invalid name.
        """
        if not is_identifier(name):
            raise BadInput(f"{name!r} is not an engine name: use letters, digits, '-', '_' and '.'")
        return self.named.get(name) or self.root / name

    def names(self) -> list[str]:
        """Return the names of all engines that have a folder, sorted."""
        paths = self.root.iterdir() if self.root.is_dir() else ()
        here = {path.name for path in paths if path.is_dir() and is_identifier(path.name)}
        return sorted(here | self.named.keys())


def require_files(weights: Weights, folder: Path, name: str) -> None:
    """Raise EngineMissing, with the remedy, unless the model's files are in its folder.

    name: the engine's. Raises BadInput for a file that is a link out of the folder.
    """
    if missing := weights.missing(folder):
        how = f"run `dubbing models fetch {name}`, " if weights.repository else ""
        raise EngineMissing(
            f"engine {name!r} lacks {', '.join(missing)} in {folder}: {how}get the model from "
            f"{weights.home}, or name its folder in DUBBING_MODEL_FOLDERS"
        )


def within(folder: Path, name: str) -> Path:
    """Return the path of a model's file; raises BadInput for a file outside ``folder``.

    Links are followed first, so a link that leads outside is refused too.
    """
    try:
        path = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError) as exc:
        # A link to itself, or an impossible name.
        raise BadInput(f"{name!r} cannot name a file: {exc}", where=str(folder)) from exc
    if not path.is_relative_to(folder.resolve()):
        raise BadInput(
            f"{name!r} lies outside the model's folder: copy it there, as models are read from "
            "their own folders alone",
            where=str(folder),
        )
    return path


def read_config(folder: Path, name: str, unread: Collection[str] = ()) -> dict[str, Any]:
    """Return a model's JSON configuration.

    unread: settings to drop because nothing reads them, such as those of the training.

    Raises BadInput when it is no JSON object, is outside ``folder``, or names an address.
    """
    path = within(folder, name)
    config = read_json(path)
    if not isinstance(config, dict):
        raise BadInput("a model's configuration has to be a JSON object", where=str(path))
    config = {key: value for key, value in config.items() if key not in unread}
    faults = [
        f"{place}: {value[:80]!r} is an address: name a file in the model's own folder"
        for place, value in _addresses(config)
    ]
    if faults:
        raise BadInput(listed(faults), where=str(path))
    return config


def digest_files(paths: Iterable[Path]) -> str:
    """Return a hex digest of the names and contents of a model's files, not of their folder."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        with path.open("rb") as file:
            whole.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _addresses(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the place and value of each address in a configuration."""
    # Not recursive, because a configuration may be nested to any depth.
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

"""Scripts, manifests, lists and folders that a command names become jobs.

Reading does not stop at the first fault: a caller who submits three hundred scripts learns of every
file that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dubbing.errors import BadInput
from dubbing.job import Caution
from dubbing.script.folder import Folder
from dubbing.script.lists import LISTS, read_list
from dubbing.script.loader import Entry, load
from dubbing.script.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The result of reading files."""

    jobs: list[Manifest] = field(default_factory=list)
    cautions: list[Caution] = field(default_factory=list)
    """About files that may not be paired as meant."""
    faults: list[BadInput] = field(default_factory=list)
    """One error for each script or manifest that could not be read."""


def expand(paths: Sequence[Path]) -> list[Entry]:
    """Return an entry for each job in scripts, manifests, lists and folders of scripts."""
    return [entry for path in paths for entry in _entries(path)]


def read(
    paths: Sequence[Path],
    overrides: Mapping[str, Any],
    *,
    speaker_prefix: bool = False,
    encoding: str | None = None,
) -> Reading:
    """Return the jobs in scripts, manifests, lists and folders, with the faults of the others.

    overrides, speaker_prefix, encoding: as in `load`; a list's row wins over overrides.

    Raises BadInput for a list or folder that cannot be read at all.
    """
    reading = Reading()
    for path in paths:
        folder = Folder.at(path) if path.is_dir() else None
        jobs = []
        for entry in folder.entries() if folder else _entries(path):
            try:
                jobs.append(_load(entry, overrides, speaker_prefix, encoding))
            except BadInput as exc:
                reading.faults.append(BadInput(str(exc), where=entry.where or None))
        reading.jobs.extend(jobs)
        reading.cautions.extend(folder.cautions(jobs) if folder else ())
    return reading


def _entries(path: Path) -> Iterator[Entry]:
    if path.is_dir():
        yield from Folder.at(path).entries()
    elif path.suffix.lower() in LISTS:
        yield from read_list(path)
    else:
        yield Entry(path=path)


def _load(
    entry: Entry, overrides: Mapping[str, Any], speaker_prefix: bool, encoding: str | None
) -> Manifest:
    job = load(
        entry.path,
        {**overrides, **entry.overrides},
        defaults=entry.defaults,
        speaker_prefix=speaker_prefix,
        encoding=encoding,
    )
    if job.media is None and len(entry.films) > 1:
        names = " and ".join(film.name for film in entry.films)
        words = f"{names} lie beside it: name one of them in a manifest"
        raise BadInput(words, where=str(entry.path))
    return job

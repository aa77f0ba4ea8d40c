"""The folder of fetched files, in which no file of the user is overwritten or removed.

The report in the folder lists the files of an earlier fetch. Only these are replaced.
"""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from dubbing.assembly.report import PAGE, REPORT, Report, ReportOutput
from dubbing.documents import stored
from dubbing.errors import Conflict, Damaged, MediaError, NewerRelease
from dubbing.job.output import saved_as


class Landing:
    """The paths of a job's files: ``dub.mp4``, or ``e01.de.dub.mp4``; never a source's name."""

    def __init__(self, folder: Path, name: str, job: str, *, replace: bool = False) -> None:
        """Name the files of ``job`` in ``folder``.

        name: prefix of the file names; ``""`` for none. replace: whether files that were fetched
        for another job may be replaced.
        """
        self._folder = folder
        self._name = name
        self._job = job
        self._replace = replace

    def path(self, name: str) -> Path:
        """Return the destination of a file."""
        return self._folder / saved_as(self._name, name)

    @cached_property
    def earlier(self) -> dict[str, ReportOutput]:
        """The files that an earlier fetch wrote, by name, unless their size has changed since."""
        outputs = self._report.outputs if self._report else ()
        return {file.name: file for file in outputs if _has_size(self.path(file.name), file.bytes)}

    def check(self, name: str, size: int) -> None:
        """Raise Conflict if a foreign file of another size is in the way."""
        path = self.path(name)
        if _is_there(path) and not self._ours(name) and not _has_size(path, size):
            raise self._conflict(path)

    def has(self, name: str, file: Path) -> bool:
        """Whether a copy of ``file`` exists; raises Conflict for a different foreign file."""
        path = self.path(name)
        if path.is_file() and filecmp.cmp(file, path, shallow=False):
            return True
        if _is_there(path) and not self._ours(name):
            raise self._conflict(path)
        return False

    @contextmanager
    def fetched(self) -> Iterator[Fetched]:
        """Yield a hidden folder for the files; files that were not moved out are removed with it.

        Raises MediaError when the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            hidden = tempfile.TemporaryDirectory(prefix=".fetched-", dir=self._folder)
        except OSError as exc:
            raise MediaError(f"the folder {self._folder} cannot be made: {exc.strerror}") from exc
        with hidden as folder:
            try:
                yield Fetched(self, Path(folder))
            except OSError as exc:
                words = f"{self._folder} cannot be written: {exc.strerror}"
                raise MediaError(words) from exc

    @cached_property
    def _report(self) -> Report | None:
        """The report of an earlier fetch of this job; None for any other file."""
        try:
            report = stored(Report, self.path(REPORT).read_bytes(), REPORT)
        except (OSError, Damaged, NewerRelease):
            return None
        return report if self._replace or report.job == self._job else None

    def _ours(self, name: str) -> bool:
        if name in {PAGE, REPORT}:
            return self._report is not None
        return name in self.earlier

    def _conflict(self, path: Path) -> Conflict:
        return Conflict(
            f"{path} is in the way, and was not fetched for job {self._job!r}: move it, or fetch "
            "with --name or --out to another place"
        )


class Fetched:
    """Fetched files that wait to be moved to their places."""

    def __init__(self, landing: Landing, folder: Path) -> None:
        self._landing = landing
        self._folder = folder
        self._names: list[str] = []

    def path(self, name: str) -> Path:
        """Return the temporary path of a file."""
        self._names.append(name)
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        return path

    def land(self, *, stale: str | None = None) -> list[Path]:
        """Move the files to their places; return them.

        stale: files of the earlier fetch whose names begin with it are removed, unless they were
        fetched again.
        Raises Conflict, with nothing moved, for a file in the way that no earlier fetch wrote.
        """
        landing, names = self._landing, sorted(self._names, key=lambda name: (name == REPORT, name))
        there = {name for name in names if landing.has(name, self._folder / name)}
        for name in landing.earlier.keys() - {*names}:
            if stale and name.startswith(stale):
                landing.path(name).unlink()
        for name in names:
            if name not in there:
                path = landing.path(name)
                path.parent.mkdir(exist_ok=True)
                (self._folder / name).replace(path)
        return [landing.path(name) for name in names]


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size

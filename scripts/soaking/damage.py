"""Strikes on results and clips of jobs in progress: they are lost, late or damaged."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from soaking.strikes import Blow, Strike
from system import System

from dubbing.documents import stored
from dubbing.errors import Damaged, NotFound
from dubbing.job import JobState
from dubbing.jobs.store import latest_round, load_end
from dubbing.planning.plan import read_refs
from dubbing.planning.result import BatchResult
from dubbing.storage.keys import Keys

GARBAGE = b"\0garbage" * 8
BEING_READ = 10.0
"""Most seconds that an assembly takes from the reading of results to its end."""


@dataclass(frozen=True)
class Hit:
    """An object that a strike took or damaged."""

    job: str
    round: int
    key: str
    before: bytes
    written: float
    """When it was written; like ``at``, in seconds since 1970."""
    left: bytes | None
    """Its content after the strike; None if it is gone."""
    at: float


class Damage:
    """Takes and damages objects of jobs whose lines are being spoken."""

    def __init__(self, system: System) -> None:
        self.hits: list[Hit] = []
        self._storage = system.client.storage
        self._held: dict[str, Path] = {}
        """The path of each late object, by its key."""
        self._aside = system.settings.home / "late"

    def do(self, strike: Strike) -> str:
        """Make a strike; return the key that it hit, ``""`` for none."""
        results = sorted(self._counted())
        if not results:
            return ""
        job, round_, key = results[strike.pick % len(results)]
        if strike.blow is Blow.DAMAGE_CLIP:
            takes = self._takes(key)
            if not takes:
                return ""
            key = takes[strike.pick % len(takes)]
        try:
            before, written = self._storage.get(key), self._path(key).stat().st_mtime
            left = self._harm(key, before, written, strike)
        except (NotFound, FileNotFoundError):
            # Its job has just removed it to make it again.
            return ""
        self.hits.append(Hit(job, round_, key, before, written, left, time.time()))
        return key

    def _takes(self, result: str) -> list[str]:
        """Return the clips of a result; none when an earlier strike took or damaged it."""
        try:
            found = stored(BatchResult, self._storage.get(result), result)
        except (NotFound, Damaged):
            return []
        return [take.key for line in found.segments for take in line.takes]

    def bring(self, key: str) -> None:
        """Bring a late object back, unless it was made again meanwhile."""
        if path := self._held.pop(key, None):
            with suppress(FileExistsError):
                os.link(path, self._path(key))
            path.unlink()

    def bring_all(self) -> None:
        """Bring back all objects that are still late."""
        for key in list(self._held):
            self.bring(key)

    def put_back(self) -> None:
        """Undo the strikes that no process could notice any more; the audit then finds real faults.

        An assembly does not read a result or a clip twice; a cancelled job reads none, and a failed
        job reads no clip.
        """
        for hit in self.hits:
            end = load_end(self._storage, hit.job, hit.round)
            last = load_end(self._storage, hit.job, latest_round(self._storage, hit.job))
            clip = not hit.key.startswith(Keys.JOBS)
            ended = last if clip else end
            unread = ended and (
                ended.at - hit.at < BEING_READ
                or ended.state is JobState.CANCELLED
                or (clip and ended.state is JobState.FAILED)
            )
            path = self._path(hit.key)
            if unread and (path.read_bytes() if path.exists() else None) == hit.left:
                _write(path, hit.before, hit.written)

    def _counted(self) -> Iterator[tuple[str, int, str]]:
        """Yield job, round and key of each result of the jobs whose lines are being spoken."""
        for mark in self._storage.keys(Keys.OPEN):
            job = mark.removeprefix(Keys.OPEN)
            round_ = latest_round(self._storage, job)
            plan = self._storage.path(Keys.plan(job, round_))
            keys = list(self._storage.keys(Keys.results(job, round_)))
            # While a batch is open, no assembly has read the results of the others.
            if plan and plan.exists() and len(keys) < len(read_refs(plan.read_bytes())):
                yield from ((job, round_, key) for key in keys)

    def _harm(self, key: str, before: bytes, written: float, strike: Strike) -> bytes | None:
        """Harm an object; return what is left of it."""
        path = self._path(key)
        if strike.blow is Blow.LOSE_RESULT:
            path.unlink()
            return None
        if strike.blow is Blow.DELAY_RESULT:
            self._aside.mkdir(exist_ok=True)
            self._held[key] = path.rename(self._aside / f"{len(self.hits)}")
            return None
        left = before[: len(before) // 2] if strike.pick % 2 else GARBAGE
        _write(path, left, written)
        return left

    def _path(self, key: str) -> Path:
        path: Path | None = self._storage.path(key)
        assert path
        return path


def _write(path: Path, data: bytes, written: float) -> None:
    """Write a file atomically, with that time of modification."""
    whole = path.with_name(f"{path.name}.new")
    whole.write_bytes(data)
    os.utime(whole, (written, written))
    whole.rename(path)

"""A system whose processes die between two writes that a test chooses."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import redis
from console import Console
from forks import Forks, forks
from system import System, numbered, script

from dubbing.embedded.stack import environment
from dubbing.jobs.status import Status
from dubbing.queue.publisher import BROKER_PREFIX
from dubbing.script.manifest import Manifest
from dubbing.storage.keys import Keys

PATIENCE = 240.0
"""Seconds that a job may take on a slow machine, where all jobs wait for each other."""
LINES = 4
"""Lines of a job: one batch."""


@dataclass(frozen=True)
class Gap:
    """A job, and the point where a process dies on its way."""

    name: str
    """The job's name; no other job's name is part of it."""
    point: str
    """See `sitecustomize`; ``{job}`` stands for the name."""
    pool: bool = False
    """Whether it is tried a second time, with the death of a worker and its whole pool."""
    whom: str = "process"
    """What dies: a ``process``, or its ``group``, which is a worker with its pool."""

    @property
    def job(self) -> Manifest:
        """The job to submit; no other job has its texts."""
        return script(self.name, *numbered(self.name, LINES), engine="faulty")

    @property
    def revised(self) -> Manifest:
        """The same job with other texts."""
        return script(self.name, *numbered(f"{self.name}, changed", LINES), engine="faulty")

    @property
    def deaths(self) -> list[Gap]:
        """The gap once for each kind of death, each with its own job."""
        kinds = ("process", "group") if self.pool else ("process",)
        return [replace(self, name=f"{self.name}-{whom}", whom=whom) for whom in kinds]


class Doomed(System):
    """A system with one process per engine, restarted when killed, as a supervisor does."""

    ENGINES: ClassVar[Mapping[str, str]] = {}

    def __init__(self, home: Path, **settings: Any) -> None:
        super().__init__(home, slots=1, **settings)
        self._points = home / "points"
        self._points.mkdir(parents=True)
        self._console = Console(home, **environment(self.settings), STOP_AT=str(self._points))

    def commands(self) -> AbstractContextManager[Forks]:
        """Return `dubbing` for a block; its commands may die."""
        return forks(self._console.environment)

    def launch(self, engine: str, **variables: str) -> subprocess.Popen[bytes]:
        return super().launch(engine, STOP_AT=str(self._points), **variables)

    def lay(self, gap: Gap) -> None:
        """Make the next process that reaches the gap die there."""
        new = self._points.with_name(f"{gap.name}.point")
        new.write_text(f"{gap.whom} {gap.point.format(job=gap.name)}")
        new.rename(self._points / gap.name)

    def met(self, gap: Gap) -> bool:
        """Whether a process died there."""
        return not (self._points / gap.name).exists()

    def die(self, dubbing: Forks, commands: Mapping[Gap, Sequence[str]]) -> None:
        """Run commands, each of which is killed at its gap."""
        for gap in commands:
            self.lay(gap)
        # Each test checks its own command, so one that ends normally does not fail other tests.
        for command in commands.values():
            dubbing(*command)

    def submission(self, gap: Gap, job: Manifest | None = None) -> tuple[str, ...]:
        """Return the command that submits a gap's job, or another job under its id."""
        manifest = self.settings.home / f"{gap.name}.json"
        manifest.write_text((job or gap.job).model_dump_json(include={"language", "segments"}))
        return "submit", str(manifest), "--id", gap.name

    def tend(self) -> None:
        """Restart workers that were killed; none may end in any other way."""
        for engine, worker in list(self._workers.items()):
            if worker.poll() is not None:
                assert worker.returncode == -signal.SIGKILL, self.log(engine)[-3000:]
                self.start(engine)

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Tend the workers until ``condition`` holds; fail after some time."""

        def tended() -> object:
            self.tend()
            return condition()

        self.until(tended, what, PATIENCE)

    def settle(self, name: str) -> Status:
        """Return how a job ended, once it is no longer marked as open."""
        marker = Keys.open(name)
        self.wait_for(lambda: self.client.status(name).state.ended, f"ended: {name}")
        self.wait_for(lambda: not self.client.storage.exists(marker), f"unmarked: {name}")
        return self.client.status(name)

    @property
    def idle(self) -> bool:
        """Whether every job has ended."""
        return all(status.state.ended for status in self.client.jobs())

    def forget(self) -> None:
        """Empty Redis."""
        with redis.from_url(self.settings.redis) as server:
            server.flushall()

    def traces(self, name: str) -> set[str]:
        """Return the ledger's keys whose name or content mentions a job."""
        with redis.from_url(self.settings.redis, decode_responses=True) as server:
            return {
                key
                for key in server.scan_iter("dubbing:*")
                if not key.startswith(BROKER_PREFIX)
                and any(name in text for text in (key, *_held(server, key)))
            }


def _held(server: Any, key: str) -> Iterable[str]:
    match server.type(key):
        case "list":
            return server.lrange(key, 0, -1)
        case "zset":
            return server.zrange(key, 0, -1)
        case "set":
            return server.smembers(key)
        case "hash":
            return server.hgetall(key)
        case _:
            return ()

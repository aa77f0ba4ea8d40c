"""Shared parts of the queue benchmarks: settings, the faulty engine, and waiting."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from dubbing.client import Client
from dubbing.job import JobState
from dubbing.jobs.status import Status
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings
from dubbing.storage.keys import Keys

CORES = os.cpu_count() or 1
PATIENCE = 120.0
"""Seconds after which a wait fails, because something must be hanging."""
POLL_SECONDS = 0.01
TESTS = Path(__file__).parents[2] / "tests"
PLUGINS = TESTS / "plugins"
"""Folder of the engine ``faulty``, whose speed a line's text determines."""
UNBOUNDED = {
    "DUBBING_REQUESTS_PER_MINUTE": "1000000",
    "DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": "1000000",
}
"""Environment of a gateway without limits."""
SPEAKING = {JobState.QUEUED, JobState.SYNTHESIZING}


def from_tests(name: str) -> ModuleType:
    """Return a module of the tests: a tiny model, or the S3 server."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    return import_module(name)


def settings(home: Path, engine: str, slots: int | None = None, **others: Any) -> Settings:
    """Return the settings of a stack with its own folder. others: further fields."""
    own = {"redis_url": "", "storage_url": "", "log_level": "WARNING", **others}
    return Settings(home=home, engine=engine, slots=slots, **own)


def faulty_engine(**variables: str) -> AbstractContextManager[None]:
    """Register the engine ``faulty`` as `engine_from` does."""
    return engine_from(PLUGINS, **variables)


@contextmanager
def engine_from(folder: Path, **variables: str) -> Iterator[None]:
    """Register the engine of a folder for this process and its children during the block.

    variables: of their environment.
    """
    sys.path.insert(0, str(folder))
    try:
        with patch.dict(os.environ, {"PYTHONPATH": str(folder), **variables}):
            yield
    finally:
        sys.path.remove(str(folder))


def statuses(client: Client, job: str) -> Iterator[Status]:
    """Yield a job's statuses until its last batch is counted."""
    for status in client.watch(job):
        yield status
        if status.state not in SPEAKING:
            return


def wait_until_spoken(client: Client, job: str) -> Status:
    """Return a job's status once its last batch is counted."""
    *_, last = statuses(client, job)
    return last


def warm_up(client: Client, make: Callable[[str], Manifest], processes: int) -> None:
    """Run jobs until ``processes`` worker processes have spoken a line.

    make: returns a job of the given name.
    """
    deadline = time.monotonic() + PATIENCE
    spoken_by: set[str] = set()
    while len(spoken_by) < processes:
        assert time.monotonic() < deadline, f"only {spoken_by} spoke"
        job = make(f"warm-{time.monotonic_ns()}")
        client.submit(job)
        wait_until_spoken(client, job.id)
        # Cancelled so that an assembly worker, if any, does not spend time on it.
        client.cancel(job.id)
        for key in client.storage.keys(Keys.results(job.id, 1)):
            spoken_by.add(json.loads(client.storage.get(key))["worker"])


def until(condition: Callable[[], object], what: str) -> None:
    """Return once ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(POLL_SECONDS)


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

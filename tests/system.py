"""A test's own whole system: Redis, storage and workers that it starts, stops and kills."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from console import Console
from redis_server import RedisServer
from services import PLAIN, PLUGINS

from dubbing.assembly.report import Report
from dubbing.client import Client
from dubbing.embedded.child import start_child
from dubbing.embedded.stack import dubbing_command, environment
from dubbing.job import Job, JobState, Segment
from dubbing.jobs.status import OPEN, Status
from dubbing.ledger import WorkerState
from dubbing.planning.outcome import Outcome, gather
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings
from dubbing.storage.keys import Keys

CLOCK_TICK = 0.02
"""Seconds by which the time of a file may be early."""
SECONDS = 60.0
"""How long any step may take on a slow machine."""


class System:
    """Workers of the faulty engine and of assembly, and records of their work."""

    ENGINES: ClassVar[Mapping[str, str]] = {"faulty": "faulty", "assembly": "assembly"}
    """The engine of each worker that runs from the start, by the worker's name."""

    def __init__(
        self,
        home: Path,
        *,
        append_only: bool = False,
        port: int = 0,
        seen_at: int = 0,
        server: RedisServer | None = None,
        **settings: Any,
    ) -> None:
        """Take the system's folder, and settings that differ.

        port: an additional port of Redis. seen_at: the port at which workers reach Redis.
        server: its Redis, in place of one of its own.
        """
        self.redis = server or RedisServer(append_only=append_only, port=port)
        self._seen = {"DUBBING_REDIS_URL": f"redis://127.0.0.1:{seen_at}"} if seen_at else {}
        plain = {"redis_url": self.redis.url, "storage_url": "", "engine": "faulty", "slots": 2}
        self.settings = Settings(**{"home": home, **plain, **settings})
        self.switch = home / "broken"
        """While this file exists, ``<broken>`` lines fail."""
        self.spoken_log = home / "spoken"
        """Log of the lines that the faulty engine began."""
        self.times_log = home / "times"
        """Log of the time when the faulty engine began each line."""
        self.loads = home / "loads"
        """Faults of the next loads of the faulty engine, a line a load; without a line, none."""
        self._workers: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> System:
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.redis.start()
        self.spoken_log.touch()
        self.switch.touch()
        self.loads.touch()
        self.client = Client.connect(self.settings)
        for name in self.ENGINES:
            self.start(name)
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self._end_workers()
        finally:
            self.redis.__exit__(*exc)
        # Processes that a worker leaves behind end when they notice that it is gone.
        home, deadline = Console(self.settings.home), time.monotonic() + SECONDS
        while left := home.processes():
            assert time.monotonic() < deadline, left
            time.sleep(0.05)

    def _end_workers(self) -> None:
        for worker in self._workers.values():
            worker.terminate()
        try:
            for worker in self._workers.values():
                worker.wait(timeout=SECONDS)
        finally:
            for worker in self._workers.values():
                if worker.poll() is None:
                    os.killpg(worker.pid, signal.SIGKILL)
                    worker.wait()

    def start(self, name: str) -> None:
        """Start a worker by its name in `ENGINES`, or by its engine's name."""
        self._workers[name] = self.launch(dict(self.ENGINES).get(name, name))

    def launch(self, engine: str, *, log: str = "", **variables: str) -> subprocess.Popen[bytes]:
        """Return a worker in its own process group, for the caller to end.

        log: name of its log; by default, workers of an engine share one.
        """
        paths = {
            "FAULTY_LOG": str(self.spoken_log),
            "FAULTY_TIMES": str(self.times_log),
            "FAULTY_SWITCH": str(self.switch),
            "FAULTY_LOADS": str(self.loads),
        }
        if engine == "assembly":
            # One process assembles the short jobs of a test as well as two.
            variables = {"DUBBING_SLOTS": "1", **variables}
        path = self._log_path(log or engine)
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            return start_child(
                [*dubbing_command(), "worker", *engine.split()],
                file,
                env={
                    **{key: value for key, value in os.environ.items() if "DUBBING" not in key},
                    **environment(self.settings),
                    "PYTHONPATH": str(PLUGINS),
                    **self._seen,
                    **paths,
                    **variables,
                },
            )

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        """Return a worker's parent process."""
        return self._workers[name]

    def ready(self, count: int = 2, seconds: float = SECONDS) -> None:
        """Return once ``count`` workers take work; fail after ``seconds``."""
        taking = {WorkerState.READY, WorkerState.BUSY}

        def there() -> list[bool]:
            return [worker.state in taking for worker in self.client.fleet.workers()]

        self.until(lambda: there() == [True] * count, f"{count} workers ready", seconds)

    def stop(self, name: str) -> None:
        """Shut a worker down; it has to end without an error."""
        self._workers[name].terminate()
        assert self._workers[name].wait(timeout=SECONDS) == 0

    def kill(self, name: str) -> None:
        """Kill a worker and its pool, as a power failure does."""
        os.killpg(self._workers[name].pid, signal.SIGKILL)
        self._workers[name].wait()

    def leave(self, name: str) -> None:
        """End a worker, however it stands, and forget it, its log, and the work that it left."""
        worker = self._workers.pop(name, None)
        if worker and worker.poll() is None:
            worker.terminate()
            try:
                worker.wait(timeout=SECONDS)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
        self._log_path(name).unlink(missing_ok=True)
        self.cancel_all()

    def cancel_all(self) -> None:
        """Cancel the jobs that have not ended."""
        for status in self.client.jobs(states=OPEN):
            self.client.cancel(status.id)

    def restart_redis(self) -> None:
        """Restart Redis, with all its data if it is append-only, else empty."""
        self.redis.restart()

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Freeze a worker during the block."""
        os.killpg(self._workers[name].pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._workers[name].pid, signal.SIGCONT)

    def log(self, name: str) -> str:
        """Return the content of a process's log, ``""`` when it has none."""
        path = self._log_path(name)
        return path.read_text() if path.exists() else ""

    def _log_path(self, name: str) -> Path:
        return self.settings.home / "logs" / f"{name}.log"

    def spoken(self, job: Manifest) -> Counter[str]:
        """Return how often the engine began each line of a job, by text."""
        texts = {segment.text for segment in job.segments}
        begun = [row.partition("\t")[2] for row in self.spoken_log.read_text().splitlines()]
        return Counter(text for text in begun if text in texts)

    def spoken_in_vain(self, job: Manifest) -> list[str]:
        """Return the texts of a job that were begun again although their clip was stored."""
        begun: dict[str, list[float]] = defaultdict(list)
        for row in self.times_log.read_text().splitlines():
            when, _, text = row.partition("\t")
            begun[text].append(float(when))
        texts = {segment.id: segment.text for segment in job.segments}
        found = []
        for id_, outcome in self.outcomes(job).items():
            path = self.client.storage.path(outcome.result.takes[0].key)
            assert path
            stored = path.stat().st_mtime + CLOCK_TICK
            found += [texts[id_] for when in begun[texts[id_]][1:] if when > stored]
        return found

    def run(self, job: Manifest) -> Status:
        """Submit a job and return how it ended."""
        return self.wait(self.client.submit(job).id)

    def wait(self, job_id: str, *, seconds: float = SECONDS) -> Status:
        """Return how a job ended; fail after ``seconds``."""
        deadline = time.monotonic() + seconds
        for status in self.client.watch(job_id):
            for name, worker in self._workers.items():
                assert worker.poll() is None, self.log(name)
            assert time.monotonic() < deadline, (status, self.log("faulty")[-3000:])
        return status

    def until(self, condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
        """Return once ``condition`` holds; fail after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not {what}: {self.log('faulty')[-3000:]}"
            time.sleep(0.05)

    def unmarked(self, job_id: str) -> None:
        """Return once the mark of an open job is gone, a moment after its end is known."""
        self.until(lambda: not self.client.storage.exists(Keys.open(job_id)), f"{job_id} unmarked")

    def begun(self, job: Manifest, count: int) -> None:
        """Return once ``count`` lines of a job were begun; the job must not have ended."""
        self.until(lambda: self.spoken(job).total() >= count, f"{count} lines begun")
        assert not self.client.status(job.id).state.ended

    def outcomes(self, job: Manifest) -> dict[str, Outcome]:
        """Return the outcome of each line, by id."""
        return gather(self.client.storage, job.id, self.client.status(job.id).round)

    def report(self, job: Manifest) -> Report:
        """Return the report of a job that ended."""
        output = self.client.status(job.id).output
        assert output
        return Report.model_validate_json(self.client.storage.get(f"{output}report.json"))

    def keys(self, job: Manifest) -> set[str]:
        """Return the keys of all stored objects of a job."""
        return set(self.client.storage.keys(f"{Keys.JOBS}{job.id}"))

    def whole(self, job: Manifest) -> bool:
        """Whether a job is completed and every line of it is heard once."""
        lines = self.report(job).lines
        heard = [line.id for line in lines if line.clip and not line.error]
        return self.client.status(job.id).state is JobState.COMPLETED and heard == [
            segment.id for segment in job.segments
        ]


def pool_processes(worker: int) -> list[int]:
    """Return the ids of a worker's living pool processes, the oldest first."""
    found = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in found}
    # A dead one has no command line, and billiard has a process that looks after semaphores.
    return [pid for pid, line in commands.items() if line and b"semaphore_tracker" not in line]


def script(name: str, *texts: str, **fields: Any) -> Manifest:
    """Return a manifest whose lines have enough time."""
    return Manifest(**{"id": name, "language": PLAIN, "segments": _segments(texts), **fields})


def stored_job(name: str, *texts: str, **fields: Any) -> Job:
    """Return the stored job of such a manifest."""
    return Job(**{"id": name, "language": PLAIN, "segments": _segments(texts), **fields})


def _segments(texts: Sequence[str]) -> list[Segment]:
    return [
        Segment(id=str(n), start=5.0 * n, end=5.0 * n + 4.5, text=text)
        for n, text in enumerate(texts)
    ]


def numbered(name: str, count: int, mark: str = "") -> Sequence[str]:
    """Return ``count`` texts that no other job has."""
    return [f"{name}, line {n}. {mark}".strip() for n in range(count)]

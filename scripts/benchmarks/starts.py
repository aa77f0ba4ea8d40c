"""The reliability of a worker's start: both processes ready and a job done, 30 times in a row.

- ``ready``: share of the starts in which both processes loaded the engine, and neither was taken
  for dead.
- ``done``: share of the starts after which a job was completed, with every line spoken.
- ``ready_seconds``, ``slowest_seconds``: from the start of the stack until the worker is ready,
  the median and the longest.

Each start is a stack with its own home and working folder, as in `dubbing run`. Its worker has two
processes, each of which takes two seconds to load the engine.

Takes five minutes.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from benchmarks._script import make_job, sentences
from benchmarks._system import PATIENCE, POLL_SECONDS, faulty_engine, settings
from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.job import JobState
from dubbing.jobs.status import Status
from dubbing.ledger import WorkerRecord, WorkerState
from dubbing.planning.plan import Kind

AT_LEAST = {"ready": 1.0, "done": 1.0}

STARTS = 30
PROCESSES = 2
LOAD = "<slow:2>"
LINES = 24


@dataclass(frozen=True)
class Start:
    """The outcome of one start."""

    ready: bool
    done: bool
    seconds: float


def run() -> dict[str, float]:
    """Return the figures."""
    starts = [start(number) for number in range(STARTS)]
    seconds = [one.seconds for one in starts]
    return {
        "ready": sum(one.ready for one in starts) / STARTS,
        "done": sum(one.done for one in starts) / STARTS,
        "ready_seconds": statistics.median(seconds),
        "slowest_seconds": max(seconds),
    }


def start(number: int) -> Start:
    """Start a stack, run a job, and end the stack."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as name, chdir(name):
        home, loads = Path(name) / "home", Path(name) / "loads"
        loads.write_text(f"{LOAD}\n" * PROCESSES)
        began = time.monotonic()
        with (
            faulty_engine(FAULTY_LOADS=str(loads)),
            Stack(settings(home, "faulty", slots=PROCESSES), ["faulty", Kind.ASSEMBLY]) as stack,
        ):
            client = Client.connect(settings(home, "faulty"))
            worker = ready(client, stack)
            seconds = time.monotonic() - began
            job = make_job(f"start-{number}", sentences(str(number)), LINES, slot=5, speakers=1)
            client.submit(job)
            status = ended(client, stack, job.id)
            loaded = client.ledger.crew.holdings(worker.name).values()
        return Start(
            ready=len(loaded) == PROCESSES
            and all(process.loaded == ("faulty",) for process in loaded)
            and not worker.errors,
            done=status.state is JobState.COMPLETED and status.failed == 0,
            seconds=seconds,
        )


def ready(client: Client, stack: Stack) -> WorkerRecord:
    """Return the record of the engine's worker once it is ready, or has failed to start."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        stack.check()
        for worker in client.fleet.workers():
            started = worker.state in {WorkerState.READY, WorkerState.BUSY, WorkerState.ERROR}
            if worker.engines == ("faulty",) and started:
                return worker
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"the worker is not ready after {PATIENCE:g} s: see {stack.logs}")


def ended(client: Client, stack: Stack, job: str) -> Status:
    """Return the status of a job when it has ended or the time is over."""
    deadline = time.monotonic() + PATIENCE
    watched = client.watch(job)
    while not (status := next(watched)).state.ended and time.monotonic() < deadline:
        stack.check()
    return status

"""One job of 100,000 lines: the cost of the last lines compared with the first ones.

- ``flatness``: seconds of the last 10,000 lines ÷ seconds of the second 10,000.
- ``redis_peak_mb``: peak memory of Redis, including the submission.
- ``submit_seconds``: duration of the call of ``submit``.
- ``worker_growth``, ``client_growth``: resident memory of the worker's processes, and of this
  process, which submits and watches: at the end ÷ when a fifth is spoken.
- ``worker_mb``, ``client_mb``: these two at the end, in MB.
- ``lines_per_second``, and ``failed`` lines.

The tone engine speaks batches of the default size. Lines are short enough for one programme to hold
them all. There is no assembly worker: the clock stops when the last line is stored and counted.

Takes four minutes.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import redis

from benchmarks._script import cries, make_job
from benchmarks._system import CORES, children, settings, statuses, warm_up
from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.engines.adapters.tone import Tone
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings

AT_MOST = {
    "flatness": 1.15,
    "redis_peak_mb": 64,
    "submit_seconds": 20,
    "worker_growth": 1.1,
    "client_growth": 1.1,
    "failed": 0,
}

LINES = 100_000
PART = 10_000
WARM_LINES = 1000
SLOT = 0.86
"""Seconds from one line to the next; all lines just fit in 24 h."""
SPEAKERS = len(Tone.spec.voices)
"""As many as voices, so that the second 10,000 lines are as long as the last."""
MB = 1e6
PAGE = 4096


class Mark(NamedTuple):
    """The job's progress and memory use at one moment."""

    at: float
    """Seconds."""
    done: int
    workers: int
    """Bytes."""
    client: int


def run() -> dict[str, float]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        own = settings(Path(folder), "tone")
        with Stack(own, ["tone"]):
            client = Client.connect(own)
            warm_up(client, lambda name: job(name, WARM_LINES), CORES)
            return speak_all(client, own)


def speak_all(client: Client, own: Settings) -> dict[str, float]:
    """Submit the job, watch it, and cancel it when its last line is counted."""
    big = job("scale", LINES)
    started = time.perf_counter()
    client.submit(big)
    submitted = time.perf_counter()
    marks = [
        Mark(time.perf_counter(), status.done, resident(workers()), resident([os.getpid()]))
        for status in statuses(client, big.id)
    ]
    failed = client.status(big.id).failed
    client.cancel(big.id)
    with redis.Redis.from_url(own.redis) as connection:
        peak = connection.info("memory")["used_memory_peak"]
    return {
        "submit_seconds": submitted - started,
        "redis_peak_mb": peak / MB,
        "failed": failed,
        "lines_per_second": LINES / (marks[-1].at - submitted),
        **compared(marks),
    }


def job(name: str, lines: int) -> Manifest:
    """Return a job of new lines."""
    return make_job(name, cries(name), lines, slot=SLOT, speakers=SPEAKERS)


def compared(marks: Sequence[Mark]) -> dict[str, float]:
    """Return the time and memory of the last lines beside those of the first ones."""
    last = moment(marks, LINES) - moment(marks, LINES - PART)
    second = moment(marks, 2 * PART) - moment(marks, PART)
    early, end = next(mark for mark in marks if mark.done >= LINES / 5), marks[-1]
    return {
        "flatness": last / second,
        "worker_growth": end.workers / early.workers,
        "worker_mb": end.workers / MB,
        "client_growth": end.client / early.client,
        "client_mb": end.client / MB,
    }


def moment(marks: Sequence[Mark], done: int) -> float:
    """Return when that many lines were done."""
    counts, times = [mark.done for mark in marks], [mark.at for mark in marks]
    return float(np.interp(done, counts, times))


def workers() -> list[int]:
    """Return the processes of the stack's worker."""
    started = children(os.getpid())
    parents = [n for n in started if b"worker" in Path(f"/proc/{n}/cmdline").read_bytes()]
    return [*parents, *(child for parent in parents for child in children(parent))]


def resident(pids: Iterable[int]) -> int:
    """Return the bytes of memory that processes hold."""
    pages = (Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in pids)
    return sum(map(int, pages)) * PAGE

"""A 5-line job behind twenty jobs of 500 lines: how much longer it takes than alone.

- ``small_job_ratio``: median of the small jobs behind the backlog ÷ median of those alone.
- ``alone_seconds``, ``behind_seconds``: those medians.
- ``backlog_share``: how much of the backlog was spoken when the last small job had ended; the
  small jobs met a backlog all the time only while this is below 1.

Times run from the call of ``submit`` until the job is completed, its sound and report stored. All
are jobs of one tenant, two speakers each, spoken by eSpeak; half of the small jobs that are alone
come before the backlog and half after it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks._script import make_job, sentences
from benchmarks._system import CORES, settings, warm_up

from dubbing.client import Client
from dubbing.job import Job, JobState
from dubbing.local import Stack

AT_MOST = {"small_job_ratio": 4.0, "backlog_share": 0.9}

BIG_JOBS = 20
BIG_LINES = 500
SMALL_LINES = 5
REPEATS = 5
SLOT = 6.0
"""Seconds from one line to the next: room for each."""


def run() -> dict[str, float]:
    """Return the figures; takes some two minutes on two cores."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        own = settings(Path(folder), "espeak")
        with Stack(own, ["espeak", "assembly"]):
            client = Client.connect(own)
            warm_up(client, lambda name: job(name, BIG_LINES), CORES)
            alone = small_jobs(client, "before")
            backlog = [job(f"big-{n}", BIG_LINES) for n in range(BIG_JOBS)]
            client.submit_all(backlog)
            behind = small_jobs(client, "behind")
            done = sum(client.status(big.name).done for big in backlog)
            for big in backlog:
                client.cancel(big.name)
            alone += small_jobs(client, "after")
    return {
        "small_job_ratio": statistics.median(behind) / statistics.median(alone),
        "alone_seconds": statistics.median(alone),
        "behind_seconds": statistics.median(behind),
        "backlog_share": done / (BIG_JOBS * BIG_LINES),
    }


def small_jobs(client: Client, name: str) -> list[float]:
    """Return the seconds that small jobs take, one after the other."""
    return [seconds(client, job(f"{name}-{n}", SMALL_LINES)) for n in range(REPEATS)]


def seconds(client: Client, small: Job) -> float:
    """Return how long a job takes, from its submission until it is completed."""
    started = time.perf_counter()
    client.submit(small)
    status = client.wait(small.name)
    assert status.state is JobState.COMPLETED, status
    return time.perf_counter() - started


def job(name: str, lines: int) -> Job:
    """Return a job of new lines."""
    return make_job(name, sentences(name), lines, slot=SLOT, speakers=2)

"""A 5-line job behind twenty jobs of 500 lines: how much longer it takes than alone.

- ``small_job_ratio``: median of the small jobs behind a backlog ÷ median of small jobs alone.
- ``alone_seconds``, ``behind_seconds``: the two medians.
- ``slowest_seconds``: the slowest job behind a backlog.

Times run from the call of ``submit`` until the job is completed, with its sound and report stored.
All jobs belong to one tenant and have two speakers, spoken by eSpeak. Each round submits a small
job alone, then a backlog and right after it another small job. When the second small job is done,
the backlog is cancelled.

Takes a minute.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks._script import make_job, sentences
from benchmarks._system import CORES, settings, warm_up
from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.job import JobState
from dubbing.script.manifest import Manifest

AT_MOST = {"small_job_ratio": 4.0}

BIG_JOBS = 20
BIG_LINES = 500
SMALL_LINES = 5
ROUNDS = 7
SLOT = 6.0
"""Seconds from one line to the next; enough for any line."""


def run() -> dict[str, float]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        own = settings(Path(folder), "espeak")
        with Stack(own, ["espeak", "assembly"]):
            client = Client.connect(own)
            warm_up(client, lambda name: job(name, BIG_LINES), CORES)
            seconds(client, job("warm", SMALL_LINES))
            alone, behind = zip(*(compare(client, n) for n in range(ROUNDS)), strict=True)
    return {
        "small_job_ratio": statistics.median(behind) / statistics.median(alone),
        "alone_seconds": statistics.median(alone),
        "behind_seconds": statistics.median(behind),
        "slowest_seconds": max(behind),
    }


def compare(client: Client, number: int) -> tuple[float, float]:
    """Return the seconds of a small job alone, and of another small job behind a backlog."""
    alone = seconds(client, job(f"alone-{number}", SMALL_LINES))
    backlog = [job(f"big-{number}-{n}", BIG_LINES) for n in range(BIG_JOBS)]
    client.submit_all(backlog)
    behind = seconds(client, job(f"behind-{number}", SMALL_LINES))
    for big in backlog:
        client.cancel(big.id)
    return alone, behind


def seconds(client: Client, small: Manifest) -> float:
    """Return a job's seconds from submission to completion."""
    started = time.perf_counter()
    client.submit(small)
    status = client.wait(small.id)
    assert status.state is JobState.COMPLETED, status
    return time.perf_counter() - started


def job(name: str, lines: int) -> Manifest:
    """Return a job of new lines."""
    return make_job(name, sentences(name), lines, slot=SLOT, speakers=2)

"""A worker is killed with all its processes: the time until its lines are spoken again.

- ``takeover_seconds``: from the kill until a line of each of the killed worker's batches has been
  begun again; the longest of several rounds.
- ``median_seconds``: the median of the rounds.

Two workers of two processes each run an engine that takes 300 ms per line, and have more work than
they can hold. Every round kills a worker that has just started.

Takes a minute.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from soaking.begun import Begun

from benchmarks._script import make_job, slow_sentences
from benchmarks._system import children, faulty_engine, settings, until
from dubbing.client import Client
from dubbing.embedded.stack import Stack, dubbing_command, environment
from dubbing.planning.plan import read_plan
from dubbing.settings import Settings
from dubbing.storage.keys import Keys

AT_MOST = {"takeover_seconds": 10.0}

ROUNDS = 5
LINES = 200
SLOTS = 2
SLOT = 8.6
"""Seconds from one line to the next; enough for any line."""
Texts = Sequence[str]
"""The lines of a batch."""


def run() -> dict[str, float]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        own, log = settings(Path(folder), "faulty", SLOTS), Path(folder) / "begun"
        log.touch()
        with faulty_engine(FAULTY_LOG=str(log)), Stack(own, []), worker(own):
            client, begun = Client.connect(own), Begun(log)
            rounds = [kill_one(client, own, begun, f"round-{n}") for n in range(ROUNDS)]
    return {"takeover_seconds": max(rounds), "median_seconds": statistics.median(rounds)}


def kill_one(client: Client, own: Settings, begun: Begun, name: str) -> float:
    """Kill a worker in mid-batch; return the seconds until all its batches have been taken over."""
    with worker(own) as victim:
        client.submit(make_job(name, slow_sentences(name), LINES, slot=SLOT, speakers=1))
        plan = read_plan(client.storage.get(Keys.plan(name, 1)))
        batches = [[line.spoken for line in batch.lines] for batch in plan]
        until(lambda: halfway(begun, children(victim.pid), batches), "the worker is in mid-batch")
        pids = children(victim.pid)
    killed = time.perf_counter()
    lost = halfway(begun, pids, batches)
    until(lambda: all(begun_again(begun, batch) for batch in lost), "its lines are spoken again")
    took = time.perf_counter() - killed
    client.cancel(name)
    return took


@contextmanager
def worker(own: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker of the faulty engine; kill it with its processes after the block."""
    with (own.home / "worker.log").open("ab") as file:
        process = subprocess.Popen(
            [*dubbing_command(), "worker", own.engine],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment(own)},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def halfway(begun: Begun, pids: Collection[int], batches: Sequence[Texts]) -> list[Texts]:
    """Return the batches that these processes have begun and not finished."""
    begun.look()
    last = {begin.pid: begin.text for begin in begun.all}
    texts = {last[pid] for pid in pids if pid in last}
    return [batch for batch in batches if texts & set(batch[:-1])]


def begun_again(begun: Begun, batch: Texts) -> bool:
    """Whether a line of a batch was begun twice."""
    begun.look()
    by_text = begun.by_text()
    return any(len(by_text.get(text, ())) > 1 for text in batch)

"""A worker far from Redis and storage: the share of time in which its engine works.

- ``efficiency.rttD.msL``: seconds in which the engine worked ÷ wall time, for one worker with a
  round trip of D ms to Redis and to a real S3 server, and an engine that takes L ms for a line, in
  batches of 32.
- ``lines_per_second.espeak.rtt80``: lines of eSpeak, one process per core, 80 ms away.
- ``lines_per_second.espeak.rtt0``: the same without delay. The S3 server is one Python process on
  the same cores, and its two requests a line may take longer than eSpeak.
- ``failed``: lines of all jobs that were not spoken.

The clock runs from the call of ``submit`` until the last line is stored and counted. The client has
no delay; a proxy delays the traffic between the worker and the two servers. Workers are warm.

Takes eight minutes.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks._place import Place
from benchmarks._script import make_job, sentences, slow_sentences
from benchmarks._system import (
    CORES,
    faulty_engine,
    wait_until_spoken,
    warm_up,
)
from benchmarks._workers import Workers, wait_until_ready
from dubbing.client import Client
from dubbing.script.manifest import Manifest

BATCH = 32
LINES = 640
SLOT = 8.6
"""Seconds from one line to the next; enough for any line, so that all are spoken once."""
COURSES = (("rtt80", 0.08, 50), ("rtt80", 0.08, 300), ("rtt20", 0.02, 50), ("rtt0", 0.0, 50))
"""Name and seconds of the round trip, and milliseconds of the engine for a line."""
ESPEAK_COURSES = (("rtt80", 0.08), ("rtt0", 0.0))

AT_LEAST = {
    "efficiency.rtt80.ms50": 0.85,
    "efficiency.rtt80.ms300": 0.95,
    "efficiency.rtt20.ms50": 0.90,
    "efficiency.rtt0.ms50": 0.93,
    "lines_per_second.espeak.rtt80": 60,
}
AT_MOST = {"failed": 0}


def run() -> dict[str, float]:
    """Return the figures."""
    figures: dict[str, float] = {}
    failed = 0
    with faulty_engine():
        for delay, seconds, milliseconds in COURSES:
            name = f"{delay}.ms{milliseconds}"
            wall, busy, lost = spoken("faulty", name, seconds, 1, milliseconds)
            figures[f"efficiency.{name}"] = busy / wall
            failed += lost
    for delay, seconds in ESPEAK_COURSES:
        wall, _, lost = spoken("espeak", delay, seconds, CORES)
        figures[f"lines_per_second.espeak.{delay}"] = LINES / wall
        failed += lost
    return figures | {"failed": failed}


def spoken(
    engine: str, name: str, delay: float, slots: int, milliseconds: int = 0
) -> tuple[float, float, int]:
    """Return the seconds of a job, the seconds in which its engine worked, and its failed lines.

    milliseconds: time of the engine ``faulty`` for a line.
    """
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        place = Place(home, stack)
        workers = stack.enter_context(Workers())
        log = home / "busy"
        client = Client.connect(place.settings(engine, slots))
        workers.start(
            "far",
            place.settings(engine, slots, delay),
            FAULTY_BUSY=str(log),
            FAULTY_LINES=str(BATCH),
            FAULTY_SLOW=str(milliseconds / 1000),
        )
        wait_until_ready(client, [engine])

        texts = slow_sentences if milliseconds else sentences

        def job(job_name: str, lines: int) -> Manifest:
            return make_job(job_name, texts(job_name), lines, slot=SLOT, speakers=1)

        warm_up(client, lambda job_name: job(job_name, 2 * BATCH * slots), slots)
        log.write_text("")
        started = time.perf_counter()
        client.submit(job(name, LINES))
        status = wait_until_spoken(client, name)
        wall = time.perf_counter() - started
        busy = sum(map(float, log.read_text().split()))
        return wall, busy, LINES - status.done + status.failed

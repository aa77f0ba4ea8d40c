"""A worker far from Redis and storage: how much of the time its engine is at work.

- ``efficiency.rttD.msL``: seconds that the engine was at work ÷ wall time, for one worker D ms away
  from Redis and from a real S3 server, and an engine that takes L ms for a line, in batches of 32.
- ``lines_per_second.espeak.rtt80``: lines of eSpeak, a process on each core, 80 ms away.
- ``failed``: lines of all jobs that were not spoken.

The clock runs from the call of ``submit`` until the last line is stored and counted. The client is
near; a proxy delays what goes between the worker and the two servers. Workers are warm.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from distance import far

from benchmarks._script import make_job, sentences, slow_sentences
from benchmarks._system import (
    CORES,
    faulty_engine,
    from_tests,
    settings,
    wait_until_spoken,
    warm_up,
)
from benchmarks._workers import Workers, wait_until_ready
from dubbing.client import Client
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings

BATCH = 32
LINES = 640
SLOT = 8.6
"""Seconds from one line to the next; enough for any line, so that all are spoken once."""
COURSES = (("rtt80", 0.08, 50), ("rtt80", 0.08, 300), ("rtt20", 0.02, 50), ("rtt0", 0.0, 50))
"""Name and seconds of the delay, and milliseconds that the engine takes for a line."""
ESPEAK_DELAY = 0.08

AT_LEAST = {
    "efficiency.rtt80.ms50": 0.85,
    "efficiency.rtt80.ms300": 0.95,
    "efficiency.rtt20.ms50": 0.90,
    "efficiency.rtt0.ms50": 0.93,
    "lines_per_second.espeak.rtt80": 60,
}
AT_MOST = {"failed": 0}


class Place:
    """A Redis and an S3 server, and workers that are far from them."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        server, s3_server = from_tests("redis_server"), from_tests("s3_server")
        self.redis_port = server.free_port()
        stack.enter_context(server.RedisServer(port=self.redis_port))
        s3 = stack.enter_context(s3_server.running(home / "s3"))
        self.s3_port = urlsplit(s3.endpoint).port or 0
        self._home = home
        self._storage: dict[str, Any] = s3_server.settings(s3)

    def settings(self, engine: str, slots: int, redis_port: int, s3_port: int) -> Settings:
        """Return the settings of a client or worker that reaches both servers by these ports."""
        own = settings(self._home, engine, slots).model_dump()
        own |= self._storage | {
            "redis_url": f"redis://127.0.0.1:{redis_port}",
            "s3_endpoint": f"http://127.0.0.1:{s3_port}",
        }
        return Settings(**own)


def run() -> dict[str, float]:
    """Return the figures; takes some eight minutes."""
    figures: dict[str, float] = {}
    failed = 0
    with faulty_engine():
        for delay, seconds, milliseconds in COURSES:
            name = f"{delay}.ms{milliseconds}"
            wall, busy, lost = spoken("faulty", name, seconds, 1, milliseconds)
            figures[f"efficiency.{name}"] = busy / wall
            failed += lost
    wall, _, lost = spoken("espeak", "espeak", ESPEAK_DELAY, CORES)
    return figures | {"lines_per_second.espeak.rtt80": LINES / wall, "failed": failed + lost}


def spoken(
    engine: str, name: str, delay: float, slots: int, milliseconds: int = 0
) -> tuple[float, float, int]:
    """Return the seconds of a job and of its engine's work, and the lines that failed.

    milliseconds: how long the engine ``faulty`` takes for a line.
    """
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        place = Place(home, stack)
        near = place.settings(engine, slots, place.redis_port, place.s3_port)
        redis_port = stack.enter_context(far(place.redis_port, delay))
        s3_port = stack.enter_context(far(place.s3_port, delay))
        workers = stack.enter_context(Workers())
        log = home / "busy"
        client = Client.connect(near)
        workers.start(
            "far",
            place.settings(engine, slots, redis_port, s3_port),
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

"""Servers of a remote engine: four compared with one, and the loss of one and of all.

Each server takes one line at a time, for 200 ms. A single worker sends the lines.

- ``scaling``: lines a second by four servers ÷ lines a second by one.
- ``loss_seconds``: one of four servers is killed when half of the lines are spoken: seconds for the
  other half, less the seconds that three servers need for it at the former speed.
- ``outage_failed``: failed lines of a job during which all servers are gone for 60 s.
- ``failed``: failed lines of the other jobs.

Takes three minutes.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks._script import make_job, sentences
from benchmarks._system import from_tests, settings, statuses, wait_until_spoken, warm_up
from benchmarks._workers import Workers, wait_until_ready
from dubbing.client import Client
from dubbing.script.manifest import Manifest

SERVERS, LINE_SECONDS = 4, 0.2
LINES = 480
"""Lines that four servers speak; one speaks a quarter of them."""
OUTAGE_LINES, OUTAGE_SECONDS = 120, 60.0
SLOT = 8.6

AT_LEAST = {"scaling": 3.8}
AT_MOST = {"loss_seconds": 5.0, "outage_failed": 0, "failed": 0}


def run() -> dict[str, float]:
    """Return the figures."""
    one, failed = lines_a_second(1, LINES // SERVERS)
    four, more = lines_a_second(SERVERS, LINES)
    loss, lost = loss_of_one(four)
    figures = {"scaling": four / one, "loss_seconds": loss, "outage_failed": loss_of_all()}
    return figures | {"failed": failed + more + lost}


class Pool:
    """Servers, and a worker that sends them lines."""

    def __init__(self, many: int, stack: ExitStack) -> None:
        """Start them; the stack ends them."""
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dubbing-bench-")))
        server = from_tests("speech_server")
        self.servers = [stack.enter_context(server.running()) for _ in range(many)]
        for each in self.servers:
            each.set(seconds=LINE_SECONDS)
        redis = stack.enter_context(from_tests("redis_server").RedisServer())
        urls = tuple(each.url for each in self.servers)
        own = settings(home, "openai", 1, redis_url=redis.url, endpoints={"openai": urls})
        self.client = Client.connect(own)
        stack.enter_context(Workers()).start("openai", own)
        wait_until_ready(self.client, ["openai"])
        warm_up(self.client, lambda name: job(name, 8 * many), 1)


def job(name: str, lines: int) -> Manifest:
    """Return a job of one voice."""
    return make_job(name, sentences(name), lines, slot=SLOT, speakers=1)


def lines_a_second(many: int, lines: int) -> tuple[float, int]:
    """Return the lines a second of ``many`` servers, and the number of failed lines."""
    with ExitStack() as stack:
        pool = Pool(many, stack)
        started = time.perf_counter()
        pool.client.submit(job("timed", lines))
        status = wait_until_spoken(pool.client, "timed")
        return lines / (time.perf_counter() - started), status.failed


def loss_of_one(speed: float) -> tuple[float, int]:
    """Return the seconds lost by killing a server, beyond its share, and the failed lines.

    speed: lines a second of all servers.
    """
    with ExitStack() as stack:
        pool = Pool(SERVERS, stack)
        pool.client.submit(job("dying", LINES))
        left, killed = LINES, 0.0
        for status in statuses(pool.client, "dying"):
            if not killed and status.done >= LINES // 2:
                pool.servers[0].stop()
                left, killed = LINES - status.done, time.perf_counter()
        took = time.perf_counter() - killed
        return took - left / (speed * (SERVERS - 1) / SERVERS), status.failed


def loss_of_all() -> int:
    """Return the lines that failed because all servers were gone for a time."""
    with ExitStack() as stack:
        pool = Pool(SERVERS, stack)
        pool.client.submit(job("waiting", OUTAGE_LINES))
        gone = False
        for status in statuses(pool.client, "waiting"):
            if not gone and status.done:
                gone = True
                for server in pool.servers:
                    server.stop()
                time.sleep(OUTAGE_SECONDS)
                for server in pool.servers:
                    server.start()
                    server.set(seconds=LINE_SECONDS)
        assert gone, "the job was over before the servers were gone"
        return OUTAGE_LINES - status.done + status.failed

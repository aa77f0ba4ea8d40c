"""A system with a gateway for the pages to show: simulated nodes, and jobs that wait."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks._beside import beside
from benchmarks._dubbed import store_dubbed
from benchmarks._script import make_job, sentences
from benchmarks._system import UNBOUNDED, from_tests, settings
from dubbing.assembly.report import PAGE
from dubbing.client import Client
from dubbing.engines.holding import Holding
from dubbing.keyring import Keyring, Scope
from dubbing.ledger import WorkerRecord, WorkerState
from dubbing.ledger.vitals import Vitals, Work

NODES, JOBS, LINES, SLOT = 50, 1000, 3, 8.6
LONG = "season-00001.en"
"""The id of a job that has ended, with many lines."""
LONG_LINES = 10_000
REPORTED = "season-00002.en"
"""The id of an ended job, whose report is also shown as a page."""
REPORTED_LINES = 400
ENGINES = ("tone", "xtts", "indextts25", "piper", "vits")
BEAT_SECONDS = 2.0
"""Seconds between two heartbeats of a node; the gateway sends news as often."""


@dataclass
class Place:
    """The system, its gateway, and a browser."""

    client: Client
    url: str
    secret: str
    """An API key with all rights."""
    report: Path
    """The page of the report of the job `REPORTED`."""
    browser: Any
    """Playwright's browser object."""

    @contextmanager
    def person(self, **options: Any) -> Iterator[Any]:
        """Yield an empty page of a signed-in user whose browser has an empty cache.

        options: of Playwright's contexts.
        """
        headers = {"X-Requested-With": "benchmark"}
        with self.browser.new_context(base_url=self.url, **options) as context:
            signed = context.request.post("/session", data={"key": self.secret}, headers=headers)
            assert signed.ok, signed.text()
            yield context.new_page()


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """Run Redis, a gateway and a browser during the block, with nodes and jobs to show."""
    redis, gateways, browsers = map(from_tests, ("redis_server", "gateways", "browsers"))
    with redis.RedisServer() as server:
        known = settings(folder, "tone", redis_url=server.url)
        client = Client.connect(known)
        store_dubbed(client, LONG, LONG_LINES)
        output = store_dubbed(client, REPORTED, REPORTED_LINES)
        report = client.storage.path(output + PAGE)
        assert report, "a folder has paths"
        client.submit_all([_job(n) for n in range(JOBS)])
        _, secret = Keyring(client.storage).make("default", [Scope.ADMIN])
        with (
            _nodes(client),
            gateways.running(known, **UNBOUNDED) as gateway,
            browsers.page() as page,
        ):
            yield Place(client, gateway.url, secret, report, page.context.browser)


@contextmanager
def changing(client: Client) -> Iterator[None]:
    """End a job and submit another one every two seconds during the block."""

    def change(over: threading.Event) -> None:
        for n in count(JOBS):
            # The page shows the last submitted jobs.
            client.cancel(_name(n - 1))
            client.submit(_job(n))
            if over.wait(BEAT_SECONDS):
                return

    with beside(change):
        yield


@contextmanager
def _nodes(client: Client) -> Iterator[None]:
    """Send the heartbeats of nodes during the block."""

    def beat(over: threading.Event) -> None:
        for turn in count():
            for n in range(NODES):
                client.ledger.crew.beat(_node(n, turn))
            if over.wait(BEAT_SECONDS):
                return

    with beside(beat):
        yield


def _node(n: int, turn: int) -> WorkerRecord:
    engine, chance = ENGINES[n % len(ENGINES)], random.Random(turn * NODES + n)
    busy = chance.random() < 0.7
    return WorkerRecord(
        name=f"{engine}.{n:06x}@gpu-{n:02}",
        engines=(engine,),
        # It takes no work: the jobs stay open.
        queues=(),
        slots=1,
        state=WorkerState.BUSY if busy else WorkerState.READY,
        since=time.time(),
        holding=Holding(loaded=(engine,), begun=True),
        active=int(busy),
        work=Work(done=turn * 3 + n, failed=turn // 20, milliseconds=turn * 2400),
        vitals=Vitals(
            cpu_percent=100 * chance.random(),
            memory_percent=40 + 10 * chance.random(),
            memory_used_mb=50_000 + 10_000 * chance.random(),
            gpu_percent=100 * chance.random(),
            gpu_memory_percent=38.1,
            gpu_memory_used_mb=9362.0,
        ),
    )


def _name(n: int) -> str:
    return f"episode-{n:05}.en"


def _job(n: int) -> Any:
    return make_job(_name(n), sentences(_name(n)), LINES, slot=SLOT, speakers=1)

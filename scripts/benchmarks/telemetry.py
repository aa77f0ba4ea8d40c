"""The cost of metrics and JSON logs: lines through the whole stack with and without them.

- ``share``: wall time without ÷ with metrics and JSON logs, for eSpeak lines as in ``pipeline``.
- ``processor_share``: the same ratio of the CPU seconds of workers and Redis.
- ``lines_per_second``, ``plain_lines_per_second``, and ``failed`` lines of all pairs.

Each is the median of interleaved pairs; every other pair begins with the plain stack. Both stacks
run all the time. One logs all events to a file as JSON lines, counts, and is scraped every
`SCRAPE_SECONDS`; the other logs only warnings and counts nothing.

Takes three minutes.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks._beside import beside
from benchmarks._system import CORES, settings, wait_until_spoken, warm_up
from benchmarks.pipeline import FAST, Pair
from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.exporter import Exporter
from dubbing.planning.outcome import gather
from dubbing.settings import Settings
from dubbing.telemetry.exposition import written

AT_LEAST = {"share": 0.98}
AT_MOST = {"failed": 0}

COURSE = replace(FAST, lines=3000, pairs=9)
SCRAPE_SECONDS = 5.0


def run() -> dict[str, float]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        told = {"log_level": "INFO", "log_format": "json", "log_dir": Path(folder) / "logs"}
        watched = _settings(Path(folder) / "watched", metrics=True, **told)
        plain = _settings(Path(folder) / "plain", metrics=False)
        engines = [COURSE.engine]
        with Stack(watched, engines), Stack(plain, engines):
            sides = {"watched": Client.connect(watched), "plain": Client.connect(plain)}
            for client in sides.values():
                warm_up(client, lambda name: COURSE.job(name, 10 * COURSE.chunk), COURSE.slots)
            with _scraped(sides["watched"]):
                pairs = [_pair(sides, n) for n in range(COURSE.pairs)]
    return {
        "share": statistics.median(pair["plain"] / pair["watched"] for pair in pairs),
        "processor_share": statistics.median(
            pair["plain_processors"] / pair["watched_processors"] for pair in pairs
        ),
        "lines_per_second": statistics.median(COURSE.lines / pair["watched"] for pair in pairs),
        "plain_lines_per_second": statistics.median(COURSE.lines / pair["plain"] for pair in pairs),
        "failed": sum(pair["failed"] for pair in pairs),
    }


def _settings(home: Path, **more: Any) -> Settings:
    home.mkdir()
    return settings(home, COURSE.engine, CORES, **more)


def _pair(sides: dict[str, Client], number: int) -> Pair:
    """Speak new lines through each stack."""
    found: Pair = {"failed": 0}
    for side in sorted(sides, reverse=number % 2 == 0):
        client, name = sides[side], f"pair-{number}-{side}"
        job = COURSE.job(name, COURSE.lines)
        used, began = _processors(client), time.perf_counter()
        client.submit(job)
        wait_until_spoken(client, name)
        found[side] = time.perf_counter() - began
        found[f"{side}_processors"] = _processors(client) - used
        takes = [outcome.result.takes for outcome in gather(client.storage, name, 1).values()]
        found["failed"] += COURSE.lines - sum(map(bool, takes))
    return found


def _processors(client: Client) -> float:
    """Return the CPU seconds that the processes of a stack have used."""
    home = str(Path(client.storage.url).parent)
    used = 0.0
    for process in psutil.Process().children(recursive=True):
        if process.environ().get("DUBBING_HOME") == home:
            times = process.cpu_times()
            used += times.user + times.system
    return used


@contextmanager
def _scraped(client: Client) -> Iterator[None]:
    """Scrape the metrics of a stack during the block."""
    registry = Exporter(client).registry

    def scrape(over: threading.Event) -> None:
        while not over.wait(SCRAPE_SECONDS):
            written(registry, "")

    with beside(scrape):
        yield

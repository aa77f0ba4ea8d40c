"""Metrics of real processes over HTTP: a worker that comes and goes, and the exporter."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis_server import free_port
from services import PLUGINS
from system import System, numbered, script

from dubbing.embedded.child import start_child
from dubbing.embedded.stack import dubbing_command, environment

LINES = 12


class NoWorker(System):
    ENGINES: ClassVar[Mapping[str, str]] = {}


def series(text: str) -> dict[tuple[str, ...], float]:
    """Return the value of each series, by its name and the values of its sorted labels."""
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def scraped(port: int) -> dict[tuple[str, ...], float]:
    return series(httpx2.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text)


@contextmanager
def exporter(system: System, port: int) -> Iterator[None]:
    """Run `dubbing exporter` with a deadline of 0.6 s; it ends in order."""
    command = [*dubbing_command(), "exporter", "--port", str(port), "--deadline", "0.01m"]
    with (system.settings.home / "exporter.log").open("wb") as log:
        process = start_child(command, log, env=environment(system.settings))
    try:
        system.until(lambda: answers(port), "the exporter answers")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(timeout=20) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def answers(port: int) -> bool:
    try:
        return bool(scraped(port))
    except httpx2.HTTPError:
        return False


def test_workers_are_wanted_come_are_measured_and_are_not_wanted_any_more(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    told, own = free_port(), free_port()
    home = tmp_path_factory.mktemp("metrics") / "home"
    with NoWorker(home, slots=1) as system, exporter(system, told):

        def wanted(engine: str = "faulty") -> tuple[float, float]:
            """Return how many workers are wanted, and how many there are."""
            seen = scraped(told)
            there = seen.get(("dubbing_available_workers", engine), 0.0)
            return seen.get(("dubbing_wanted", engine, "workers"), 0.0), there

        assert wanted() == (0, 0)
        texts = numbered("first", LINES - 1, "<slow:0.3>")
        first = system.client.submit(script("first", *texts, "<silence> never"))
        system.until(lambda: wanted() == (1, 0), "one is wanted for work of unknown length")
        seen = scraped(told)
        assert seen["dubbing_waiting_lines", "faulty"] == LINES
        assert seen["dubbing_oldest_seconds", "faulty"] > 0

        worker = system.launch("faulty", DUBBING_METRICS_PORT=str(own))
        try:
            spoken = ("dubbing_lines_total", "faulty", "spoken")
            system.until(lambda: scraped(told)[spoken] == LINES - 1, "all lines are counted")
            system.until(lambda: wanted() == (0, 1), "none is wanted")
            assert system.client.status(first.id).done == LINES
            system.until(lambda: answers(own), "the worker answers")
            (name,) = [one.name for one in system.client.fleet.workers()]
            # Its processes report every two seconds, and it reads what all of them did as often.
            system.until(
                lambda: scraped(own).get((*spoken, name)) == LINES - 1, "the worker tells it"
            )
            detail = scraped(own)
            assert detail["dubbing_lines_total", "faulty", "failed", name] == 1
            assert detail["dubbing_errors_total", "speech_rejected", "faulty", name] == 1
            # A line that fails is tried three times.
            assert detail["dubbing_retries_total", "faulty", name] == 2
            assert detail["dubbing_batch_lines_sum", "faulty", name] == LINES
            assert detail["dubbing_storage_seconds_count", "write", name] > LINES
            assert detail["dubbing_worker_slots", name] == 1
            seen = scraped(told)
            assert seen["dubbing_real_time_factor_count", "faulty"] == LINES // 4
            assert seen["dubbing_busy_seconds_total", "faulty", "synthesis"] > 0.3 * (LINES - 1)
            assert seen[(*spoken, name)] == LINES - 1
            assert not {"first", "texts"} & {part for one in seen for part in one}
        finally:
            worker.terminate()
            assert worker.wait(timeout=30) == 0

        system.client.submit(script("second", *numbered("second", 4 * LINES)))
        # Each batch of four took more than a second, of which the deadline has half.
        system.until(lambda: wanted()[0] >= 6, "many are wanted")
        assert wanted()[1] == 0
        assert seen["dubbing_part_up", "redis"] == 1
        for job in ("first", "second"):
            system.client.cancel(job)
        system.until(lambda: wanted() == (0, 0), "none is wanted for cancelled work")

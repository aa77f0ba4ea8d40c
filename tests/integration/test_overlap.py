"""Workers that read one batch, speak another and store a third: whoever ends, nothing is lost."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
import redis
import s3_server as s3
from proxy import Answer, proxy_before
from services import PLUGINS
from system import System, numbered, script

from dubbing.job import JobState
from dubbing.ledger import WorkerState
from dubbing.queue.fleet import Order
from dubbing.script.manifest import Manifest
from dubbing.storage import S3Options

BATCH = 4
"""Lines of a batch of the faulty engine."""
MANY = 40
"""Lines of a batch that has more clips than are stored at once."""


class Speakers(System):
    """A worker of the faulty engine alone."""

    ENGINES: ClassVar = {"faulty": "faulty"}


@pytest.fixture(scope="module")
def plugins() -> Iterator[None]:
    """Let this process know the faulty engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        yield


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, plugins: None) -> Iterator[System]:
    """A system whose worker each test leaves running, whether as it was or as another process."""
    with System(tmp_path_factory.mktemp("overlap"), slots=1) as system:
        system.ready()
        yield system


def two_batches(name: str, seconds: float) -> tuple[Manifest, list[str], list[str]]:
    """Return a job whose first batch takes so many seconds a line, and the lines of both."""
    slow = list(numbered(name, BATCH, f"<slow:{seconds}>"))
    # The longest lines come first.
    quick = [f"{name} {n}." for n in range(BATCH)]
    return script(name, *slow, *quick), slow, quick


@contextmanager
def second_worker(system: System) -> Iterator[None]:
    worker = system.launch("faulty", log="second")
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(timeout=30)


def reserved(system: System) -> list[str]:
    """Return the batches that a process has reserved."""
    with redis.from_url(system.settings.redis, decode_responses=True) as server:
        owners = server.hgetall("dubbing:owners")
        return [batch for batch, owner in owners.items() if owner.endswith("|reserved")]


def begun(system: System, texts: list[str]) -> list[float]:
    """Return when each of these lines was begun."""
    rows = [row.partition("\t") for row in system.times_log.read_text().splitlines()]
    return [float(when) for when, _, text in rows if text in texts]


def test_an_idle_worker_takes_the_batch_that_another_one_has_read_ahead(system: System) -> None:
    job, slow, quick = two_batches("shared", 4.0)
    system.client.submit(job)
    system.begun(job, 1)
    system.until(lambda: reserved(system), "read ahead")
    with second_worker(system):
        system.wait("shared")
        assert max(begun(system, quick)) < max(begun(system, slow))
        assert system.spoken(job).total() == 2 * BATCH
        assert system.whole(job)


def test_a_worker_that_is_told_to_end_leaves_what_it_read_ahead_to_others_at_once(
    system: System,
) -> None:
    job, slow, _ = two_batches("told", 2.0)
    system.client.submit(job)
    system.begun(job, 1)
    system.until(lambda: reserved(system), "read ahead")
    system.worker("faulty").terminate()
    system.until(lambda: not reserved(system), "left to others")
    assert system.worker("faulty").poll() is None
    assert len(begun(system, slow)) < BATCH
    assert system.worker("faulty").wait(timeout=30) == 0
    system.start("faulty")
    system.wait("told")
    assert system.spoken(job).total() == 2 * BATCH
    assert system.whole(job)


@pytest.mark.parametrize("how", ["drain", "terminate", "kill"])
def test_a_worker_that_ends_in_the_midst_of_it_all_loses_and_doubles_nothing(
    system: System, how: str
) -> None:
    job = script(how, *numbered(how, 6 * BATCH, "<slow:0.1>"))
    system.client.submit(job)
    system.begun(job, 2 * BATCH + 1)
    if how == "drain":
        (worker,) = [
            worker
            for worker in system.client.fleet.workers()
            if worker.engines == ("faulty",) and worker.state is not WorkerState.OFFLINE
        ]
        system.client.fleet.steer(worker.name, Order.DRAIN)
    elif how == "terminate":
        system.worker("faulty").send_signal(signal.SIGTERM)
    else:
        system.kill("faulty")
    system.worker("faulty").wait(timeout=30)
    assert reserved(system) == [] or how == "kill"
    system.start("faulty")
    assert system.wait(how).state is JobState.COMPLETED
    assert system.whole(job)
    assert system.spoken_in_vain(job) == []
    assert how == "kill" or system.spoken(job).total() == 6 * BATCH


def test_a_worker_that_ends_in_order_stores_what_it_has_spoken_however_long_that_takes(
    tmp_path: Path, s3_options: S3Options, plugins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTY_LINES", str(MANY))
    assert s3_options.endpoint

    def slow(method: str, path: str) -> Answer:
        if method == "PUT" and "/clips/" in path:
            time.sleep(1.0)
        return Answer.PASS

    with proxy_before(s3_options.endpoint) as proxy:
        settings = s3.settings(s3_options, proxy.url)
        with Speakers(tmp_path / "slow", slots=1, **settings) as system:
            system.ready(1)
            proxy.answer = slow
            job = script("slow", *numbered("slow", 2 * MANY))
            system.client.submit(job)
            system.begun(job, MANY)
            system.stop("faulty")
            proxy.answer = lambda method, path: Answer.PASS
            system.start("faulty")
            system.until(lambda: system.client.status("slow").done == 2 * MANY, "all spoken")
            assert system.spoken(job).total() == 2 * MANY
            assert all(outcome.result.takes for outcome in system.outcomes(job).values())

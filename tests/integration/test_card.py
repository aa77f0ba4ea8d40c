"""A worker for a card: several engines in one process, told what to load while it runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest
import redis as library
from system import System, numbered, pool_processes, script

from dubbing.engines.holding import Holding
from dubbing.errors import BadInput, NotFound
from dubbing.ledger import WorkerRecord, WorkerState
from dubbing.queue.fleet import Order
from dubbing.script.manifest import ManifestRole
from workers.process import DIED

ENGINES = ("faulty", "tone")


class Card(System):
    """One worker of two engines and one process, and the worker of assembly."""

    ENGINES: ClassVar[Mapping[str, str]] = {"assembly": "assembly"}

    def begin(self) -> None:
        """Have the one worker of two engines hold both; start it when it has ended."""
        worker = self._workers.get("card")
        if worker and worker.poll() is None:
            self.steer(Order.LOAD)
        else:
            self._workers["card"] = self.launch(" ".join(ENGINES), log="card")
        self.becomes(WorkerState.READY)

    def record(self) -> WorkerRecord:
        """The worker's own record."""
        (found,) = self.records()
        return found

    def state(self) -> WorkerState | None:
        records = self.records()
        return records[0].state if records else None

    def records(self) -> list[WorkerRecord]:
        return [w for w in self.client.fleet.workers() if w.engines == ENGINES and w.online]

    def becomes(self, state: WorkerState) -> None:
        self.until(lambda: self.state() is state, state.value)

    def steer(self, order: Order, engine: str = "") -> tuple[str, ...]:
        return self.client.fleet.steer(self.record().name, order, engine).loaded


def connection(card: Card) -> library.Redis:
    return library.from_url(card.redis.url, decode_responses=True)


@pytest.fixture(scope="module")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Card]:
    with Card(tmp_path_factory.mktemp("card"), slots=1) as system:
        yield system


@pytest.fixture
def card(assembled: Card) -> Iterator[Card]:
    """The system with its worker of two engines, which holds both and has nothing to do."""
    assembled.begin()
    yield assembled
    assembled.cancel_all()


def test_one_worker_speaks_for_two_engines(card: Card) -> None:
    cast = {"Ada": ManifestRole(engine="tone")}
    job = script("both", *numbered("both", 4))
    segments = [s.model_copy(update={"speaker": "Ada"}) for s in job.segments[:2]]
    job = job.model_copy(update={"cast": cast, "segments": (*segments, *job.segments[2:])})
    card.run(job)
    assert card.whole(job)
    assert {line.engine for line in card.report(job).lines} == {"tone", "faulty"}


def test_a_worker_on_standby_takes_nothing_until_it_is_told_to_load(card: Card) -> None:
    assert card.steer(Order.STANDBY) == ()
    card.becomes(WorkerState.STANDBY)
    job = script("later", *numbered("later", 2))
    card.client.submit(job)
    assert "faulty" in card.client.status("later").lacks
    assert card.spoken(job).total() == 0
    assert card.steer(Order.LOAD, "faulty") == ("faulty",)
    card.wait("later")
    assert card.whole(job)
    assert card.record().queues == ("synthesis.faulty", "extraction.faulty")


def test_an_engine_can_be_unloaded_while_the_other_speaks(card: Card) -> None:
    assert card.steer(Order.UNLOAD, "tone") == ("faulty",)
    job = script("one", *numbered("one", 2))
    card.run(job)
    assert card.whole(job)
    card.until(lambda: card.record().holding.resting == {"tone": ""}, "unloaded")


def test_a_worker_at_work_is_busy(card: Card) -> None:
    card.client.submit(script("slow", "<slow:3> a slow line"))
    card.becomes(WorkerState.BUSY)
    card.wait("slow")
    card.becomes(WorkerState.READY)


def test_a_process_that_dies_comes_back_as_it_was_told_to_be(card: Card) -> None:
    card.steer(Order.UNLOAD, "tone")
    job = script("killed", "<slow:1> a line that is begun twice", *numbered("killed", 2))
    card.client.submit(job)
    card.begun(job, 1)
    (process,) = pool_processes(card.worker("card").pid)
    os.kill(process, signal.SIGKILL)
    card.wait("killed")
    assert card.whole(job)
    told = Holding(loaded=("faulty",), resting={"tone": ""}, begun=True)
    card.until(lambda: card.record().holding == told, "as it was told")


def test_a_process_that_died_while_it_loaded_an_engine_is_not_followed_into_it(card: Card) -> None:
    card.loads.write_text("<kill>")
    card.client.submit(script("loads", "<kill> a line that kills as well"))
    card.becomes(WorkerState.ERROR)
    record = card.record()
    assert record.errors == (DIED.format(engine="faulty"),)
    assert record.holding.resting == {"faulty": record.errors[0]}
    card.until(lambda: card.record().holding.loaded == ("tone",), "back, with its other engine")
    assert record.queues == ("synthesis.tone", "extraction.tone")
    card.client.cancel("loads")
    assert card.steer(Order.LOAD, "faulty") == ("tone", "faulty")
    card.becomes(WorkerState.READY)
    assert card.record().errors == ()


def test_a_redis_that_forgot_everything_is_told_again_what_a_worker_holds(card: Card) -> None:
    card.steer(Order.UNLOAD, "tone")
    card.until(lambda: card.record().holding.resting, "tone at rest")
    with connection(card) as redis:
        redis.flushall()
    card.until(lambda: card.state() is WorkerState.READY, "known again", seconds=9)
    assert card.record().holding.resting == {"tone": ""}
    job = script("after", *numbered("after", 2))
    card.run(job)
    assert card.whole(job)


def test_orders_that_cannot_be_meant_are_refused(card: Card) -> None:
    with pytest.raises(NotFound, match="no worker 'nobody'"):
        card.client.fleet.steer("nobody", Order.LOAD)
    with pytest.raises(BadInput, match="was not started for 'espeak'"):
        card.client.fleet.steer(card.record().name, Order.LOAD, "espeak")


def test_a_worker_of_several_processes_cannot_be_told_what_to_load(assembled: Card) -> None:
    def assembling() -> list[WorkerRecord]:
        return [w for w in assembled.client.fleet.workers() if w.engines == ("assembly",)]

    # Redis may have forgotten it a moment ago.
    assembled.until(assembling, "known")
    (assembly,) = assembling()
    several = assembly.model_copy(update={"name": "several", "slots": 2})
    assembled.client.ledger.crew.beat(several)
    with pytest.raises(BadInput, match="--slots 1"):
        assembled.client.fleet.steer("several", Order.STANDBY)
    assembled.client.ledger.crew.leave(several)


def test_a_worker_that_is_drained_finishes_its_batch_and_ends(card: Card) -> None:
    job = script("last", "<slow:1> a last line", *numbered("last", 8))
    card.client.submit(job)
    card.begun(job, 1)
    card.steer(Order.DRAIN)
    card.until(lambda: card.worker("card").poll() is not None, "ended", seconds=30)
    assert card.worker("card").returncode == 0
    assert card.records() == []
    with connection(card) as redis:
        assert not redis.keys("*worker.faulty*")
    card.begin()
    card.wait("last")
    assert max(card.spoken(job).values()) == 1


def test_a_worker_that_is_killed_goes_offline(card: Card) -> None:
    record = card.record()
    card.kill("card")
    with connection(card) as redis:
        # As after half a minute: the heartbeat's time is the first thing in the record.
        key = f"dubbing:worker:{record.name}"
        redis.set(key, "0|" + redis.get(key).partition("|")[2])
    found = [w.state for w in card.client.fleet.workers() if w.name == record.name]
    assert found == [WorkerState.OFFLINE]
    with pytest.raises(NotFound, match="online"):
        card.client.fleet.steer(record.name, Order.LOAD)

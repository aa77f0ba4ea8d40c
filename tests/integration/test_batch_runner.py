"""One batch at a worker's desk, on a real Redis and a folder: what is counted, kept and rebuilt."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import redis
from ledgers import record
from system import numbered, script

from dubbing.catalogue import Catalogue
from dubbing.errors import EngineFailed, Stopped, StorageUnavailable
from dubbing.job import Job, JobState, Role
from dubbing.keys import Keys
from dubbing.ledger import Address, Claim, Ledger
from dubbing.outcome import gather, load_result
from dubbing.plan import Batch
from dubbing.queue import Publisher, broker_lists, make_app
from dubbing.residency import Residency
from dubbing.result import BatchResult, SegmentResult
from dubbing.rounds import End, create_first_round, end_round, put_to_work
from dubbing.storage import Storage
from dubbing.work import Desk, Lease, failed_result
from tasks.context import Context, install
from tasks.speech import extract
from workers.heartbeat import Heartbeat
from workers.reconciler import Reconciler

QUEUE = "synthesis.tone"


class Unfilled:
    """Publishes nothing: the tests hand batches over themselves."""

    def fill(self, queues: Sequence[str]) -> int:
        return 0


@pytest.fixture
def desk(tmp_path: Path, redis_url: str) -> Desk:
    storage = Storage.at(str(tmp_path / "storage"))
    return Desk(storage=storage, ledger=Ledger(redis_url), publisher=Unfilled(), worker="w")


@pytest.fixture
def job() -> Job:
    return script("j", *numbered("Line", 3), engine="tone")


def opened(desk: Desk, job: Job, queue: str = QUEUE) -> Address:
    """Store a job as its submission does, put it to work and take its first batch."""
    if not desk.storage.exists(Keys.job(job.name)):
        desk.storage.create(Keys.job(job.name), job.model_dump_json().encode())
        create_first_round(desk.storage, job)
    put_to_work(desk.storage, desk.ledger, job)
    return desk.ledger.take(queue, broker_lists(queue))[0]


def said(batch: Batch) -> BatchResult:
    segments = [
        SegmentResult(id=line.id, engine="tone", model="m", seed=0, attempts=1)
        for line in batch.lines
    ]
    return BatchResult(batch=batch.number, worker="w", segments=tuple(segments))


def speak(batch: Batch, lease: Lease) -> BatchResult:
    return said(batch)


def never(batch: Batch, lease: Lease) -> BatchResult:
    raise AssertionError("this batch was done already")


def done(desk: Desk) -> int:
    found = desk.ledger.snapshot("j")
    assert found
    return found.done


def test_a_batch_is_claimed_done_stored_and_counted(desk: Desk, job: Job) -> None:
    at = opened(desk, job)
    assert desk.run(at, speak) == "3 lines, 3 spoken, 0 failed, 0% padding"
    assert done(desk) == 3
    assert list(gather(desk.storage, "j", 1)) == ["0", "1", "2"]
    assert desk.run(at, never) == "nothing to do"


def test_a_result_that_was_stored_and_not_counted_is_only_counted(desk: Desk, job: Job) -> None:
    at = opened(desk, job)
    batch = Batch.model_validate_json(desk.storage.get_range(Keys.plan("j", 1), *at.span))
    died = said(batch)
    desk.storage.create(Keys.result("j", 1, 0), died.model_dump_json().encode())
    assert desk.run(at, never) == "3 lines, 3 spoken, 0 failed, 0% padding"
    assert done(desk) == 3


def test_of_two_results_the_one_that_was_stored_first_counts(desk: Desk, job: Job) -> None:
    at = opened(desk, job)

    def late(batch: Batch, lease: Lease) -> BatchResult:
        desk.storage.create(Keys.result("j", 1, 0), said(batch).model_dump_json().encode())
        return failed_result(batch, EngineFailed("out of memory"), "late")

    assert desk.run(at, late) == "3 lines, 3 spoken, 0 failed, 0% padding"
    stored = load_result(desk.storage, "j", 1, 0)
    assert stored
    assert (stored.worker, stored.failed) == ("w", 0)
    snapshot = desk.ledger.snapshot("j")
    assert snapshot
    assert (snapshot.done, snapshot.failed) == (3, 0)


def test_a_batch_whose_storage_is_down_rests_and_its_lines_are_not_blamed(
    desk: Desk, job: Job
) -> None:
    at = opened(desk, job)

    def fail(batch: Batch, lease: Lease) -> BatchResult:
        assert desk.ledger.deliver("j", [line.id for line in batch.lines]) == [0, 0, 0]
        raise StorageUnavailable("the bucket is away")

    with pytest.raises(StorageUnavailable):
        desk.run(at, fail)
    assert desk.ledger.claim(at, "another") is Claim.BUSY
    assert desk.ledger.take(QUEUE, broker_lists(QUEUE)) == []
    assert desk.ledger.deliver("j", ["0", "1", "2"]) == [0, 0, 0]


def test_what_hangs_alone_counts_twice(desk: Desk, job: Job) -> None:
    at = replace(opened(desk, job), token="0:0:10:1")
    assert desk.ledger.claim(at, "w") is Claim.RUN
    lease = Lease(desk.ledger, at, "w")
    assert lease.begin_alone("1") == 0
    with lease.renewed():
        assert desk.ledger.deliver("j", ["1"]) == [1]
        deadline = time.monotonic() + 10
        while desk.ledger.deliver("j", ["1"]) == [1]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert desk.ledger.deliver("j", ["1"]) == [2]


def test_what_raises_the_unforeseen_counts_as_a_death(desk: Desk, job: Job) -> None:
    at = opened(desk, job)

    def fail(batch: Batch, lease: Lease) -> BatchResult:
        desk.ledger.deliver("j", [line.id for line in batch.lines])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        desk.run(at, fail)
    assert desk.ledger.deliver("j", ["0", "1", "2"]) == [1, 1, 1]


def test_nothing_is_stored_of_a_job_that_was_cancelled_meanwhile(desk: Desk, job: Job) -> None:
    at = opened(desk, job)

    def cancelled(batch: Batch, lease: Lease) -> BatchResult:
        end_round(desk.storage, desk.ledger, "j", End(state=JobState.CANCELLED, round=1))
        return speak(batch, lease)

    with pytest.raises(Stopped, match="cancelled"):
        desk.run(at, cancelled)
    assert list(desk.storage.keys(Keys.results("j", 1))) == []


def test_a_message_of_a_job_that_redis_forgot_puts_it_back_to_work(
    desk: Desk, job: Job, redis_url: str
) -> None:
    at = opened(desk, job)
    with redis.from_url(redis_url) as server:
        server.flushall()
    assert desk.run(at, speak) == "3 lines, 3 spoken, 0 failed, 0% padding"
    assert done(desk) == 3


def test_a_message_of_a_job_that_never_was_does_nothing(desk: Desk) -> None:
    at = Address(job="nobody", round=1, token="0:0:10:60", queue=QUEUE)
    assert desk.run(at, never) == "nothing to do"
    assert desk.ledger.snapshot("nobody") is None


def test_a_voice_that_kills_its_workers_is_given_up(desk: Desk, job: Job) -> None:
    digest = "ab" * 32
    cast = {"speaker": Role(reference=digest)}
    at = opened(desk, job.model_copy(update={"cast": cast}), "extraction.tone")
    for _ in range(3):
        desk.ledger.deliver_again("j", "extraction 0")
    install(Context(desk=desk, engines=Residency(Catalogue())))
    extract(**asdict(at))
    result = BatchResult.model_validate_json(desk.storage.get(Keys.result("j", 1, 0)))
    assert result.error
    assert result.error["code"] == "given_up"


@pytest.fixture
def reconciler(desk: Desk, redis_url: str) -> Iterator[Reconciler]:
    app = make_app(redis_url)
    publisher = Publisher(app, desk.ledger)
    heartbeat = Heartbeat(app, desk.ledger, publisher, record())
    reconciler = Reconciler(desk.storage, desk.ledger, publisher, heartbeat)
    yield reconciler
    reconciler.stop()
    app.close()


def test_jobs_that_redis_forgot_are_put_back_whatever_else_lies_there(
    desk: Desk, job: Job, reconciler: Reconciler
) -> None:
    desk.storage.create(Keys.open("a-submission-broke-off"), b"")
    desk.storage.create(Keys.open("b-damaged"), b"")
    desk.storage.create(Keys.job("b-damaged"), b"{")
    desk.storage.create(Keys.job("j"), job.model_dump_json().encode())
    create_first_round(desk.storage, job)
    reconciler.start()
    _, events = desk.ledger.events("j", "0-0", wait=10)
    assert events == [{"event": "state", "state": "queued"}]
    assert desk.ledger.snapshot("a-submission-broke-off") is None

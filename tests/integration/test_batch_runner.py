"""One batch in a worker, on a real Redis and a folder: what is counted, kept and rebuilt."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import redis
from installations import access
from ledgers import begin, claim, deliveries, record
from system import numbered, stored_job

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.residency import Residency
from dubbing.errors import EngineFailed, Stopped, StorageUnavailable
from dubbing.job import Job, JobState, Role
from dubbing.jobs.batch_work import BatchRunner, failed_result
from dubbing.jobs.lease import Lease
from dubbing.jobs.rounds import create_first_round, end_round, put_to_work
from dubbing.jobs.store import End
from dubbing.ledger import Address, Claim, Ledger
from dubbing.planning.outcome import gather, load_result
from dubbing.planning.plan import Batch
from dubbing.planning.result import BatchResult, SegmentResult
from dubbing.queue import Publisher, broker_lists, make_app
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
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
def runner(tmp_path: Path, redis_url: str) -> BatchRunner:
    storage = Storage.at(str(tmp_path / "storage"))
    return BatchRunner(
        storage=storage,
        ledger=Ledger(redis_url),
        publisher=Unfilled(),
        access=access(storage, redis_url),
        worker="w",
    )


@pytest.fixture
def job() -> Job:
    return stored_job("j", *numbered("Line", 3), engine="tone")


def opened(runner: BatchRunner, job: Job, queue: str = QUEUE) -> Address:
    """Store a job as its submission does, put it to work and take its first batch."""
    if not runner.storage.exists(Keys.job(job.id)):
        runner.storage.create(Keys.job(job.id), job.model_dump_json().encode())
        create_first_round(runner.storage, job)
    put_to_work(runner.storage, runner.ledger, job)
    return runner.ledger.take({queue: broker_lists(queue)})[0]


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


def done(runner: BatchRunner) -> int:
    found = runner.ledger.standings.snapshot("j")
    assert found
    return found.done


def test_a_batch_is_claimed_done_stored_and_counted(runner: BatchRunner, job: Job) -> None:
    at = opened(runner, job)
    assert runner.run(at, speak) == "3 lines, 3 spoken, 0 failed, 0% padding"
    assert done(runner) == 3
    assert list(gather(runner.storage, "j", 1)) == ["0", "1", "2"]
    assert runner.run(at, never) == "nothing to do"


def test_a_result_that_was_stored_and_not_counted_is_only_counted(
    runner: BatchRunner, job: Job
) -> None:
    at = opened(runner, job)
    batch = Batch.model_validate_json(runner.storage.get_range(Keys.plan("j", 1), *at.span))
    died = said(batch)
    runner.storage.create(Keys.result("j", 1, 0), died.model_dump_json().encode())
    assert runner.run(at, never) == "3 lines, 3 spoken, 0 failed, 0% padding"
    assert done(runner) == 3


def test_of_two_results_the_one_that_was_stored_first_counts(runner: BatchRunner, job: Job) -> None:
    at = opened(runner, job)

    def late(batch: Batch, lease: Lease) -> BatchResult:
        runner.storage.create(Keys.result("j", 1, 0), said(batch).model_dump_json().encode())
        return failed_result(batch, EngineFailed("out of memory"), "late")

    assert runner.run(at, late) == "3 lines, 3 spoken, 0 failed, 0% padding"
    stored = load_result(runner.storage, "j", 1, 0)
    assert stored
    assert (stored.worker, stored.failed) == ("w", 0)
    snapshot = runner.ledger.standings.snapshot("j")
    assert snapshot
    assert (snapshot.done, snapshot.failed) == (3, 0)


def test_a_batch_whose_storage_is_down_rests_and_its_lines_are_not_blamed(
    runner: BatchRunner, job: Job
) -> None:
    at = opened(runner, job)

    def fail(batch: Batch, lease: Lease) -> BatchResult:
        assert begin(runner.ledger, lease.at, [line.id for line in batch.lines], "w") == [0, 0, 0]
        raise StorageUnavailable("the bucket is away")

    with pytest.raises(StorageUnavailable):
        runner.run(at, fail)
    assert claim(runner.ledger, at, "another") is Claim.BUSY
    assert runner.ledger.take({QUEUE: broker_lists(QUEUE)}) == []
    assert deliveries(runner.ledger, "j", "0", "1", "2") == [0, 0, 0]


def test_what_hangs_alone_counts_twice(runner: BatchRunner, job: Job) -> None:
    at = replace(opened(runner, job), token="0:0:10:1")
    assert claim(runner.ledger, at, "w") is Claim.RUN
    lease = Lease(runner.ledger, at, "w")
    assert lease.begin_alone("1") == 0
    lease.begin()
    lease.keep()
    deadline = time.monotonic() + 10
    while deliveries(runner.ledger, "j", "1") == [1]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    lease.leave()
    assert deliveries(runner.ledger, "j", "1") == [2]


def test_what_raises_the_unforeseen_counts_as_a_death(runner: BatchRunner, job: Job) -> None:
    at = opened(runner, job)

    def fail(batch: Batch, lease: Lease) -> BatchResult:
        begin(runner.ledger, lease.at, [line.id for line in batch.lines], "w")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        runner.run(at, fail)
    assert deliveries(runner.ledger, "j", "0", "1", "2") == [1, 1, 1]


def test_nothing_is_stored_of_a_job_that_was_cancelled_meanwhile(
    runner: BatchRunner, job: Job
) -> None:
    at = opened(runner, job)

    def cancelled(batch: Batch, lease: Lease) -> BatchResult:
        end_round(runner.storage, runner.ledger, "j", End(state=JobState.CANCELLED, round=1))
        return speak(batch, lease)

    with pytest.raises(Stopped, match="cancelled"):
        runner.run(at, cancelled)
    assert list(runner.storage.keys(Keys.results("j", 1))) == []


def test_a_message_of_a_job_that_redis_forgot_puts_it_back_to_work(
    runner: BatchRunner, job: Job, redis_url: str
) -> None:
    at = opened(runner, job)
    with redis.from_url(redis_url) as server:
        server.flushall()
    assert runner.run(at, speak) == "3 lines, 3 spoken, 0 failed, 0% padding"
    assert done(runner) == 3


def test_a_message_of_a_job_that_never_was_does_nothing(runner: BatchRunner) -> None:
    at = Address(job="nobody", round=1, token="0:0:10:60", queue=QUEUE)
    assert runner.run(at, never) == "nothing to do"
    assert runner.ledger.standings.snapshot("nobody") is None


def test_a_voice_that_kills_its_workers_is_given_up(runner: BatchRunner, job: Job) -> None:
    digest = "ab" * 32
    cast = {"speaker": Role(clone=digest)}
    at = opened(runner, job.model_copy(update={"cast": cast}), "extraction.tone")
    for _ in range(3):
        runner.ledger.deliver_again("j", "extraction 0")
    install(Context(runner=runner, engines=Residency(Catalogue())))
    extract(**asdict(at))
    result = BatchResult.model_validate_json(runner.storage.get(Keys.result("j", 1, 0)))
    assert result.error
    assert result.error.code == "given_up"


@pytest.fixture
def reconciler(runner: BatchRunner, redis_url: str) -> Iterator[Reconciler]:
    app = make_app(redis_url)
    publisher = Publisher(app, runner.ledger)
    heartbeat = Heartbeat(app, runner.ledger, publisher, record())
    yield Reconciler(runner.storage, runner.ledger, heartbeat, runner.access.installation)
    app.close()


def test_jobs_that_redis_forgot_are_put_back_whatever_else_lies_there(
    runner: BatchRunner, job: Job, reconciler: Reconciler
) -> None:
    runner.storage.create(Keys.open("a-submission-broke-off"), b"")
    runner.storage.create(Keys.open("b-damaged"), b"")
    runner.storage.create(Keys.job("b-damaged"), b"{")
    runner.storage.create(Keys.job("j"), job.model_dump_json().encode())
    create_first_round(runner.storage, job)
    reconciler.step()
    (told,) = runner.ledger.events.past("j", "0-0")
    assert told[1] == {"event": "state", "state": "queued"}
    assert runner.ledger.standings.snapshot("a-submission-broke-off") is None


def test_a_redis_that_stands_as_it_was_gives_up_jobs_that_have_ended_or_are_gone(
    runner: BatchRunner, job: Job, reconciler: Reconciler
) -> None:
    gone = job.model_copy(update={"id": "gone"})
    for one in (job, gone):
        runner.storage.create(Keys.job(one.id), one.model_dump_json().encode())
        put_to_work(runner.storage, runner.ledger, one)
    runner.ledger.crew.beat(record())
    assert runner.ledger.at_work([QUEUE]) == {"j", "gone"}
    # What came after the state to which Redis went back.
    end = End(state=JobState.CANCELLED, round=1)
    runner.storage.create(Keys.end("j", 1), end.model_dump_json().encode())
    for key in [Keys.open("j"), Keys.open("gone"), *runner.storage.keys(Keys.job_folder("gone"))]:
        runner.storage.delete(key)
    reconciler.step()
    assert runner.ledger.at_work([QUEUE]) == set()
    known = runner.ledger.standings.snapshot("j")
    assert known and known.state is JobState.CANCELLED
    assert runner.ledger.standings.snapshot("gone") is None


def test_lines_that_a_worker_of_an_earlier_release_left_are_given_up(
    runner: BatchRunner, job: Job, reconciler: Reconciler, redis_url: str
) -> None:
    runner.storage.create(Keys.job("j"), job.model_dump_json().encode())
    put_to_work(runner.storage, runner.ledger, job)
    end_round(runner.storage, runner.ledger, "j", End(state=JobState.CANCELLED, round=1))
    runner.ledger.crew.beat(record())
    with redis.from_url(redis_url) as server:
        for ended in ("j", "gone"):
            server.hset("dubbing:backlog", f"{QUEUE}|{ended}", "1700000000.5|3")
        reconciler.step()
        assert not server.exists("dubbing:backlog")

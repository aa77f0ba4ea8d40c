"""A worker whose own storage fails, beside workers whose storage works."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import s3_server as s3
from installations import access
from ledgers import claim
from proxy import Answer, Proxy, proxy_before
from services import PLUGINS
from system import System, numbered, script, stored_job

from dubbing.errors import NotFound, StorageUnavailable
from dubbing.jobs import access as access_module
from dubbing.jobs import batch_work
from dubbing.jobs.batch_work import SETBACKS, BatchRunner
from dubbing.jobs.lease import Lease
from dubbing.jobs.rounds import create_first_round, put_to_work
from dubbing.ledger import Address, Claim, Ledger, WorkerRecord, WorkerState
from dubbing.planning.plan import Batch
from dubbing.planning.result import BatchResult
from dubbing.storage import S3Options, Storage
from dubbing.storage import s3 as storage_module
from dubbing.storage.keys import Keys

QUEUE = "synthesis.tone"


@pytest.fixture
def proxy(s3_options: S3Options) -> Iterator[Proxy]:
    assert s3_options.endpoint
    with proxy_before(s3_options.endpoint) as proxy:
        yield proxy


def forged(method: str, path: str) -> Answer:
    """Every request is one with a wrong secret."""
    return Answer.FORGED


def passed(method: str, path: str) -> Answer:
    return Answer.PASS


class Unfilled:
    """Publishes nothing: the tests hand batches over themselves."""

    def fill(self, queues: Sequence[str]) -> int:
        return 0


@pytest.fixture
def pair(
    proxy: Proxy, s3_options: S3Options, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[BatchRunner, BatchRunner]:
    """Processes of two workers; the storage of the first is behind the proxy."""
    monkeypatch.setattr(batch_work, "AWAY_SECONDS", 0.0)
    monkeypatch.setattr(access_module, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(storage_module, "RETRY_SECONDS", 0.2)
    url = f"s3://{s3.BUCKETS[0]}/{uuid.uuid4().hex}"
    behind = replace(s3_options, endpoint=proxy.url)
    storages = [Storage.at(url, options) for options in (behind, s3_options)]
    sick, well = (
        BatchRunner(
            storage=storage,
            ledger=Ledger(redis_url),
            publisher=Unfilled(),
            access=access(storage, redis_url),
            worker=worker,
            pause=0.0,
        )
        for storage, worker in zip(storages, ("sick", "well"), strict=True)
    )
    job = stored_job("j", *numbered("Line", 3), engine="tone")
    well.storage.create(Keys.job("j"), job.model_dump_json().encode())
    create_first_round(well.storage, job)
    put_to_work(well.storage, well.ledger, job)
    return sick, well


def never(batch: Batch, lease: Lease) -> BatchResult:
    raise AssertionError("this batch cannot be read")


def taken(runner: BatchRunner) -> Address:
    """Return the one batch of the job, which may be taken now."""
    (at,) = runner.ledger.take({QUEUE: []})
    return at


@pytest.mark.parametrize("answer", [Answer.FORGED, Answer.UNAVAILABLE])
def test_a_batch_does_not_suffer_for_the_worker_that_cannot_use_storage(
    pair: tuple[BatchRunner, BatchRunner], proxy: Proxy, answer: Answer
) -> None:
    sick, well = pair
    asked: list[str] = []

    def note(method: str, path: str) -> Answer:
        asked.extend([path] if "/jobs/" in path else [])
        return answer

    proxy.answer = note
    counts = set()
    for _ in range(2 * SETBACKS):
        with pytest.raises(StorageUnavailable):
            sick.run(taken(sick), never)
        assert sick.access.fault
        counts.add(len(asked))
    # Once it is known, no request is made for a batch.
    assert len(counts) == 1
    proxy.answer = passed
    deadline = time.monotonic() + 20
    while sick.access.fault:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    at = taken(well)
    assert claim(well.ledger, at, "well") is Claim.RUN
    assert Lease(well.ledger, at, "well").set_back(StorageUnavailable("one hitch")) == 1


def test_what_fails_though_storage_works_counts_for_the_batch(
    pair: tuple[BatchRunner, BatchRunner],
) -> None:
    _, well = pair

    def fail(batch: Batch, lease: Lease) -> BatchResult:
        raise StorageUnavailable("this object cannot be written")

    for _ in range(SETBACKS - 1):
        with pytest.raises(StorageUnavailable):
            well.run(taken(well), fail)
    assert well.run(taken(well), fail) == "3 lines, 0 spoken, 3 failed, 0% padding"
    assert not well.access.fault
    assert not well.access.lost(NotFound("no such plan"))
    assert not well.storage.exists(Keys.PROBE)


def test_a_probe_ends_before_a_batch_is_taken_to_hang(proxy: Proxy, s3_options: S3Options) -> None:
    storage = Storage.at("s3://dubbing", replace(s3_options, endpoint=proxy.url)).impatient()
    proxy.answer = lambda method, path: Answer.SILENCE
    begun = time.monotonic()
    with pytest.raises(StorageUnavailable):
        storage.replace("x", b"")
    assert time.monotonic() - begun < 10


def test_a_worker_with_a_wrong_secret_stands_aside_until_its_storage_works(
    tmp_path: Path, proxy: Proxy, s3_options: S3Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    options = s3.settings(s3_options)
    with System(tmp_path / "home", slots=1, **options) as system:
        system.ready()
        system._workers["sick"] = system.launch("faulty", DUBBING_S3_ENDPOINT=proxy.url)
        system.ready(3)
        job = script("poisoned", *numbered("Poisoned", 24, "<slow:0.05>"))
        proxy.answer = forged
        system.client.submit(job)
        system.wait("poisoned")
        assert system.whole(job)
        assert set(system.spoken(job).values()) == {1}
        (sick,) = erring(system)
        assert "SignatureDoesNotMatch" in "".join(sick.errors)
        assert sick.queues == ()
        assert system.log("faulty").count("this process takes no work") == 1
        assert system.log("faulty").count("is left to others") <= 3
        proxy.answer = passed
        system.ready(3)


def erring(system: System) -> list[WorkerRecord]:
    """Return the workers that take no work for an error, once there are any."""

    def found() -> list[WorkerRecord]:
        workers = system.client.fleet.workers()
        return [worker for worker in workers if worker.state is WorkerState.ERROR]

    system.until(found, "an error")
    return found()

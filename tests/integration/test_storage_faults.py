"""A bucket that answers 503, hangs, refuses or is slow: what is waited for and what is reported."""

from __future__ import annotations

import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pytest
import redis
import s3_server as s3
from console import Console
from installations import access
from proxy import Answer, Proxy, proxy_before
from services import PLUGINS
from system import System, numbered, script

from dubbing.assembly.report import Report
from dubbing.client import Client
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.residency import Residency
from dubbing.errors import BadInput, StorageUnavailable
from dubbing.job import JobState, Output
from dubbing.jobs.batch_work import LONGEST_PAUSE, PAUSE_SECONDS, SETBACKS, BatchRunner
from dubbing.jobs.lease import Lease
from dubbing.jobs.status import Status
from dubbing.ledger import Ledger
from dubbing.planning.outcome import gather
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings
from dubbing.storage import S3Options, Storage
from dubbing.storage import s3 as storage_module
from dubbing.storage.keys import Keys
from dubbing.system import System as Installation
from tasks.assembly import assemble
from tasks.context import Context, install
from tasks.speech import extract, synthesize

PLACE = f"s3://{s3.BUCKETS[1]}/results"
"""Where jobs may have results delivered to."""
TASKS = {"synthesis.tone": synthesize, "extraction.tone": extract, "assembly": assemble}


@pytest.fixture
def proxy(s3_options: S3Options) -> Iterator[Proxy]:
    assert s3_options.endpoint
    with proxy_before(s3_options.endpoint) as proxy:
        yield proxy


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket that does not answer is given up soon."""
    monkeypatch.setattr(storage_module, "REQUEST_SECONDS", 1.0)


@pytest.fixture
def bucket(proxy: Proxy, s3_options: S3Options, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """An empty prefix of a bucket behind the proxy, soon given up when it is busy."""
    monkeypatch.setattr(storage_module, "RETRY_SECONDS", 0.2)
    url = f"s3://{s3.BUCKETS[0]}/{uuid.uuid4().hex}"
    return Storage.at(url, replace(s3_options, endpoint=proxy.url, targets=[PLACE]))


def test_a_first_call_waits_out_a_few_busy_answers(bucket: Storage, proxy: Proxy) -> None:
    def busy_at_first(method: str, path: str) -> Answer:
        return Answer.UNAVAILABLE if proxy.failed < 3 else Answer.PASS

    proxy.answer = busy_at_first
    bucket.greet()
    assert proxy.failed == 3


@dataclass(frozen=True, kw_only=True)
class CountingRunner(BatchRunner):
    """A worker's runner that counts the batches that it hands back when storage fails."""

    setbacks: Counter[str] = field(default_factory=Counter)

    def _hand_back(self, lease: Lease, exc: Exception) -> None:
        self.setbacks[type(exc).__name__] += isinstance(exc, StorageUnavailable)
        super()._hand_back(lease, exc)


class Hand:
    """Takes batches to a worker's runner in this process, as fast as they may be taken."""

    def __init__(self, storage: Storage, redis_url: str) -> None:
        self._runner = CountingRunner(
            storage=storage,
            ledger=Ledger(redis_url),
            publisher=self,
            access=access(storage, redis_url),
            worker="w",
            pause=0.05,
        )
        installation = Installation(Settings(redis_url=redis_url, engine="tone"))
        installation.storage, installation.publisher = storage, self
        self.client = Client(installation)
        self._context = Context(runner=self._runner, engines=Residency(Catalogue()))
        install(self._context)

    @property
    def setbacks(self) -> int:
        """How often storage has failed a batch."""
        return self._runner.setbacks.total()

    def fill(self, queues: Sequence[str]) -> int:
        """Publish nothing: what is due is taken below."""
        return 0

    def run(self, job: Manifest, *, setbacks: int = 50) -> Status:
        """Work until a job has ended, or storage has failed so often."""
        deadline = time.monotonic() + 60
        before = self.setbacks
        while not (status := self.client.status(job.id)).state.ended:
            assert time.monotonic() < deadline, status
            for queue, task in TASKS.items():
                for at in self._runner.ledger.take({queue: []}):
                    with suppress(StorageUnavailable):
                        task(**asdict(at))
                    self._context.pipeline.settle()
                    if self.setbacks - before == setbacks:
                        return status
        return status


@pytest.fixture
def hand(bucket: Storage, redis_url: str) -> Hand:
    return Hand(bucket, redis_url)


def no_writes(*marks: str) -> Callable[[str, str], Answer]:
    """Every write of a key with such a mark is answered with 503."""
    return lambda method, path: (
        Answer.UNAVAILABLE
        if method == "PUT" and any(mark in path for mark in marks)
        else Answer.PASS
    )


def errors(status: Status, storage: Storage) -> dict[str, str]:
    assert status.output
    report = Report.model_validate_json(storage.get(f"{status.output}report.json"))
    return {line.id: line.error.code for line in report.lines if line.error}


def test_an_output_that_cannot_be_stored_fails_the_job_and_a_retry_assembles_it(
    hand: Hand, proxy: Proxy
) -> None:
    proxy.answer = no_writes("/output/")
    job = script("mute", *numbered("mute", 2), engine="tone")
    hand.client.submit(job)
    status = hand.run(job)
    assert (status.state, hand.setbacks) == (JobState.FAILED, SETBACKS - 1)
    assert status.error
    assert status.error.code == "storage_unavailable"
    proxy.answer = lambda method, path: Answer.PASS
    hand.client.retry("mute")
    assert hand.run(job).state is JobState.COMPLETED


def refusing_results(method: str, path: str) -> Answer:
    """No file of a job's results may be delivered."""
    return Answer.FORGED if method != "GET" and "/results/dub" in path else Answer.PASS


def test_a_place_that_refuses_results_fails_the_job_and_a_retry_only_delivers_them(
    hand: Hand, proxy: Proxy, bucket: Storage
) -> None:
    proxy.answer = refusing_results
    job = script("refused", *numbered("refused", 2), engine="tone", output=Output(to=PLACE))
    hand.client.submit(job)
    status = hand.run(job)
    assert (status.state, status.failed, status.output) == (JobState.FAILED, 0, None)
    assert status.error
    assert status.error.code == "bad_input"
    assert status.error.message.startswith(f"{PLACE}: results cannot be written here: ")
    assert "DUBBING_S3_SECRET_ACCESS_KEY" in status.error.message

    # Not even a moment without an answer completes the job before its results are there.
    proxy.answer = no_writes("/results/dub.srt")
    hand.client.retry("refused")
    assert not hand.run(job, setbacks=1).state.ended
    proxy.answer = lambda method, path: Answer.PASS
    assert hand.run(job).state is JobState.COMPLETED
    there = Storage.at(PLACE, replace(bucket.s3, endpoint=proxy.url))
    assert sorted(there.keys("")) == ["dub.flac", "dub.srt", "report.html", "report.json"]
    assert [line.round for line in gather(bucket, "refused", 2).values()] == [1, 1]


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_stored(
    hand: Hand, proxy: Proxy, bucket: Storage
) -> None:
    def asked(to: str) -> Manifest:
        return script("unwritten", "A line.", engine="tone", output=Output(to=to))

    with pytest.raises(BadInput, match=r"^s3://other/else: .*add s3://other/else to DUBBING_GRAN"):
        hand.client.preview(asked("s3://other/else"))
    with pytest.raises(BadInput, match="the installation's own storage lies here"):
        hand.client.submit(asked(f"{bucket.url}/jobs"))
    proxy.answer = lambda method, path: Answer.FORGED if "probe" in path else Answer.PASS
    with pytest.raises(BadInput, match=rf"^{PLACE}: results cannot be written here: "):
        hand.client.submit(asked(PLACE))
    assert list(bucket.keys("jobs/")) == []


def test_clips_that_cannot_be_stored_are_reported_on_their_lines_and_retried(
    hand: Hand, bucket: Storage, proxy: Proxy
) -> None:
    job = script("partial", *numbered("Partial", 3))
    asked: list[str] = []

    def after_the_first(method: str, path: str) -> Answer:
        if method != "PUT" or "/clips/" not in path:
            return Answer.PASS
        asked.append(path)
        return Answer.PASS if path == asked[0] else Answer.UNAVAILABLE

    proxy.answer = after_the_first
    hand.client.submit(job)
    status = hand.run(job)
    assert hand.setbacks == SETBACKS - 1
    assert (status.state, status.done, status.failed) == (JobState.FAILED, 3, 3)
    assert errors(status, bucket) == dict.fromkeys("012", "storage_unavailable")

    proxy.answer = lambda method, path: Answer.PASS
    hand.client.retry("partial")
    status = hand.run(job)
    assert (status.state, status.round, status.failed) == (JobState.COMPLETED, 2, 0)
    assert errors(status, bucket) == {}
    # What was stored before the outage is not spoken again.
    attempts = [outcome.result.attempts for outcome in gather(bucket, "partial", 2).values()]
    assert sorted(attempts) == [0, 1, 1]


def test_an_outage_of_everything_is_waited_for(hand: Hand, bucket: Storage, proxy: Proxy) -> None:
    job = script("total", *numbered("Total", 3))
    hand.client.submit(job)
    proxy.answer = no_writes("/clips/", "/results/")
    hand.run(job, setbacks=SETBACKS + 2)
    assert list(bucket.keys(Keys.results("total", 1))) == []
    # One more hitch, when the rest is back, is not the last straw.
    proxy.answer = no_writes("/clips/")
    hand.run(job, setbacks=1)
    proxy.answer = lambda method, path: Answer.PASS
    status = hand.run(job)
    assert (status.state, status.failed) == (JobState.COMPLETED, 0)
    assert errors(status, bucket) == {}


def test_each_rest_is_longer_up_to_a_minute_and_no_two_are_the_same(hand: Hand) -> None:
    runner = replace(hand._runner, pause=PAUSE_SECONDS)
    for setbacks, longest in ((1, 5), (2, 10), (3, 20), (4, 40), (5, LONGEST_PAUSE), (2000, 60)):
        pauses = {runner._pause(setbacks) for _ in range(50)}
        assert len(pauses) > 1
        assert longest / 2 <= min(pauses) <= max(pauses) <= longest


def test_a_bucket_that_never_answers_is_reported_within_bounds(
    hasty: None, hand: Hand, bucket: Storage, proxy: Proxy
) -> None:
    job = script("hanging", *numbered("Hanging", 3))
    hand.client.submit(job)
    proxy.answer = lambda method, path: Answer.SILENCE
    for ask in (lambda: bucket.get("x"), lambda: bucket.create("x", b"")):
        begun = time.monotonic()
        with pytest.raises(StorageUnavailable, match="x"):
            ask()
        assert time.monotonic() - begun < 2
    proxy.answer = lambda method, path: (
        Answer.SILENCE if method == "PUT" and "/clips/" in path else Answer.PASS
    )
    hand.run(job, setbacks=1)
    proxy.answer = lambda method, path: Answer.PASS
    assert hand.run(job).state is JobState.COMPLETED


def test_a_storage_that_hangs_is_reported_before_any_batch_is_taken_to_hang() -> None:
    longest = storage_module.REQUEST_SECONDS + storage_module.RETRY_SECONDS
    assert longest < min(spec.seconds_per_call for spec in Catalogue().specs().values())


def test_a_job_outlives_a_bucket_that_stumbles_is_slow_and_goes_away(
    tmp_path: Path, proxy: Proxy, s3_options: S3Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    options = s3.settings(s3_options, proxy.url)
    with System(tmp_path / "home", slots=2, **options) as system:
        stumbles = iter([Answer.UNAVAILABLE] * 4)

        def stumble(method: str, path: str) -> Answer:
            time.sleep(0.05)
            clip = method == "PUT" and "/clips/" in path
            return next(stumbles, Answer.PASS) if clip else Answer.PASS

        proxy.answer = stumble
        job = script("stumbling", *numbered("Stumbling", 8))
        system.run(job)
        assert proxy.failed == 4
        assert system.whole(job)
        assert set(system.spoken(job).values()) == {1}

        proxy.answer = lambda method, path: Answer.PASS
        job = script("away", *numbered("Away", 16, "<slow:0.1>"))
        system.client.submit(job)
        system.begun(job, 5)
        proxy.answer = lambda method, path: Answer.UNAVAILABLE
        system.until(lambda: "storage failed" in system.log("faulty"), "noticed")
        proxy.answer = lambda method, path: Answer.PASS
        system.wait("away")
        assert system.whole(job)
        assert max(system.spoken(job).values()) <= 2


def test_a_bucket_that_refuses_connections_refuses_a_submission(
    tmp_path: Path, redis_url: str
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        console = Console(
            tmp_path / "home",
            DUBBING_REDIS_URL=redis_url,
            DUBBING_STORAGE_URL="s3://dubbing/nowhere",
            DUBBING_S3_ENDPOINT=endpoint,
            DUBBING_S3_ACCESS_KEY_ID="a",
            DUBBING_S3_SECRET_ACCESS_KEY="b",
        )
        job = script("refused", *numbered("Refused", 2), engine="tone")
        (console.home / "job.json").write_text(job.model_dump_json(exclude_defaults=True))
        begun = time.monotonic()
        said = console("submit", "job.json", code=3).stderr
    assert time.monotonic() - begun < 20
    assert "storage failed" in said
    assert endpoint in said
    with redis.from_url(redis_url) as server:
        assert server.dbsize() == 0

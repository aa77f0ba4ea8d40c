"""Garbage that is collected beside a worker and a job, on a real Redis and a folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from system import stored_job
from works import LINES, Works

from dubbing.client import Client
from dubbing.errors import NotFound
from dubbing.jobs import finish as finishing
from dubbing.jobs.batch_work import BatchRunner
from dubbing.jobs.lease import Lease
from dubbing.planning.outcome import gather
from dubbing.planning.result import BatchResult
from dubbing.retention.collect import collect
from dubbing.retention.rules import OTHERS, Bound, Kind, Rules
from dubbing.settings import Settings
from dubbing.storage import Keys, Storage
from dubbing.system import System

AT_ONCE = Rules({(OTHERS, kind): Bound(age=-1.0) for kind in Kind})
"""Nothing is kept that nothing needs, however new it is."""
GOES_ON = "a newer round goes on"


@pytest.fixture
def works(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Works:
    monkeypatch.setattr(finishing, "LATE_RESULTS", (0.01,))
    settings = Settings(storage_url=str(tmp_path / "storage"), redis_url=redis_url, engine="tone")
    works = Works(Client(System(settings)))
    works.speak(1)
    assert works.finish(1) == "completed"
    return works


def clips(works: Works) -> set[str]:
    return set(works.storage.keys(Keys.CLIPS))


@pytest.mark.parametrize("rules", [Rules(), AT_ONCE])
def test_a_clip_that_a_worker_takes_again_is_used_or_spoken_again(
    works: Works, monkeypatch: pytest.MonkeyPatch, rules: Rules
) -> None:
    works.client.delete("j")
    month_ago = time.time() - 30 * 24 * 3600
    for key in clips(works):
        os.utime(Path(works.storage.url) / key, (month_ago, month_ago))
    works.client.submit(works.manifest("again"))
    settle, left = BatchRunner.settle, []

    def collect_first(
        runner: BatchRunner, lease: Lease, result: BatchResult, took: float | None = None
    ) -> BatchResult:
        """Collect when the worker has taken the clips, and stored no result that names them."""
        collect(works.storage, rules)
        left.append(len(clips(works)))
        return settle(runner, lease, result, took)

    with monkeypatch.context() as patched:
        patched.setattr(BatchRunner, "settle", collect_first)
        works.speak(1, "again")
    last = 1
    if rules is AT_ONCE:
        # Storage looked as if nobody had taken them.
        assert left == [0]
        assert works.finish(1, "again") == GOES_ON
        works.speak(last := 2, "again")
    else:
        assert left == [LINES]
    assert works.finish(last, "again") == "completed"
    assert works.whole("again")
    results = [outcome.result for outcome in gather(works.storage, "again", last).values()]
    assert {result.attempts for result in results} == {last - 1}
    assert {take.key for result in results for take in result.takes} == clips(works)


def test_a_job_of_which_all_went_that_may_go_is_listed_and_made_again_when_it_is_changed(
    works: Works, tmp_path: Path
) -> None:
    before = works.client.jobs()
    collect(works.storage, AT_ONCE)
    assert clips(works) == set()
    assert works.client.jobs() == before
    with pytest.raises(NotFound, match="were removed"):
        works.client.fetch("j", tmp_path / "out")
    works.client.mend("j", "0", {"text": "Another line."})
    works.speak(2)
    assert works.finish(2) == "completed"
    assert works.whole()
    assert [path.name for path in works.client.fetch("j", tmp_path / "out")]


def test_plans_that_go_while_another_round_begins_are_made_good(works: Works) -> None:
    works.client.mend("j", "0", {"text": "Another line."})
    for key in (Keys.plan("j", 1), Keys.result("j", 1, 0)):
        works.storage.delete(key)
    works.speak(2)
    assert works.finish(2) == GOES_ON
    works.speak(3)
    assert works.finish(3) == "completed"
    assert works.whole()


def test_a_bucket_is_swept_as_a_folder_is(storage: Storage) -> None:
    digest = "ab" * 32
    job = stored_job("kept", "Line 1.", media=Keys.media(digest))
    storage.create(Keys.job(job.id), job.as_stored())
    named, garbage = (Keys.clip(f"{n:02x}" * 32) for n in range(2))
    storage.create(Keys.result(job.id, 1, 0), f'{{"key": "{named}"}}'.encode())
    for key in (named, garbage, Keys.media(digest), Keys.media("cd" * 32)):
        storage.create(key, b"sound")
    found = collect(storage, AT_ONCE)
    assert [(one.kind, one.objects) for one in found.removed] == [(Kind.CLIPS, 1), (Kind.MEDIA, 1)]
    assert [*storage.keys(Keys.CLIPS), *storage.keys(Keys.MEDIA)] == [named, Keys.media(digest)]
    assert not [*storage.keys("media-deletions/"), *storage.keys(Keys.COLLECTING)]

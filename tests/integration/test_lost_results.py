"""Results that storage lost, damages or shows late, on a real Redis and a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from works import LINES, Works

from dubbing.client import Client
from dubbing.errors import ResultUnreadable
from dubbing.jobs import finish as finishing
from dubbing.jobs.batch_work import Lease
from dubbing.jobs.rounds import put_to_work
from dubbing.jobs.store import load_job
from dubbing.planning.outcome import gather
from dubbing.settings import Settings
from dubbing.system import System

GOES_ON = "a newer round goes on"


@pytest.fixture
def works(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Works:
    # The waiting itself has a test of its own below.
    monkeypatch.setattr(finishing, "LATE_RESULTS", (0.01,))
    settings = Settings(storage_url=str(tmp_path / "storage"), redis_url=redis_url, engine="tone")
    return Works(Client(System(settings)))


@pytest.mark.parametrize("damage", [None, b"", b'{"batch": 0, "wor', b"[]", b'{"batch": 7}'])
def test_lines_whose_result_is_lost_are_asked_for_again_and_never_missing(
    works: Works, damage: bytes | None
) -> None:
    works.speak(1)
    if damage is None:
        works.result(1).unlink()
    else:
        works.result(1).write_bytes(damage)
    assert works.finish(1) == GOES_ON
    works.speak(2)
    assert works.finish(2) == "completed"
    assert works.whole()
    outcomes = gather(works.storage, "j", 2).values()
    assert [outcome.result.attempts for outcome in outcomes] == [0] * LINES


def test_a_result_that_storage_shows_late_is_waited_for(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "LATE_RESULTS", (0.01, 0.01, 0.01))
    works.speak(1)
    hidden = works.result(1).rename(works.result(1).with_suffix(".late"))
    looks = []

    def look(lease: Lease) -> None:
        looks.append(lease)
        if len(looks) == 2:
            hidden.rename(works.result(1))

    monkeypatch.setattr(Lease, "check", look)
    assert works.finish(1) == "completed"
    assert works.whole()


def test_a_result_that_was_damaged_before_redis_forgot_the_job_is_made_again(
    works: Works, redis_url: str
) -> None:
    works.speak(1)
    works.result(1).write_bytes(b'{"batch": 0, "wor')
    with redis.from_url(redis_url) as server:
        server.flushall()
    put_to_work(works.storage, works.client.ledger, load_job(works.storage, "j"))
    assert works.client.status("j").done == 0
    works.speak(1)
    assert works.finish(1) == "completed"
    assert works.whole()


def test_a_storage_that_keeps_losing_results_fails_the_job_after_three_repairs(
    works: Works,
) -> None:
    ends = []
    for round_ in (1, 2, 3, 4):
        works.speak(round_)
        works.result(round_).unlink()
        ends.append(works.finish(round_))
    assert ends == [*[GOES_ON] * 3, "failed"]
    error = works.client.status("j").error
    assert error
    assert error.code == ResultUnreadable.code

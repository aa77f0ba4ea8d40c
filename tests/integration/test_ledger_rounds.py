"""Rounds in the ledger on a real Redis: opened, replaced, rebuilt and ended."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from ledgers import (
    EXTRACTION,
    begin,
    claim,
    complete,
    deliveries,
    job,
    numbers,
    refs,
    snapshot,
    take,
    take_and_claim,
)

from dubbing.job import JobState
from dubbing.ledger import Claim, Ledger


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    with redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def test_a_round_is_opened_once(ledger: Ledger) -> None:
    assert ledger.open_round(job(), 1, refs(3))
    take_and_claim(ledger)
    assert not ledger.open_round(job(), 1, refs(3))
    assert take(ledger) == []
    assert snapshot(ledger)[0] is JobState.SYNTHESIZING


def test_a_higher_round_replaces_the_one_before(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(10))
    running, waiting = take(ledger)
    claim(ledger, running, "a")
    begin(ledger, running, ["1"])
    assert ledger.open_round(job(), 2, refs(1, first=4))
    assert not ledger.open_round(job(), 1, refs(10))
    assert ledger.renew(running, "a") is False
    assert claim(ledger, waiting, "a") is Claim.OVER
    assert complete(ledger, running) == []
    assert deliveries(ledger, "j", "1") == [0]
    (at,) = take(ledger)
    assert (at.round, at.number) == (2, 4)
    ledger.end("j", 1, JobState.FAILED)
    assert snapshot(ledger) == (JobState.QUEUED, 0, 0, 0)


def test_a_rebuilt_round_goes_on_where_its_results_end(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(4), results={0: 1, 2: 0})
    assert snapshot(ledger) == (JobState.SYNTHESIZING, 4, 1, 2)
    one, three = take_and_claim(ledger)
    assert [one.number, three.number] == [1, 3]
    complete(ledger, one)
    assert complete(ledger, three) == ["assembly"]


def test_a_rebuilt_round_with_every_result_only_lacks_assembly(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(2), results={0: 0, 1: 0})
    assert take(ledger) == []
    assert len(take(ledger, "assembly")) == 1


def test_an_ended_job_leaves_nothing_but_what_watchers_read(
    ledger: Ledger, server: redis.Redis
) -> None:
    plan = refs(3) + refs(1, queue=EXTRACTION, first=3)
    ledger.open_round(job(), 1, [*plan, *refs(3, needs=3, first=4)])
    running, _ = take(ledger)
    take(ledger, EXTRACTION)
    claim(ledger, running, "a")
    begin(ledger, running, ["1", "2"])
    ledger.end("j", 1, JobState.CANCELLED)
    assert ledger.renew(running, "a") is False
    assert complete(ledger, running) == []
    kept = ["dubbing:job:j", "dubbing:job:j:events"]
    assert sorted(server.keys()) == [*kept, "dubbing:totals"]
    assert all(0 < server.ttl(key) <= 3600 for key in kept)
    assert snapshot(ledger)[0] is JobState.CANCELLED


def test_ending_one_job_leaves_its_tenants_others_their_turns(ledger: Ledger) -> None:
    ledger.open_round(job("a"), 1, refs(3))
    ledger.open_round(job("b"), 1, refs(3))
    ledger.end("b", 1, JobState.CANCELLED)
    assert [at.job for at in take(ledger)] == ["a", "a"]


def test_a_job_that_is_opened_again_is_kept(ledger: Ledger, server: redis.Redis) -> None:
    ledger.open_round(job(), 1, refs(1))
    ledger.end("j", 1, JobState.FAILED)
    ledger.open_round(job(), 2, refs(1))
    assert server.ttl("dubbing:job:j") == -1
    assert server.ttl("dubbing:job:j:events") == -1


def test_a_job_of_ten_thousand_batches_opens_in_one_call(ledger: Ledger) -> None:
    begun = time.monotonic()
    assert ledger.open_round(job(), 1, refs(10_000))
    assert time.monotonic() - begun < 5
    assert numbers(take(ledger)) == [("j", 0), ("j", 1)]
    ledger.end("j", 1, JobState.CANCELLED)


def test_what_is_counted_late_of_a_job_that_ended_leaves_nothing(
    ledger: Ledger, server: redis.Redis
) -> None:
    ledger.open_round(job(), 1, refs(1))
    ledger.end("j", 1, JobState.CANCELLED)
    left = set(server.keys())
    assert deliveries(ledger, "j", "1", "2") == [0, 0]
    assert ledger.deliver_again("j", "1") == 0
    assert set(server.keys()) == left


@pytest.mark.parametrize("lost", ["j", "j:queues", "j:held"])
def test_of_a_job_that_redis_lost_in_part_an_end_leaves_only_its_state_and_events(
    ledger: Ledger, server: redis.Redis, lost: str
) -> None:
    ledger.open_round(
        job(), 1, [*refs(1, queue=EXTRACTION), *refs(2, first=1, needs=0), *refs(1, first=3)]
    )
    server.delete(f"dubbing:job:{lost}")
    ledger.end("j", 1, JobState.CANCELLED)
    assert set(server.keys("dubbing:job:j*")) <= {"dubbing:job:j", "dubbing:job:j:events"}
    assert not server.exists("dubbing:backlog")
    ledger.forget("j")
    assert not server.keys("dubbing:job:j*")


def test_a_job_that_is_forgotten_before_its_end_leaves_nothing(
    ledger: Ledger, server: redis.Redis
) -> None:
    ledger.open_round(job(), 1, refs(3))
    server.delete("dubbing:job:j:queues")
    ledger.forget("j")
    assert not server.keys("dubbing:job:j*")


def test_whole_jobs_end_and_are_forgotten_without_a_scan_of_all_keys(
    ledger: Ledger, server: redis.Redis
) -> None:
    server.config_resetstat()
    for name in ("a", "b"):
        ledger.open_round(job(name), 1, refs(3))
        take_and_claim(ledger)
    for name in ("a", "b"):
        ledger.end(name, 1, JobState.CANCELLED)
        ledger.forget(name)
    ledger.forget("long-ended")
    assert "cmdstat_scan" not in server.info("commandstats")


def test_a_new_round_counts_no_lines_of_a_round_whose_queues_redis_lost(
    ledger: Ledger, server: redis.Redis
) -> None:
    ledger.open_round(job(), 1, refs(2))
    server.delete("dubbing:job:j:queues")
    ledger.open_round(job(), 2, refs(1, queue=EXTRACTION))
    assert server.hkeys("dubbing:backlog") == [f"{EXTRACTION}|j"]
    assert server.keys("dubbing:job:j:todo:*") == [f"dubbing:job:j:todo:{EXTRACTION}"]

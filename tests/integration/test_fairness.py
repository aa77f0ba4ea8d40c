"""Turns, depth, and who goes ahead: the ledger on a real Redis."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace

import pytest
from console import wait_until
from ledgers import (
    EXTRACTION,
    QUEUE,
    claim,
    complete,
    depth,
    job,
    numbers,
    record,
    refs,
    take,
    work_off,
)

from dubbing.ledger import Ledger
from dubbing.queue.publisher import LATE, STEPS, Publisher, broker_lists, make_app


def test_a_queue_is_filled_to_twice_its_slots(ledger: Ledger) -> None:
    ledger.crew.beat(record(slots=3))
    ledger.open_round(job(), 1, refs(20))
    first = take(ledger)
    assert numbers(first) == [("j", n) for n in range(6)]
    assert take(ledger) == []
    claim(ledger, first[0], "a")
    claim(ledger, first[1], "b")
    assert numbers(take(ledger)) == [("j", 6), ("j", 7)]


def test_a_queue_without_workers_holds_two_messages(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(20))
    assert len(take(ledger)) == 2


def test_a_worker_that_left_has_no_slots(ledger: Ledger) -> None:
    ledger.crew.beat(record(slots=8, name="gone"))
    ledger.crew.leave(record(slots=8, name="gone"))
    ledger.crew.beat(record(slots=2))
    ledger.open_round(job(), 1, refs(20))
    assert len(take(ledger)) == 4
    assert [worker.name for worker in ledger.crew.workers()] == ["w@h"]


def test_tenants_take_turns_and_then_their_jobs(ledger: Ledger) -> None:
    ledger.open_round(job("big", "x"), 1, refs(50))
    ledger.open_round(job("a", "y"), 1, refs(2))
    ledger.open_round(job("b", "y"), 1, refs(2))
    ledger.crew.beat(record(slots=4))
    found = [at.job for at in take(ledger)]
    # New jobs stand at the head: b before a, and y before x.
    assert found == ["b", "big", "a", "big", "b", "big", "a", "big"]


def test_a_new_job_is_next(ledger: Ledger) -> None:
    ledger.open_round(job("old"), 1, refs(50))
    take_some = take(ledger)
    ledger.open_round(job("new"), 1, refs(1))
    claim(ledger, take_some[0], "a")
    assert numbers(take(ledger)) == [("new", 0)]


def test_a_tenant_with_fifty_jobs_does_not_slow_a_tenant_with_one(ledger: Ledger) -> None:
    ledger.crew.beat(record(slots=2))
    for n in range(50):
        ledger.open_round(job(f"big{n}", "big"), 1, refs(10))
    published = take(ledger)
    ledger.open_round(job("small", "small"), 1, refs(10))
    begun = [at.job for at in work_off(ledger, published)][len(published) :]
    # Every other batch is the small tenant's, whatever the other one has.
    assert Counter(begun[:20])["small"] == 10
    assert len(begun) == 506


def test_the_jobs_of_one_tenant_share_its_turns(ledger: Ledger) -> None:
    for n in range(10):
        ledger.open_round(job(f"j{n}"), 1, refs(20))
    begun = Counter(at.job for at in work_off(ledger)[:100])
    # One that had its turn may have another before the last new ones have their first.
    assert len(begun) == 10
    assert set(begun.values()) <= {9, 10, 11}


def test_a_batch_that_comes_late_is_sent_ahead_of_the_new_ones(redis_url: str) -> None:
    ledger = Ledger(redis_url)
    publisher = Publisher(make_app(redis_url), ledger)
    late = broker_lists(QUEUE)[STEPS.index(LATE)]
    ledger.open_round(job(), 1, refs(9))
    (lost, _) = take(ledger)
    claim(ledger, lost, "dead")
    publisher.fill([QUEUE])
    assert not depth(ledger, [late])
    # Its lease ends at once.
    assert Ledger(redis_url, lease=0.0).renew(lost, "dead")
    wait_until(lambda: publisher.fill([QUEUE]), seconds=5, what="sent again")
    assert depth(ledger, [late]) == 1


def test_small_batches_of_a_job_go_together_up_to_a_full_one(ledger: Ledger) -> None:
    ledger.open_round(job("done"), 1, refs(1))
    (full,) = take(ledger)
    claim(ledger, full, "a")
    complete(ledger, full)
    ledger.open_round(job("big"), 1, refs(10))
    published = take(ledger)
    ledger.open_round(job("small"), 1, [replace(ref, lines=1) for ref in refs(3)])
    claim(ledger, published[0], "a")
    assert numbers(take(ledger)) == [("small", 0), ("small", 1)]
    claim(ledger, published[1], "b")
    assert take(ledger) == [], "they count as they are for the depth"


def test_the_depth_is_that_of_all_workers_and_stays_whatever_the_backlog(ledger: Ledger) -> None:
    ledger.crew.beat(record(slots=2, name="a"))
    ledger.crew.beat(record(slots=3, name="b"))
    for n in range(20):
        ledger.open_round(job(f"j{n}"), 1, refs(200))
    published = len(take(ledger))
    assert published == 10
    ledger.crew.beat(record(slots=1, name="c"))
    assert len(take(ledger)) == 2


def test_batches_of_two_queues_do_not_take_each_others_room(ledger: Ledger) -> None:
    plan = refs(50) + refs(50, queue=EXTRACTION, first=50)
    ledger.open_round(job(), 1, plan)
    assert len(take(ledger)) == 2
    assert len(take(ledger, EXTRACTION)) == 2


def test_requests_go_ahead_some_times_a_slot_until_a_batch_is_begun(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(9))
    for slots in (1, 3):
        ledger.crew.beat(record(slots=slots))
        waiting = take(ledger)
        assert [ledger.requests.express(QUEUE) for _ in range(4 * slots)] == [True] * 4 * slots
        assert not ledger.requests.express(QUEUE)
        assert not ledger.requests.express(QUEUE)
        claim(ledger, waiting[0], "a")
    assert ledger.requests.express(QUEUE)


def test_requests_need_not_wait_where_no_batch_does(ledger: Ledger) -> None:
    ledger.crew.beat(record(slots=1))
    assert all(ledger.requests.express(QUEUE) for _ in range(20))


@pytest.mark.parametrize("tenant", ["default", "tenant{}"], ids=["jobs", "tenants"])
def test_a_stream_of_new_ones_starves_none_that_was_there(ledger: Ledger, tenant: str) -> None:
    ledger.crew.beat(record(slots=1))
    ledger.open_round(job("bulk"), 1, refs(120))
    waiting, begun = deque(take(ledger)), list[str]()
    for n in range(120):
        ledger.open_round(job(f"new{n}", tenant.format(n)), 1, refs(1))
        waiting += take(ledger)
        at = waiting.popleft()
        claim(ledger, at, "w")
        complete(ledger, at)
        waiting += take(ledger)
        begun.append(at.job)
    assert all("bulk" in begun[n : n + 40] for n in range(80))
    assert len(set(begun)) > 60


def test_requests_to_one_engine_do_not_count_for_another(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(9))
    take(ledger)
    while ledger.requests.express(QUEUE):
        pass
    assert ledger.requests.express("synthesis.other")


def test_requests_that_wait_do_not_hide_that_a_batch_was_lost(redis_url: str) -> None:
    publisher = Publisher(make_app(redis_url), Ledger(redis_url, grace=0.0))
    publisher._ledger.open_round(job(), 1, refs(2))
    assert len(take(publisher._ledger)) == 2
    publisher.say("tone", {})
    publisher.say("tone", {})
    assert publisher.fill([QUEUE]) == 2

"""Batches that a process reserves before it begins them: the ledger on a real Redis."""

from __future__ import annotations

import time

import pytest
import redis
from console import wait_until
from ledgers import QUEUE, begin, claim, complete, deliveries, job, numbers, record, refs, take

from dubbing.job import JobState
from dubbing.ledger import Address, Audit, Claim, Ledger
from dubbing.queue import broker_lists


def following(ledger: Ledger, at: Address, owner: str = "a", **options: Address) -> Address | None:
    """Begin a batch; return the one that is reserved for its owner."""
    return ledger.begin(at, owner, ["1", "2"], broker_lists(QUEUE), **options).following


def published(ledger: Ledger, batches: int, slots: int = 1) -> list[Address]:
    """Return the batches of a job that are on the queue of so many slots."""
    ledger.crew.beat(record(slots=slots))
    ledger.open_round(job(), 1, refs(batches))
    return take(ledger)


def test_who_begins_a_batch_gets_the_next_one_reserved_and_the_queue_filled(
    ledger: Ledger,
) -> None:
    first, second = published(ledger, 5)
    begun = ledger.begin(first, "a", ["1", "2"], broker_lists(QUEUE))
    assert begun.counts == {"1": 0, "2": 0}
    assert begun.following == second
    assert numbers(begun.send) == [("j", 2)]


def test_a_reserved_batch_counts_no_delivery_and_is_counted_as_waiting(ledger: Ledger) -> None:
    first, _ = published(ledger, 3)
    begin(ledger, first, ["1", "2"])
    assert deliveries(ledger, "j", "1", "2", "3", "4") == [1, 1, 0, 0]
    assert ledger.audit(["j"]) == [Audit.SOUND]


def test_a_message_stands_for_any_batch_of_its_queue(ledger: Ledger) -> None:
    first, second, third, _ = published(ledger, 9, slots=2)
    assert following(ledger, first) == second
    # The message of the reserved batch comes to another worker, which gets one that is free.
    assert ledger.claim(second, "b") == (Claim.RUN, third)


def test_who_has_nothing_else_takes_what_another_has_reserved(ledger: Ledger) -> None:
    first, second = published(ledger, 2)
    assert following(ledger, first) == second
    assert ledger.claim(second, "b") == (Claim.RUN, second)
    assert ledger.renew(second, "a") is False
    assert begin(ledger, second, ["3", "4"], "a") is None
    assert begin(ledger, second, ["3", "4"], "b") == [0, 0]


def test_the_batch_of_the_message_is_reserved_before_others(ledger: Ledger) -> None:
    first, second, third, fourth = published(ledger, 9, slots=2)
    assert following(ledger, first) == second
    assert following(ledger, second, following=fourth) == fourth
    assert following(ledger, fourth, following=fourth) == third


def test_a_batch_that_was_reserved_by_mistake_is_left_to_others_at_once(ledger: Ledger) -> None:
    first, second = published(ledger, 2)
    assert following(ledger, first) == second
    ledger.unreserve(second, "somebody else")
    assert ledger.renew(second, "a")
    ledger.unreserve(second, "a")
    assert take(ledger) == []
    assert ledger.claim(second, "b") == (Claim.RUN, second)


def test_a_reservation_ends_unless_it_is_renewed(redis_url: str) -> None:
    ledger, hasty = Ledger(redis_url), Ledger(redis_url, lease=1.0)
    first, second = published(ledger, 2)
    assert following(hasty, first) == second
    assert ledger.renew(second, "a")
    time.sleep(1.1 * hasty.lease)
    assert following(ledger, first) is None
    assert Ledger(redis_url, lease=0.0).renew(second, "a")
    wait_until(lambda: following(ledger, first) == second, seconds=5, what="free again")


def test_a_reserved_batch_that_is_handed_back_for_later_rests_and_comes_again(
    ledger: Ledger,
) -> None:
    first, second = published(ledger, 2)
    assert following(ledger, first) == second
    ledger.release(second, "a", pause=60.0)
    assert claim(ledger, second, "b") is Claim.BUSY
    assert take(ledger) == []
    assert ledger.audit(["j"]) == [Audit.SOUND]


def test_a_batch_is_counted_whoever_had_reserved_it(ledger: Ledger) -> None:
    first, second = published(ledger, 2)
    assert following(ledger, first) == second
    complete(ledger, second)
    assert begin(ledger, second, ["3"], "a") is None
    complete(ledger, first)
    assert ledger.audit(["j"]) == [Audit.SOUND]
    assert numbers(take(ledger, "assembly")) == [("j", None)]


def test_a_message_whose_batch_its_worker_holds_brings_another_one(ledger: Ledger) -> None:
    first, second = published(ledger, 2)
    assert claim(ledger, first, "a") is Claim.RUN
    # The same claim again is the answer that was lost on the way.
    assert ledger.claim(first, "a") == (Claim.RUN, first)
    assert ledger.claim(first, "a", held=True) == (Claim.RUN, second)


@pytest.mark.parametrize("lost", ["published", "leases"])
def test_a_job_that_ends_leaves_no_owner_behind_though_redis_lost_what_was_owned(
    ledger: Ledger, redis_url: str, lost: str
) -> None:
    first, second = published(ledger, 2)
    assert following(ledger, first) == second
    with redis.Redis.from_url(redis_url, decode_responses=True) as server:
        assert server.delete(f"dubbing:{lost}:{QUEUE}")
        assert server.hlen("dubbing:owners") == 2
        ledger.end("j", 1, JobState.FAILED)
        assert server.hlen("dubbing:owners") == 0

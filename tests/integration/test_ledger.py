"""The ledger on a real Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import redis
from console import wait_until
from ledgers import (
    EXTRACTION,
    QUEUE,
    begin,
    claim,
    complete,
    deliveries,
    job,
    numbers,
    record,
    refs,
    snapshot,
    take,
    take_and_claim,
)

from dubbing.errors import QueueUnavailable
from dubbing.job import JobState
from dubbing.ledger import Address, Claim, Ledger
from dubbing.ledger.server import redact
from dubbing.planning.plan import BatchRef
from dubbing.queue import broker_lists

SHORT = 0.2
"""Seconds of a lease that a test waits for."""


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    with redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def test_a_claimed_batch_is_begun_once(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    assert snapshot(ledger)[0] is JobState.QUEUED
    assert claim(ledger, at, "a") is Claim.RUN
    assert snapshot(ledger)[0] is JobState.SYNTHESIZING
    assert claim(ledger, at, "b") is Claim.BUSY
    complete(ledger, at)
    assert claim(ledger, at, "b") is Claim.CLOSED
    ledger.end("j", 1, JobState.COMPLETED)
    assert claim(ledger, at, "b") is Claim.OVER


def test_a_batch_of_an_unknown_job_is_unknown(ledger: Ledger) -> None:
    at = Address(job="nobody", round=1, token="0:0:100:60", queue=QUEUE)
    assert claim(ledger, at, "a") is Claim.UNKNOWN
    assert ledger.renew(at, "a") is False
    assert complete(ledger, at) is None
    assert ledger.standings.snapshot("nobody") is None


def test_a_lease_that_runs_out_brings_the_batch_back_ahead_of_what_is_new(redis_url: str) -> None:
    ledger, hasty = Ledger(redis_url), Ledger(redis_url, lease=1.0)
    ledger.open_round(job("old"), 1, refs(5))
    lost, other = take(ledger)
    claim(hasty, other, "alive")
    assert ledger.renew(other, "alive")
    claim(hasty, lost, "dead")
    ledger.open_round(job("new"), 1, refs(5))
    time.sleep(1.1 * hasty.lease)
    assert ledger.renew(other, "alive")
    taken = take(ledger)
    assert numbers(taken) == [("old", 0), ("new", 0)]
    assert [at.late for at in taken] == [True, False]
    assert ledger.renew(lost, "dead") is False
    assert claim(ledger, lost, "next") is Claim.RUN


def test_a_lease_that_ran_out_can_be_claimed_at_once(redis_url: str) -> None:
    ledger = Ledger(redis_url, lease=SHORT)
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    claim(ledger, at, "dead")
    wait_until(lambda: claim(ledger, at, "next") is Claim.RUN, seconds=5, what="claimed")
    assert ledger.renew(at, "dead") is False


def test_no_lease_outlives_its_batchs_deadline(ledger: Ledger) -> None:
    (ref,) = refs(1)
    hasty = BatchRef(**{**vars(ref), "deadline": 5 * SHORT})
    ledger.open_round(job(), 1, [hasty])
    (at,) = take(ledger)
    claim(ledger, at, "hangs")
    assert ledger.renew(at, "hangs")
    wait_until(lambda: not ledger.renew(at, "hangs"), seconds=5, what="refused")
    assert numbers(take(ledger)) == [("j", 0)]


def test_a_batch_that_is_handed_back_rests_and_comes_again(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    claim(ledger, at, "a")
    ledger.release(at, "somebody else")
    assert ledger.renew(at, "a")
    ledger.release(at, "a", pause=1.0)
    assert ledger.renew(at, "a") is False
    assert claim(ledger, at, "a") is Claim.BUSY
    assert take(ledger) == []
    wait_until(lambda: numbers(take(ledger)) == [("j", 0)], seconds=5, what="published again")
    assert claim(ledger, at, "b") is Claim.RUN


def test_a_batch_is_counted_once_whoever_reports_it(redis_url: str) -> None:
    ledger = Ledger(redis_url, lease=SHORT)
    ledger.open_round(job(), 1, refs(2))
    at, _ = take(ledger)
    claim(ledger, at, "slow")
    wait_until(lambda: claim(ledger, at, "quick") is Claim.RUN, seconds=5, what="claimed")
    assert complete(ledger, at, failed=1) == []
    assert complete(ledger, at, failed=1) == []
    assert snapshot(ledger) == (JobState.SYNTHESIZING, 2, 1, 1)


def test_lines_are_counted_once_in_the_minute_in_which_they_were_done(
    ledger: Ledger, server: redis.Redis
) -> None:
    ledger.open_round(job(), 1, refs(3))
    first, second, third = take_and_claim(ledger)
    assert {*ledger.gauges.hour().done} == {0}
    for _ in range(2):
        complete(ledger, first, failed=1)
    complete(ledger, second)
    hour = ledger.gauges.hour()
    assert (sum(hour.done[-2:]), sum(hour.failed[-2:])) == (3, 1)
    assert len(hour.done) == len(hour.failed) == 60
    assert hour.since % 60 == 0
    assert 59 * 60 <= time.time() - hour.since <= 60 * 60 + 1
    # What is an hour old gives way, and so does what somebody has spoilt.
    minute = int(time.time()) // 60
    old = {n % 60: f"{n - 60}|900|9" for n in range(minute - 59, minute + 1)}
    server.hset("dubbing:hour", mapping={**old, (minute - 1) % 60: "spoilt"})
    complete(ledger, third)
    hour = ledger.gauges.hour()
    assert (sum(hour.done[-2:]), sum(hour.failed)) == (2, 0)
    assert 0 < server.ttl("dubbing:hour") <= 3600


def test_the_oldest_published_batch_of_a_queue_tells_how_long_work_waits(
    ledger: Ledger, server: redis.Redis
) -> None:
    ledger.open_round(job(), 1, refs(2))
    first, _ = take(ledger)
    oldest = "|".join(map(str, (first.job, first.round, first.token)))
    server.zincrby(f"dubbing:published:{QUEUE}", -100, oldest)
    queues = [QUEUE, EXTRACTION, "assembly"]
    assert ledger.gauges.waits(queues) == {QUEUE: pytest.approx(100, abs=5)}
    claim(ledger, first, "a")
    assert ledger.gauges.waits(queues) == {QUEUE: pytest.approx(0, abs=5)}


def test_costs_are_added_once_to_an_account_that_is_remembered(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(3))
    first, second, third = take_and_claim(ledger)
    ledger.complete(first, ["1", "2"], 0, costs={"a": 50})
    assert ledger.accounts.spent("a") is None
    ledger.accounts.remember("a", 50)
    for _ in range(2):
        ledger.complete(second, ["1", "2"], 0, costs={"a": 25, "b": 1})
        ledger.accounts.remember("a", 900)
    assert ledger.accounts.spent("a") == 75
    assert ledger.accounts.spent("b") is None
    ledger.complete(third, ["1", "2"], 0)
    assert deliveries(ledger, "j", "1", "2") == [0, 0]


def test_a_thousand_lines_and_more_are_counted_as_one_batch(ledger: Ledger) -> None:
    ids = [f"line-{n}" for n in range(12_345)]
    ledger.open_round(job(), 1, refs(2))
    at, _ = take(ledger)
    claim(ledger, at, "a")
    assert begin(ledger, at, ids) == [0] * len(ids)
    assert deliveries(ledger, "j", ids[-1]) == [1]
    ledger.complete(at, ids, failed=0)
    assert deliveries(ledger, "j", ids[-1]) == [0]
    assert snapshot(ledger)[1] == len(ids)


def test_the_last_batch_adds_assembly_once(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(2))
    one, two = take_and_claim(ledger)
    assert complete(ledger, one) == []
    assert complete(ledger, two) == ["assembly"]
    assert complete(ledger, two) == []
    assert snapshot(ledger)[0] is JobState.ASSEMBLING
    (assembly,) = take(ledger, "assembly")
    assert (assembly.job, assembly.number) == ("j", None)
    assert take(ledger, "assembly") == []
    assert claim(ledger, assembly, "a") is Claim.RUN
    assert claim(ledger, assembly, "b") is Claim.BUSY


def test_an_extraction_holds_its_own_lines_and_releases_them(ledger: Ledger) -> None:
    plan = refs(1, queue=EXTRACTION) + refs(2, needs=0, first=1) + refs(1, first=3)
    ledger.open_round(job(), 1, plan)
    assert numbers(take_and_claim(ledger)) == [("j", 3)]
    (extraction,) = take_and_claim(ledger, EXTRACTION)
    assert ledger.complete(extraction, [], 0) == [QUEUE]
    assert numbers(take_and_claim(ledger)) == [("j", 1), ("j", 2)]


def test_lines_whose_extraction_is_stored_do_not_wait_for_it(ledger: Ledger) -> None:
    plan = refs(1, queue=EXTRACTION) + refs(2, needs=0, first=1)
    ledger.open_round(job(), 1, plan, results={0: 0, 1: 0})
    assert numbers(take_and_claim(ledger)) == [("j", 2)]
    assert take(ledger, EXTRACTION) == []


def test_a_lost_message_is_sent_again_after_the_grace(redis_url: str) -> None:
    ledger = Ledger(redis_url, grace=SHORT)
    ledger.open_round(job(), 1, refs(2))
    assert len(take(ledger)) == 2
    assert take(ledger) == []
    wait_until(lambda: len(take(ledger)) == 2, seconds=5, what="sent again")
    assert take(ledger) == []


def test_a_message_that_waits_in_the_broker_is_not_lost(
    redis_url: str, server: redis.Redis
) -> None:
    ledger = Ledger(redis_url, grace=0.0)
    ledger.open_round(job(), 1, refs(2))
    bulk = broker_lists(QUEUE)[-1]
    server.rpush(bulk, *(at.token for at in take(ledger)))
    assert take(ledger) == []
    server.lpop(bulk)
    assert len(take(ledger)) == 1


def test_a_spoilt_heartbeat_hides_no_other_worker(ledger: Ledger, server: redis.Redis) -> None:
    ledger.crew.beat(record())
    for name, entry in enumerate(("garbage", "garbage|{}", "..|{}", "|", "")):
        server.set(f"dubbing:worker:{name}", entry)
        server.zadd("dubbing:workers", {str(name): time.time()})
    assert [worker.name for worker in ledger.crew.workers()] == [record().name]


def test_workers_are_listed_without_a_scan_of_all_keys(ledger: Ledger, server: redis.Redis) -> None:
    for n in range(3):
        ledger.crew.beat(record(name=f"w{n}"))
    server.zadd("dubbing:workers", {"gone": time.time() - 3700})
    server.config_resetstat()
    assert [worker.name for worker in ledger.crew.workers()] == ["w0", "w1", "w2"]
    assert "cmdstat_scan" not in server.info("commandstats")
    assert server.zscore("dubbing:workers", "gone") is None
    ledger.crew.leave(record(name="w1"))
    assert [worker.name for worker in ledger.crew.workers()] == ["w0", "w2"]


def test_a_worker_of_the_first_release_is_found(ledger: Ledger, server: redis.Redis) -> None:
    ledger.crew.beat(record(name="new"))
    server.set("dubbing:worker:old", f"{time.time()}|{record(name='old').model_dump_json()}")
    (old,) = ledger.crew.unlisted()
    assert (old.name, old.online) == ("old", True)
    assert "release 0.1.0" in old.errors[0]


@pytest.mark.parametrize("entry", ["garbage", "a|e|e", "a|1|", "a|.|1"])
def test_a_batch_whose_owner_is_spoilt_is_renewed_and_counted(
    ledger: Ledger, server: redis.Redis, entry: str
) -> None:
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    claim(ledger, at, "a")
    member = f"{at.job}|{at.round}|{at.token}"
    server.hset("dubbing:owners", member, entry)
    assert ledger.renew(at, "a")
    server.hset("dubbing:owners", member, entry)
    assert complete(ledger, at) == ["assembly"]
    assert snapshot(ledger)[0] is JobState.ASSEMBLING


def test_deliveries_are_counted_until_a_line_is_done_or_handed_back(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    assert begin(ledger, at, ["1", "2"]) == [0, 0]
    assert begin(ledger, at, ["1", "2", "3"]) == [1, 1, 0]
    assert ledger.deliver_again("j", "2") == 1
    ledger.forgive("j", ["1"])
    assert begin(ledger, at, ["1", "2"]) == [0, 2]
    assert begin(ledger, at, []) == []


def test_a_watcher_reads_every_event_after_its_snapshot(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    last = ledger.events.last("j")
    (at,) = take_and_claim(ledger)
    complete(ledger, at, failed=1)
    news = ledger.events.news({"j": last}, wait=1)["j"]
    assert [told["event"] for _, told in news] == ["state", "batch", "state"]
    batch = {"event": "batch", "batch": "0", "lines": "2", "failed": "1", "done": "2"}
    assert news[1][1] == batch
    assert ledger.events.news({"j": news[-1][0]}, wait=0.01) == {}


def test_a_reply_wakes_who_waits_for_it(ledger: Ledger) -> None:
    timer = threading.Timer(0.1, ledger.requests.set_reply, ["ticket", {"error": None}])
    timer.start()
    assert ledger.requests.wait_reply("ticket", wait=30) == {"error": None}
    timer.join()
    assert ledger.requests.wait_reply("ticket", wait=0.05) is None


def test_one_process_at_a_time_has_a_turn(ledger: Ledger, redis_url: str) -> None:
    assert ledger.turn("rebuild", 9)
    assert not Ledger(redis_url).turn("rebuild", 9)
    assert ledger.turn("something else", 9)


def test_a_redis_that_is_down_is_named_without_its_password() -> None:
    with pytest.raises(QueueUnavailable, match=r"127\.0\.0\.1:1/0") as caught:
        Ledger("redis://user:secret@127.0.0.1:1/0").greet(patient=False)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:sec@ret@host:6379/0", "redis://host:6379/0"),
        ("redis://host/0?password=secret", "redis://host/0"),
        ("unix:///run/redis.sock?password=secret", "unix:///run/redis.sock"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert redact(url) == shown

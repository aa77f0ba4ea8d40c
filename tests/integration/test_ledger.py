"""The ledger on a real Redis."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis
from console import wait_until

from dubbing.errors import QueueUnavailable
from dubbing.job import Job, JobState
from dubbing.ledger import Address, Claim, Ledger, WorkerRecord
from dubbing.ledger.ledger import redact
from dubbing.local import find_redis_server
from dubbing.plan import BatchRef
from dubbing.queue import broker_lists

QUEUE = "synthesis.tone"
EXTRACTION = "extraction.tone"
SHORT = 0.2
"""Seconds of a lease that a test waits for."""


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    with redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def ledger(redis_url: str) -> Ledger:
    return Ledger(redis_url)


def job(id_: str = "j", tenant: str = "t") -> Job:
    return Job(id=id_, language="en", tenant=tenant)


def refs(count: int, *, queue: str = QUEUE, needs: int | None = None, first: int = 0) -> list:
    return [
        BatchRef(
            number=n, offset=100 * n, length=100, queue=queue, lines=2, deadline=60, needs=needs
        )
        for n in range(first, first + count)
    ]


def record(slots: int = 1, name: str = "w@h") -> WorkerRecord:
    queues = (QUEUE, EXTRACTION, "assembly")
    return WorkerRecord(name=name, engine="tone", queues=queues, slots=slots, state="ready")


def take(ledger: Ledger, queue: str = QUEUE) -> list[Address]:
    return ledger.take(queue, broker_lists(queue))


def numbers(taken: Sequence[Address]) -> list[tuple[str, int | None]]:
    return [(at.job, at.number) for at in taken]


def take_and_claim(ledger: Ledger, queue: str = QUEUE, owner: str = "a") -> list[Address]:
    """Take all that a queue gives, as workers that claim at once do."""
    taken = []
    while found := take(ledger, queue):
        for at in found:
            assert ledger.claim(at, owner) is Claim.RUN
        taken += found
    return taken


def complete(ledger: Ledger, at: Address, failed: int = 0) -> list[str] | None:
    return ledger.complete(at, ["1", "2"], failed)


def snapshot(ledger: Ledger, id_: str = "j") -> tuple[JobState, int, int, int]:
    found = ledger.snapshot(id_)
    assert found
    return found.state, found.done, found.failed, found.closed


def test_a_queue_is_filled_to_twice_its_slots(ledger: Ledger) -> None:
    ledger.beat(record(slots=3))
    ledger.open_round(job(), 1, refs(20))
    first = take(ledger)
    assert numbers(first) == [("j", n) for n in range(6)]
    assert take(ledger) == []
    ledger.claim(first[0], "a")
    ledger.claim(first[1], "b")
    assert numbers(take(ledger)) == [("j", 6), ("j", 7)]


def test_a_queue_without_workers_holds_two_messages(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(20))
    assert len(take(ledger)) == 2


def test_a_worker_that_left_has_no_slots(ledger: Ledger) -> None:
    ledger.beat(record(slots=8, name="gone"))
    ledger.leave(record(slots=8, name="gone"))
    ledger.beat(record(slots=2))
    ledger.open_round(job(), 1, refs(20))
    assert len(take(ledger)) == 4
    assert [worker.name for worker in ledger.workers()] == ["w@h"]


def test_tenants_take_turns_and_then_their_jobs(ledger: Ledger) -> None:
    ledger.open_round(job("big", "x"), 1, refs(50))
    ledger.open_round(job("a", "y"), 1, refs(2))
    ledger.open_round(job("b", "y"), 1, refs(2))
    ledger.beat(record(slots=4))
    found = [at.job for at in take(ledger)]
    # New jobs stand at the head: b before a, and y before x.
    assert found == ["b", "big", "a", "big", "b", "big", "a", "big"]


def test_a_new_job_is_next(ledger: Ledger) -> None:
    ledger.open_round(job("old"), 1, refs(50))
    take_some = take(ledger)
    ledger.open_round(job("new"), 1, refs(1))
    ledger.claim(take_some[0], "a")
    assert numbers(take(ledger)) == [("new", 0)]


def test_a_claimed_batch_is_begun_once(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    assert snapshot(ledger)[0] is JobState.QUEUED
    assert ledger.claim(at, "a") is Claim.RUN
    assert snapshot(ledger)[0] is JobState.SYNTHESIZING
    assert ledger.claim(at, "b") is Claim.BUSY
    complete(ledger, at)
    assert ledger.claim(at, "b") is Claim.CLOSED
    ledger.end("j", 1, JobState.COMPLETED)
    assert ledger.claim(at, "b") is Claim.OVER


def test_a_batch_of_an_unknown_job_is_unknown(ledger: Ledger) -> None:
    at = Address(job="nobody", round=1, token="0:0:100:60", queue=QUEUE)
    assert ledger.claim(at, "a") is Claim.UNKNOWN
    assert ledger.renew(at, "a") is False
    assert complete(ledger, at) is None
    assert ledger.snapshot("nobody") is None


def test_a_lease_that_runs_out_brings_the_batch_back_as_the_next_of_its_job(redis_url: str) -> None:
    ledger = Ledger(redis_url, lease=SHORT)
    ledger.open_round(job("old"), 1, refs(5))
    lost, other = take(ledger)
    ledger.claim(lost, "dead")
    ledger.claim(other, "alive")
    ledger.open_round(job("new"), 1, refs(5))
    deadline = time.monotonic() + 2 * SHORT
    while time.monotonic() < deadline:
        assert ledger.renew(other, "alive")
        time.sleep(SHORT / 5)
    assert numbers(take(ledger)) == [("new", 0), ("old", 0)]
    assert ledger.renew(lost, "dead") is False
    assert ledger.claim(lost, "next") is Claim.RUN


def test_a_lease_that_ran_out_can_be_claimed_at_once(redis_url: str) -> None:
    ledger = Ledger(redis_url, lease=SHORT)
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    ledger.claim(at, "dead")
    wait_until(lambda: ledger.claim(at, "next") is Claim.RUN, seconds=5, what="claimed")
    assert ledger.renew(at, "dead") is False


def test_no_lease_outlives_its_batchs_deadline(ledger: Ledger) -> None:
    (ref,) = refs(1)
    hasty = BatchRef(**{**vars(ref), "deadline": SHORT})
    ledger.open_round(job(), 1, [hasty])
    (at,) = take(ledger)
    ledger.claim(at, "hangs")
    assert ledger.renew(at, "hangs")
    wait_until(lambda: not ledger.renew(at, "hangs"), seconds=5, what="refused")
    assert numbers(take(ledger)) == [("j", 0)]


def test_a_batch_that_is_handed_back_rests_and_comes_again(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    ledger.claim(at, "a")
    ledger.release(at, "somebody else")
    assert ledger.renew(at, "a")
    ledger.release(at, "a", pause=SHORT)
    assert ledger.renew(at, "a") is False
    assert ledger.claim(at, "a") is Claim.BUSY
    assert take(ledger) == []
    wait_until(lambda: numbers(take(ledger)) == [("j", 0)], seconds=5, what="published again")
    assert ledger.claim(at, "b") is Claim.RUN


def test_a_batch_is_counted_once_whoever_reports_it(redis_url: str) -> None:
    ledger = Ledger(redis_url, lease=SHORT)
    ledger.open_round(job(), 1, refs(2))
    at, _ = take(ledger)
    ledger.claim(at, "slow")
    wait_until(lambda: ledger.claim(at, "quick") is Claim.RUN, seconds=5, what="claimed")
    assert complete(ledger, at, failed=1) == []
    assert complete(ledger, at, failed=1) == []
    assert snapshot(ledger) == (JobState.SYNTHESIZING, 2, 1, 1)


def test_a_thousand_lines_and_more_are_counted_as_one_batch(ledger: Ledger) -> None:
    ids = [f"line-{n}" for n in range(12_345)]
    ledger.open_round(job(), 1, refs(2))
    at, _ = take(ledger)
    ledger.claim(at, "a")
    assert ledger.deliver("j", ids) == [0] * len(ids)
    assert ledger.deliver("j", ids[-1:]) == [1]
    ledger.complete(at, ids, failed=0)
    assert ledger.deliver("j", ids[-1:]) == [0]
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
    assert ledger.claim(assembly, "a") is Claim.RUN
    assert ledger.claim(assembly, "b") is Claim.BUSY


def test_an_extraction_holds_its_own_lines_and_releases_them(ledger: Ledger) -> None:
    plan = refs(1, queue=EXTRACTION) + refs(2, needs=0, first=1) + refs(1, first=3)
    ledger.open_round(job(), 1, plan)
    assert numbers(take_and_claim(ledger)) == [("j", 3)]
    (extraction,) = take_and_claim(ledger, EXTRACTION)
    assert ledger.complete(extraction, [], 0) == [QUEUE]
    assert numbers(take_and_claim(ledger)) == [("j", 1), ("j", 2)]


def test_lines_whose_extraction_is_stored_do_not_wait_for_it(ledger: Ledger) -> None:
    plan = refs(1, queue=EXTRACTION) + refs(2, needs=0, first=1)
    ledger.open_round(job(), 1, plan, closed=[0, 1], done=2)
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
    bulk = broker_lists(QUEUE)[1]
    server.rpush(bulk, *(at.token for at in take(ledger)))
    assert take(ledger) == []
    server.lpop(bulk)
    assert len(take(ledger)) == 1


def test_a_round_is_opened_once(ledger: Ledger) -> None:
    assert ledger.open_round(job(), 1, refs(3))
    take_and_claim(ledger)
    assert not ledger.open_round(job(), 1, refs(3))
    assert take(ledger) == []
    assert snapshot(ledger)[0] is JobState.SYNTHESIZING


def test_a_higher_round_replaces_the_one_before(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(10))
    running, waiting = take(ledger)
    ledger.claim(running, "a")
    ledger.deliver("j", ["1"])
    assert ledger.open_round(job(), 2, refs(1, first=4))
    assert not ledger.open_round(job(), 1, refs(10))
    assert ledger.renew(running, "a") is False
    assert ledger.claim(waiting, "a") is Claim.OVER
    assert complete(ledger, running) == []
    assert ledger.deliver("j", ["1"]) == [0]
    (at,) = take(ledger)
    assert (at.round, at.number) == (2, 4)
    ledger.end("j", 1, JobState.FAILED)
    assert snapshot(ledger) == (JobState.QUEUED, 0, 0, 0)


def test_a_rebuilt_round_goes_on_where_its_results_end(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(4), closed=[0, 2], done=4, failed=1)
    assert snapshot(ledger) == (JobState.SYNTHESIZING, 4, 1, 2)
    one, three = take_and_claim(ledger)
    assert [one.number, three.number] == [1, 3]
    complete(ledger, one)
    assert complete(ledger, three) == ["assembly"]


def test_a_rebuilt_round_with_every_result_only_lacks_assembly(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(2), closed=[0, 1], done=4)
    assert take(ledger) == []
    assert len(take(ledger, "assembly")) == 1


def test_an_ended_job_leaves_nothing_but_what_watchers_read(
    ledger: Ledger, server: redis.Redis
) -> None:
    plan = refs(3) + refs(1, queue=EXTRACTION, first=3)
    ledger.open_round(job(), 1, [*plan, *refs(3, needs=3, first=4)])
    running, _ = take(ledger)
    take(ledger, EXTRACTION)
    ledger.claim(running, "a")
    ledger.deliver("j", ["1", "2"])
    ledger.end("j", 1, JobState.CANCELLED)
    assert ledger.renew(running, "a") is False
    assert complete(ledger, running) == []
    assert sorted(server.keys()) == ["dubbing:job:j", "dubbing:job:j:events"]
    assert all(0 < server.ttl(key) <= 3600 for key in server.scan_iter())
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


def test_deliveries_are_counted_until_a_line_is_done_or_handed_back(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    assert ledger.deliver("j", ["1", "2"]) == [0, 0]
    assert ledger.deliver("j", ["1", "2", "3"]) == [1, 1, 0]
    assert ledger.deliver_again("j", "2") == 1
    ledger.forgive("j", ["1"])
    assert ledger.deliver("j", ["1", "2"]) == [0, 2]
    assert ledger.deliver("j", []) == []


def test_a_watcher_reads_every_event_after_its_snapshot(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    last = ledger.last_event("j")
    (at,) = take_and_claim(ledger)
    complete(ledger, at, failed=1)
    last, events = ledger.events("j", last, wait=1)
    assert [event["event"] for event in events] == ["state", "batch", "state"]
    assert events[1] == {"event": "batch", "batch": "0", "lines": "2", "failed": "1", "done": "2"}
    assert ledger.events("j", last, wait=0.01) == (last, [])


def test_a_reply_wakes_who_waits_for_it(ledger: Ledger) -> None:
    timer = threading.Timer(0.1, ledger.set_reply, ["ticket", {"error": None}])
    timer.start()
    assert ledger.wait_reply("ticket", wait=30) == {"error": None}
    timer.join()
    assert ledger.wait_reply("ticket", wait=0.05) is None


def test_one_process_at_a_time_has_a_turn(ledger: Ledger, redis_url: str) -> None:
    assert ledger.turn("rebuild", 9)
    assert not Ledger(redis_url).turn("rebuild", 9)
    assert ledger.turn("something else", 9)


def test_a_redis_that_is_down_is_named_without_its_password() -> None:
    with pytest.raises(QueueUnavailable, match=r"127\.0\.0\.1:1/0") as caught:
        Ledger("redis://user:secret@127.0.0.1:1/0").ping()
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


def test_a_redis_that_is_full_refuses_and_says_so(tmp_path: Path) -> None:
    socket = tmp_path / "r.sock"
    options = {"port": "0", "unixsocket": str(socket), "dir": str(tmp_path), "save": ""}
    options |= {"maxmemory": "1mb", "maxmemory-policy": "noeviction"}
    words = [word for key, value in options.items() for word in (f"--{key}", value)]
    server = subprocess.Popen([find_redis_server(), *words], stdout=subprocess.DEVNULL)
    try:
        wait_until(socket.exists, seconds=10, what="Redis is up")
        ledger = Ledger(f"unix://{socket}")
        with pytest.raises(QueueUnavailable, match="memory"):
            for n in range(1000):
                ledger.open_round(job(f"j{n}"), 1, refs(1000))
    finally:
        server.terminate()
        server.wait(timeout=10)

"""The ledger after Redis lost some of its entries, on a real Redis."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from ledgers import EXTRACTION, QUEUE, claim, job, refs, take

from dubbing.job import JobState
from dubbing.ledger import Address, Audit, Claim, Ledger
from dubbing.ledger.records import ASSEMBLY_TOKEN

SHORT = 0.05
"""Seconds of a lease, and of the grace of a message."""
QUEUES = (QUEUE, EXTRACTION, "assembly")
JOBS = {"a": "t", "b": "t", "c": "u"}
"""The tenant of each job."""
PLAN = [*refs(5), *refs(1, queue=EXTRACTION, first=5), *refs(3, needs=5, first=6)]
KINDS = (
    *("job:?", "job:*:todo:*", "job:*:held:*", "job:*:held", "job:*:queues", "job:*:closed"),
    *("job:*:deliveries", "ring:*", "new:*", "published:*", "leases:*", "owners", "pace:*"),
    "backlog",
)
PAIRS = [("leases:*", "owners"), ("job:*:todo:*", "ring:*"), ("job:?", "published:*")]
Lose = Callable[[redis.Redis, list[str]], None]


class Works:
    """Three jobs, a storage of their results, and workers that do their batches."""

    def __init__(self, url: str) -> None:
        self.ledger = Ledger(url, lease=SHORT, grace=SHORT)
        self.stored: dict[str, set[int]] = {name: set() for name in JOBS}
        self.ended: set[str] = set()
        self.at_work: list[Address] = []
        for name in JOBS:
            self.make_whole(name)

    def make_whole(self, name: str) -> None:
        results = dict.fromkeys(self.stored[name], 0)
        self.ledger.open_round(job(name, JOBS[name]), 1, PLAN, results=results)

    def heal(self) -> list[Audit]:
        open_ = [name for name in JOBS if name not in self.ended]
        audits = self.ledger.audit(open_)
        for name, audit in zip(open_, audits, strict=True):
            if audit is not Audit.SOUND:
                self.make_whole(name)
        return audits

    def begin(self) -> None:
        for queue in QUEUES:
            for at in take(self.ledger, queue):
                if claim(self.ledger, at, "w") is Claim.RUN:
                    self.at_work.append(at)

    def finish(self, count: int | None = None) -> None:
        """Finish what was begun first; what is no longer held is left to others."""
        done, self.at_work = self.at_work[:count], self.at_work[len(self.at_work[:count]) :]
        for at in done:
            if not self.ledger.renew(at, "w"):
                continue
            if at.number is None:
                assert self.stored[at.job] == {ref.number for ref in PLAN}
                self.ledger.end(at.job, 1, JobState.COMPLETED)
                self.ended.add(at.job)
            else:
                self.stored[at.job].add(at.number)
                self.ledger.complete(at, ["1", "2"], 0)

    def go_on(self) -> None:
        """Work on the jobs, and heal now and then, until they have ended."""
        deadline = time.monotonic() + 20
        while len(self.ended) < len(JOBS):
            assert time.monotonic() < deadline, (self.stored, self.ended, self.heal())
            self.heal()
            self.begin()
            self.finish()


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    with redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def works(redis_url: str) -> Works:
    """Return jobs of which some batches are counted, at work, published, held and waiting."""
    works = Works(redis_url)
    works.begin()
    works.finish(2)
    works.begin()
    take(works.ledger)
    return works


def keys_of(server: redis.Redis, kind: str) -> list[str]:
    return sorted(server.scan_iter(f"dubbing:{kind}"))


def lose_keys(server: redis.Redis, keys: list[str]) -> None:
    server.delete(*keys)


def lose_entries(server: redis.Redis, keys: list[str], chance: random.Random) -> None:
    """Remove about a third of the entries of each key."""
    remove = {
        "list": lambda key, entry: server.lrem(key, 1, entry),
        "set": server.srem,
        "hash": server.hdel,
        "zset": server.zrem,
    }
    for key in keys:
        kind = server.type(key)
        entries = {
            "list": lambda key=key: server.lrange(key, 0, -1),
            "set": lambda key=key: server.smembers(key),
            "hash": lambda key=key: server.hkeys(key),
            "zset": lambda key=key: server.zrange(key, 0, -1),
            "string": list,
            "none": list,
        }[kind]()
        for entry in sorted(entries):
            if chance.random() < 0.3:
                remove[kind](key, entry)


def test_what_redis_holds_of_a_job_that_lost_nothing_adds_up(works: Works) -> None:
    assert works.heal() == [Audit.SOUND] * 3
    works.go_on()
    assert works.ledger.audit(list(JOBS)) == [Audit.OVER] * 3


@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), *PAIRS], ids=" ".join)
def test_a_job_outlives_the_loss_of_all_keys_of_a_kind(
    works: Works, server: redis.Redis, kinds: tuple[str, ...]
) -> None:
    lose_keys(server, [key for kind in kinds for key in keys_of(server, kind)] or ["-"])
    works.go_on()
    assert_nothing_is_left(server)


@pytest.mark.parametrize("seed", range(40))
def test_a_job_outlives_the_loss_of_entries_at_any_moment(
    redis_url: str, server: redis.Redis, seed: int
) -> None:
    chance = random.Random(seed)
    works = Works(redis_url)
    for _ in range(chance.randint(1, 6)):
        works.begin()
        works.finish(chance.randint(0, 3))
    kinds = chance.sample(KINDS, chance.randint(1, 2))
    lose_entries(server, [key for kind in kinds for key in keys_of(server, kind)], chance)
    works.go_on()


def test_the_loss_of_the_request_that_asked_for_a_round_is_found(
    works: Works, server: redis.Redis
) -> None:
    server.hdel("dubbing:job:a", "request")
    assert works.heal() == [Audit.BROKEN, Audit.SOUND, Audit.SOUND]
    assert works.heal() == [Audit.SOUND] * 3


def assert_nothing_is_left(server: redis.Redis) -> None:
    kept = {"job", "pace", "hour", "slots", "totals"}
    left = [key for key in server.scan_iter("dubbing:*") if key.split(":")[1] not in kept]
    assert left == []
    of_jobs = {key.split(":", 3)[3] for key in keys_of(server, "job:*:*")}
    assert of_jobs == {"events"}


def test_work_whose_owner_and_lease_redis_lost_goes_on(works: Works, server: redis.Redis) -> None:
    (at, *_) = works.at_work
    server.delete(*keys_of(server, "leases:*"), "dubbing:owners")
    assert works.ledger.renew(at, "w")
    assert claim(works.ledger, at, "another") is Claim.BUSY


def test_work_that_was_sent_again_or_handed_back_is_not_taken_back(
    works: Works, server: redis.Redis
) -> None:
    sent_again, handed_back, *_ = works.at_work
    server.delete("dubbing:owners")
    time.sleep(2 * SHORT)
    assert sent_again.token in {at.token for at in take(works.ledger, sent_again.queue)}
    assert not works.ledger.renew(sent_again, "w")
    assert claim(works.ledger, handed_back, "w") is Claim.RUN
    works.ledger.release(handed_back, "w", pause=1.0)
    assert not works.ledger.renew(handed_back, "w")


def test_a_job_that_is_made_whole_goes_on_with_the_work_that_is_under_way(works: Works) -> None:
    for name in JOBS:
        works.make_whole(name)
    assert works.heal() == [Audit.SOUND] * 3
    assert all(works.ledger.renew(at, "w") for at in works.at_work)


def test_a_batch_that_was_counted_stays_counted_by_who_read_storage_before(works: Works) -> None:
    before = works.ledger.standings.snapshot("a")
    works.ledger.open_round(job("a"), 1, PLAN)
    assert works.ledger.standings.snapshot("a") == before


@pytest.mark.parametrize("entry", ["garbage", "null", "[]", "[" * 5000, "a|1|x", "\x1b]52;c;\x07"])
def test_entries_that_are_not_ours_are_dropped(
    works: Works, server: redis.Redis, entry: str, caplog: pytest.LogCaptureFixture
) -> None:
    for key in (*keys_of(server, "job:*:todo:*"), *keys_of(server, "ring:*")):
        server.lpush(key, entry)
    for key in keys_of(server, "job:*:held:*"):
        server.rpush(key, entry)
    for queue in QUEUES:
        server.zadd(f"dubbing:published:{queue}", {entry: 9e12, f"{entry}2": 0})
        server.zadd(f"dubbing:leases:{queue}", {entry: 9e12, f"{entry}2": 0})
        server.hset(f"dubbing:slots:{queue}", "w", entry)
        server.hset(f"dubbing:pace:{queue}", mapping={"seconds": entry, "full": entry})
        server.hset(f"dubbing:new:{queue}", mapping={"waiting": entry, "ahead": entry})
    for name in JOBS:
        server.hset(f"dubbing:job:{name}:deliveries", "1", entry)
        server.hset(f"dubbing:job:{name}", mapping={"done": entry, "closed": entry})
    server.set(f"dubbing:express:{QUEUE}", entry)
    for owned in server.hkeys("dubbing:owners"):
        server.hset("dubbing:owners", owned, entry)
    for name in JOBS:
        assert works.ledger.deliver_again(name, "1") == 0
    assert works.ledger.requests.express(QUEUE) in {True, False}
    works.begin()
    works.go_on()
    assert_nothing_is_left(server)
    assert "is not ours was dropped" in caplog.text
    assert "\x1b" not in caplog.text


def test_the_assembly_that_redis_lost_comes_again(works: Works, server: redis.Redis) -> None:
    while not any(at.token == ASSEMBLY_TOKEN for at in works.at_work):
        works.finish()
        works.begin()
    for kind in ("leases:assembly", "published:assembly", "job:*:todo:assembly", "owners"):
        lose_keys(server, keys_of(server, kind) or ["-"])
    works.at_work.clear()
    works.go_on()

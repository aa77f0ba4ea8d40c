"""A job's place and the time that it may take, on a real Redis."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
import redis
from console import wait_until
from ledgers import (
    EXTRACTION,
    QUEUE,
    claim,
    complete,
    job,
    record,
    refs,
    standings,
    take,
    take_and_claim,
    work_off,
)
from system import stored_job

from dubbing.cli.output import describe
from dubbing.job import JobState
from dubbing.jobs.status import Status, job_status
from dubbing.ledger import Address, Ledger, Standing
from dubbing.storage import Storage
from dubbing.submission.estimate import Estimate, Load, estimates

PACE = 0.2
"""Seconds that a batch takes here."""


def standing(ledger: Ledger, id_: str = "j", queue: str = QUEUE) -> Standing | None:
    found = [at for at in standings(ledger, id_) if at.queue == queue]
    return found[0] if found else None


def paces(ledger: Ledger, id_: str = "j") -> dict[str, float]:
    return {at.queue: at.pace for at in standings(ledger, id_) if at.pace is not None}


def status(ledger: Ledger, tmp_path: Path, id_: str = "j") -> Status:
    return job_status(Storage.at(str(tmp_path)), ledger, id_)


def spend(ledger: Ledger, seconds: float = PACE) -> None:
    """Open a job of one batch and do it in so many seconds, assembly too."""
    ledger.open_round(stored_job("past", "It takes 4.5 s."), 1, refs(1))
    (at,) = take_and_claim(ledger)
    time.sleep(seconds)
    complete(ledger, at)
    take_and_claim(ledger, "assembly")
    time.sleep(seconds)
    ledger.end("past", 1, JobState.COMPLETED)


@pytest.mark.parametrize("seed", range(12))
def test_the_place_of_every_job_is_the_one_that_it_is_served_at(ledger: Ledger, seed: int) -> None:
    chance = random.Random(seed)
    ledger.crew.beat(record(slots=chance.randint(1, 4)))
    published: list[Address] = []
    names = [f"j{n}" for n in range(chance.randint(1, 15))]
    for name in names:
        tenant = f"t{chance.randint(0, 4)}"
        ledger.open_round(job(name, tenant), 1, refs(chance.randint(1, 12)))
        published += take(ledger)
        if published and chance.random() < 0.7:
            at = published.pop(0)
            claim(ledger, at, "w")
            complete(ledger, at)
    foreseen = {name: standing(ledger, name) for name in names}
    places: dict[str, list[int]] = defaultdict(list)
    for place, at in enumerate(work_off(ledger, published)):
        places[at.job].append(place)
    for name, expected in foreseen.items():
        if expected:
            assert (expected.ahead, expected.work) == (places[name][0], places[name][-1] + 1)
        else:
            assert name not in places


def test_batches_that_were_published_together_have_places_in_their_order(ledger: Ledger) -> None:
    ledger.crew.beat(record(slots=2))
    ledger.open_round(job("a"), 1, refs(2))
    ledger.open_round(job("b"), 1, refs(2))
    assert [at.job for at in take(ledger)] == ["b", "a", "b", "a"]
    places = [(at.ahead, at.work) for at in (standing(ledger, "b"), standing(ledger, "a")) if at]
    assert places == [(0, 3), (1, 4)]


def test_what_is_being_worked_on_counts_half(ledger: Ledger) -> None:
    ledger.crew.beat(record(slots=2))
    ledger.open_round(job("old"), 1, refs(3))
    ledger.open_round(job(), 1, refs(1))
    first, *_ = take(ledger)
    assert first.job == "j"
    claim(ledger, first, "a")
    found = standing(ledger)
    assert found
    assert (found.ahead, found.work) == (None, 0.5)
    old = standing(ledger, "old")
    assert old
    assert (old.ahead, old.work) == (0, 3.5)


def test_lines_that_wait_for_a_voice_are_the_jobs_own(ledger: Ledger) -> None:
    ledger.open_round(job("other"), 1, refs(2))
    take_and_claim(ledger)
    ledger.open_round(job(), 1, [*refs(1, queue=EXTRACTION), *refs(4, needs=0, first=1)])
    lines, voice = standing(ledger), standing(ledger, queue=EXTRACTION)
    assert lines
    assert voice
    assert (lines.ahead, lines.work) == (None, 5)
    assert (voice.ahead, voice.work) == (0, 1)


def test_the_pace_is_the_mean_of_the_batches_of_late(ledger: Ledger) -> None:
    ledger.crew.beat(record())
    ledger.open_round(job(), 1, refs(9))
    found = standing(ledger)
    assert found
    assert (found.pace, found.seconds) == (None, None)
    took = []
    for at, seconds in zip(take(ledger), (PACE, 3 * PACE), strict=True):
        begun = time.monotonic()
        claim(ledger, at, "a")
        time.sleep(seconds)
        complete(ledger, at)
        took.append(time.monotonic() - begun)
    found = standing(ledger)
    assert found
    assert found.pace
    assert 2 * PACE * 0.99 < found.pace < 1.01 * sum(took) / 2
    assert found.seconds == pytest.approx(7 * found.pace)


def test_what_a_lost_lease_took_is_no_pace(redis_url: str) -> None:
    ledger = Ledger(redis_url, lease=PACE)
    ledger.open_round(job(), 1, refs(2))
    at, _ = take(ledger)
    claim(ledger, at, "slow")
    wait_until(lambda: at in take(ledger), seconds=5, what="taken from it")
    complete(ledger, at)
    found = standing(ledger)
    assert found
    assert found.pace is None


def test_a_status_tells_place_and_time(ledger: Ledger, tmp_path: Path) -> None:
    ledger.crew.beat(record(slots=1))
    ledger.open_round(job(), 1, refs(5))
    found = status(ledger, tmp_path)
    assert (found.place, found.seconds_left, found.lacks) == (0, None, ())
    ledger.end("j", 1, JobState.CANCELLED)
    spend(ledger)
    ledger.open_round(job("old"), 1, refs(9))
    take(ledger)
    ledger.open_round(stored_job("new", "It takes 4.5 s."), 1, refs(3))
    found = status(ledger, tmp_path, "new")
    # Two of the other job's batches are published already, and from then on they take turns.
    assert found.place == 2
    pace = paces(ledger, "new")
    assert found.seconds_left == pytest.approx(7 * pace[QUEUE] + pace["assembly"], abs=0.06)


def test_the_time_left_is_that_of_the_slowest_engine_and_assembly(
    ledger: Ledger, tmp_path: Path
) -> None:
    other = "synthesis.other"
    ledger.crew.beat(record(slots=2))
    ledger.crew.beat(record(name="x@h", queues=(other,)))
    ledger.open_round(job(), 1, [*refs(8), *refs(8, queue=other, first=8)])
    for queue, seconds in ((QUEUE, PACE), (other, 2 * PACE)):
        at = take(ledger, queue)[0]
        claim(ledger, at, "a")
        time.sleep(seconds)
        complete(ledger, at)
    pace = paces(ledger)
    slowest = max(7 * pace[other], (7 + 0.5) / 2 * pace[QUEUE])
    assert status(ledger, tmp_path).seconds_left == pytest.approx(slowest, abs=0.06)


def test_a_job_that_is_assembled_has_the_time_of_assembly_left(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.crew.beat(record())
    spend(ledger)
    ledger.open_round(stored_job("j", "It takes 4.5 s."), 1, refs(1))
    complete(ledger, *take_and_claim(ledger))
    assert status(ledger, tmp_path).place == 0
    pace = paces(ledger)["assembly"]
    assert pace > PACE * 0.99
    assert status(ledger, tmp_path).seconds_left == pytest.approx(pace, abs=0.06)
    take_and_claim(ledger, "assembly")
    found = status(ledger, tmp_path)
    assert (found.place, found.state) == (None, JobState.ASSEMBLING)
    assert found.seconds_left == pytest.approx(pace / 2, abs=0.06)


def test_a_film_twice_as_long_takes_twice_as_long_to_assemble(ledger: Ledger) -> None:
    spend(ledger)
    ledger.open_round(stored_job("long", "The first.", "It ends at 9.5 s."), 1, refs(1))
    ledger.open_round(stored_job("short", "It ends at 4.5 s."), 1, refs(1))
    short, long = (paces(ledger, id_)["assembly"] for id_ in ("short", "long"))
    assert short > PACE * 0.99
    assert long / short == pytest.approx(9.5 / 4.5)


@pytest.mark.parametrize("seed", range(4))
def test_a_job_that_is_not_submitted_is_told_the_place_that_it_would_have(
    ledger: Ledger, seed: int
) -> None:
    chance = random.Random(seed)
    ledger.crew.beat(record(slots=2))
    for n in range(chance.randint(1, 15)):
        ledger.open_round(job(f"j{n}", f"t{chance.randint(0, 4)}"), 1, refs(chance.randint(1, 9)))
    for at in take(ledger):
        claim(ledger, at, "w")
    take(ledger)
    count, tenant = chance.randint(1, 20), f"t{chance.randint(0, 5)}"
    foreseen, assembly = ledger.standings.foresee(tenant, {QUEUE: count})
    assert (assembly.queue, assembly.work) == ("assembly", 1)
    ledger.open_round(job("new", tenant), 1, refs(count))
    found = standing(ledger, "new")
    assert found
    assert (foreseen.work, foreseen.slots) == (found.work, found.slots)


def test_an_estimate_is_the_time_that_a_job_has_once_it_is_submitted(
    ledger: Ledger, tmp_path: Path
) -> None:
    load = Load("t", 4.5, Counter({QUEUE: 5}), lines=Counter({QUEUE: 10}))
    asked = stored_job("j", "It takes 4.5 s.")
    (unknown,) = estimates(ledger, [load])
    assert unknown == Estimate(ready_in=None, costs=None, lacks=("assembly", "tone"))
    spend(ledger)
    ledger.crew.beat(record(slots=2))
    ledger.open_round(job("old", "t"), 1, refs(3))
    (found,) = estimates(ledger, [load])
    assert (found.costs, found.lacks) == ({}, ())
    pace = paces(ledger, "old")[QUEUE]
    # A batch without anything to speak takes no time, and jobs that are asked about together
    # take turns.
    idle = Load("t", 4.5, Counter({QUEUE: 5}), idle=Counter({QUEUE: 4}))
    (short,) = estimates(ledger, [idle])
    assert found.ready_in
    assert short.ready_in == pytest.approx(found.ready_in - 4 * pace / 2, abs=0.11)
    first, second = estimates(ledger, [load, load])
    assert first == second
    assert first.ready_in == pytest.approx(found.ready_in + 5 * pace / 2, abs=0.11)
    ledger.open_round(asked.model_copy(update={"tenant": "t"}), 1, refs(5))
    assert status(ledger, tmp_path).seconds_left == found.ready_in


def test_the_cost_of_a_line_is_the_mean_of_the_batches_of_late(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(300))
    batches = iter(take_and_claim(ledger))

    def after(lines: int, costs: Mapping[str, int]) -> dict[str, int]:
        ledger.complete(next(batches), ["1", "2"], 0, 1.0, lines, costs)
        at, _ = ledger.standings.foresee("t", {QUEUE: 1})
        return {currency: round(cost) for currency, cost in at.costs.items()}

    yuan, base, dollars = "tone:2026-11:CNY", "base:2026-11:CNY", "tone:2026-11:USD"
    assert after(2, {yuan: 600, base: 200}) == {"CNY": 400}
    # One whose clips were all stored tells nothing.
    assert after(0, {}) == {"CNY": 400}
    assert after(1, {yuan: 700}) == {"CNY": 500}
    assert after(2, {dollars: 80}) == {"CNY": 375, "USD": 40}
    for _ in range(30):
        found = after(2, {dollars: 80})
    assert found["USD"] == 40
    assert 0 < found["CNY"] < 375 / 3
    # Where lines cost nothing any more, none is told in the end.
    for _ in range(200):
        found = after(2, {})
    assert found == {}


def test_without_a_worker_there_is_no_time_but_what_is_lacking(
    ledger: Ledger, tmp_path: Path
) -> None:
    spend(ledger)
    ledger.open_round(job(), 1, refs(5))
    found = status(ledger, tmp_path)
    assert (found.place, found.seconds_left) == (0, None)
    assert found.lacks == ("assembly", "tone")
    assert "no worker is online for assembly, no worker is online for tone" in describe(found)
    ledger.crew.beat(record(queues=(QUEUE,)))
    assert status(ledger, tmp_path).lacks == ("assembly",)


def test_a_job_that_ended_has_no_place(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(5))
    ledger.end("j", 1, JobState.CANCELLED)
    assert standings(ledger, "nobody") == []
    assert standings(ledger, "j") == []


def test_many_jobs_are_told_at_once_as_each_is_alone(ledger: Ledger, redis_url: str) -> None:
    chance = random.Random(1)
    ledger.crew.beat(record(slots=2))
    names = [f"j{n}" for n in range(250)]
    for name in names:
        ledger.open_round(job(name, f"t{chance.randint(0, 1)}"), 1, refs(chance.randint(1, 5)))
    take(ledger)
    alone = [ledger.standings.snapshot(name) for name in names]
    assert ledger.standings.snapshots(names) == alone
    with redis.from_url(redis_url) as server:
        # The counts are kept for a second.
        for key in server.keys("dubbing:counts:*"):
            server.delete(key)
    assert ledger.standings.snapshots(names) == alone


def test_a_long_queue_is_not_counted_for_each_who_asks(ledger: Ledger, redis_url: str) -> None:
    for n in range(200):
        ledger.open_round(job(f"j{n}"), 1, refs(2))
    with redis.from_url(redis_url, decode_responses=True) as server:
        # As if the second in which the counts are kept lasted.
        ledger.standings.snapshot("j0")
        (kept,) = server.keys("dubbing:counts:*")
        server.persist(kept)
        server.config_resetstat()
        for n in range(50):
            assert ledger.standings.snapshot(f"j{n}")
        calls = server.info("commandstats")["cmdstat_llen"]["calls"]
    # The job's own batches, and the tenant's.
    assert calls < 4 * 50


@pytest.mark.parametrize(
    ("place", "seconds", "said"),
    [
        (None, None, "j: queued, 0 of 9 lines"),
        (0, 0.4, "j: queued, 0 of 9 lines, about 1 s left"),
        (1, 89.4, "j: queued, 0 of 9 lines, 1 batch ahead, about 89 s left"),
        (12, 240.0, "j: queued, 0 of 9 lines, 12 batches ahead, about 4 min left"),
        (300, 7900.0, "j: queued, 0 of 9 lines, 300 batches ahead, about 2 h 12 min left"),
    ],
)
def test_people_read_place_and_time(place: int | None, seconds: float | None, said: str) -> None:
    found = Status(
        id="j", state=JobState.QUEUED, round=1, lines=9, place=place, seconds_left=seconds
    )
    assert describe(found) == said

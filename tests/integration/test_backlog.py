"""What waits, how long, and how many workers it wants: counted in a real ledger."""

from __future__ import annotations

import time

import pytest
from ledgers import EXTRACTION, QUEUE, begin, claim, complete, job, record, refs, take
from shell import Shell

from dubbing.job import JobState
from dubbing.ledger import Audit, Ledger
from dubbing.ledger.backlog import Backlog
from dubbing.queue.scaling import Hint, scale_hints

SHORT = 0.05


@pytest.fixture
def ledger(redis_url: str) -> Ledger:
    return Ledger(redis_url, lease=SHORT, grace=SHORT)


def lines(ledger: Ledger, queue: str = QUEUE) -> tuple[int, int]:
    """Return the lines that wait on a queue, and those that are being worked on."""
    of = ledger.gauges.backlog()[0].get(queue, Backlog())
    return of.waiting, of.running


def hint(ledger: Ledger, deadline: float, servers: int | None = None) -> Hint:
    backlog, _ = ledger.gauges.backlog()
    endpoints = {} if servers is None else {"tone": servers}
    workers = ledger.crew.workers()
    return scale_hints(ledger.gauges, backlog, workers, ["tone"], endpoints, deadline)["tone"]


def test_all_lines_of_all_jobs_wait_until_somebody_works_on_them(ledger: Ledger) -> None:
    assert lines(ledger) == (0, 0)
    for name in ("a", "b"):
        plan = [*refs(3), *refs(1, queue=EXTRACTION, first=3), *refs(5, needs=3, first=4)]
        ledger.open_round(job(name), 1, plan)
    # Two lines a batch; those that wait for a voice count, which the queue cannot show yet.
    assert lines(ledger) == (32, 0)
    assert lines(ledger, EXTRACTION) == (4, 0)
    at, *_ = take(ledger)
    assert lines(ledger) == (32, 0)
    claim(ledger, at, "w")
    begin(ledger, at, ["1", "2"])
    assert lines(ledger) == (30, 2)
    complete(ledger, at)
    complete(ledger, at)
    assert lines(ledger) == (30, 0)
    ledger.end("b", 1, JobState.CANCELLED)
    ledger.end("a", 1, JobState.FAILED)
    assert ledger.gauges.backlog() == ({}, {})
    (totals,) = ledger.totals.of([""])
    assert totals["dubbing_jobs_total|cancelled"] == totals["dubbing_jobs_total|failed"] == 1


def test_a_batch_that_was_handed_back_waits(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    claim(ledger, at, "w")
    ledger.release(at, "w", pause=60)
    assert lines(ledger) == (2, 0)


def test_a_film_waits_once_its_last_line_is_spoken(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(1))
    (at,) = take(ledger)
    claim(ledger, at, "w")
    assert lines(ledger, "assembly") == (0, 0)
    complete(ledger, at)
    assert lines(ledger, "assembly") == (1, 0)
    (film,) = take(ledger, "assembly")
    claim(ledger, film, "w")
    assert lines(ledger, "assembly") == (0, 1)
    assert ledger.gauges.backlog()[1] == {"assembling": 1}
    ledger.end("j", 1, JobState.COMPLETED)
    assert ledger.gauges.backlog() == ({}, {})


def test_work_has_waited_since_its_job_came_and_not_since_it_was_sent(ledger: Ledger) -> None:
    ledger.open_round(job("old"), 1, refs(2))
    time.sleep(0.2)
    came = time.monotonic()
    ledger.open_round(job("new"), 1, refs(2))
    assert 0.2 <= ledger.gauges.backlog()[0][QUEUE].oldest < 5
    # The same round again, as after a loss, is not younger.
    ledger.open_round(job("old"), 1, refs(2))
    oldest = ledger.gauges.backlog()[0][QUEUE].oldest
    assert oldest >= 0.2
    ledger.end("old", 1, JobState.CANCELLED)
    oldest = ledger.gauges.backlog()[0][QUEUE].oldest
    # Of the old one it would be 0.2 s more.
    assert oldest < time.monotonic() - came + 0.1


def test_what_redis_lost_of_it_is_found_and_counted_again(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(3))
    with ledger._server.commands() as server:
        server.delete("dubbing:backlog")
        assert ledger.audit(["j"]) == [Audit.BROKEN]
        ledger.open_round(job(), 1, refs(3))
        assert ledger.audit(["j"]) == [Audit.SOUND]
        assert lines(ledger) == (6, 0)
        # A job that is gone has no work, nor has an entry that is not ours.
        server.delete("dubbing:job:j")
        server.hset("dubbing:backlog", "spoilt", "x")
        assert ledger.gauges.backlog() == ({}, {})


def test_a_worker_that_is_gone_is_counted_once_and_a_pause_is_not(ledger: Ledger) -> None:
    ledger.open_round(job(), 1, refs(2))
    gone, paused = take(ledger)
    claim(ledger, gone, "w")
    claim(ledger, paused, "v")
    ledger.release(paused, "v")
    time.sleep(2 * SHORT)
    assert len(take(ledger)) == 2
    take(ledger)
    assert ledger.totals.of([""]) == [{"dubbing_leases_lost_total|tone": 1}]


def test_a_thousand_jobs_are_counted_together(ledger: Ledger) -> None:
    for n in range(1000):
        ledger.open_round(job(f"j{n}", f"t{n % 7}"), 1, refs(2))
    assert lines(ledger) == (4000, 0)


def test_totals_of_workers_add_up_to_those_of_all(ledger: Ledger) -> None:
    ledger.totals.add({"x|tone": 2}, "a")
    ledger.totals.add({"x|tone": 3, "y": 1}, "b")
    ledger.totals.add({"x|tone": 4})
    assert ledger.totals.of(["", "a", "b", "c"]) == [
        {"x|tone": 9, "y": 1},
        {"x|tone": 2},
        {"x|tone": 3, "y": 1},
        {},
    ]


def test_an_engine_wants_workers_for_its_work_and_none_without(ledger: Ledger) -> None:
    assert hint(ledger, 60).wanted == 0
    ledger.open_round(job("first"), 1, refs(1))
    # Nobody knows yet how long a batch takes.
    assert (hint(ledger, 60).wanted, hint(ledger, 60).seconds) == (1, None)
    (at,) = take(ledger)
    claim(ledger, at, "w")
    ledger.complete(at, ["1", "2"], 0, 10.0)
    assert hint(ledger, 60).wanted == 0

    ledger.open_round(job("second"), 1, refs(30))
    # Thirty batches of ten seconds.
    assert hint(ledger, 300).wanted == 1
    assert hint(ledger, 100).wanted == 3
    # More workers than batches would have nothing to do.
    assert hint(ledger, 1).wanted == 30
    ledger.crew.beat(record(slots=2))
    assert (hint(ledger, 100).wanted, hint(ledger, 100).seconds_left) == (2, 150)
    ledger.end("second", 1, JobState.CANCELLED)
    assert (hint(ledger, 100).wanted, hint(ledger, 100).seconds_left) == (0, 0)


def test_of_an_engine_that_speaks_elsewhere_the_servers_are_told(ledger: Ledger) -> None:
    ledger.crew.beat(record(slots=1))
    ledger.open_round(job("first"), 1, refs(1))
    (at,) = take(ledger)
    claim(ledger, at, "w")
    ledger.complete(at, ["1", "2"], 0, 10.0)
    ledger.open_round(job("second"), 1, refs(30))
    # One worker needs 300 s with two servers.
    assert hint(ledger, 100, servers=2).wanted == 6
    assert hint(ledger, 600, servers=2).wanted == 1
    assert hint(ledger, 100, servers=0).wanted == 1


def test_the_command_tells_what_is_wanted(shell: Shell, ledger: Ledger) -> None:
    assert shell.json("scale-hint", "--engine", "tone")["engines"]["tone"]["wanted"] == 0
    ledger.crew.beat(record(slots=1))
    ledger.open_round(job(), 1, refs(30))
    at, *_ = take(ledger)
    claim(ledger, at, "w")
    ledger.complete(at, ["1", "2"], 0, 120.0)
    told = shell.json("scale-hint", "--deadline", "0.5h")
    assert told["deadline_seconds"] == 1800
    assert told["engines"]["assembly"]["wanted"] == 0
    tone = told["engines"]["tone"]
    # 29 batches of two minutes.
    assert (tone["waiting"], tone["wanted"], tone["unit"]) == (58, 2, "workers")
    assert tone["seconds_left"] == pytest.approx(29 * 120)
    assert "tone\t58\t0\t58 min\t1\t1 worker\n" in shell("scale-hint")[0]
    # Its servers speak for it, and it has none yet.
    assert shell.json("scale-hint", "--engine", "indextts")["engines"]["indextts"]["unit"] == (
        "endpoints"
    )
    assert "did you mean 'tone'?" in shell("scale-hint", "--engine", "tome", code=2)[1]
    assert "write 30m, 2h or 1d" in shell("scale-hint", "--deadline", "soon", code=2)[1]

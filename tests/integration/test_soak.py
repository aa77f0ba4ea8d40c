"""The soak itself: a short one passes, and what it looks for is found."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import redis
from services import PLUGINS
from system import System, numbered, script

from dubbing.errors import NotFound
from dubbing.job import JobState
from dubbing.jobs.store import End
from dubbing.queue import queues_of
from dubbing.storage.keys import Keys

SCRIPTS = Path(__file__).parents[2] / "scripts"
SEED = "7616"
"""A loss, a damaged result and malformed entries; no line kills its process, which would take three
leases to be given up."""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("soak")) as system:
            yield system


def faults(system: System, life: Any) -> list[str]:
    from soaking.reconcile import Audit

    audit = Audit(system, {}, set(), [])
    return [*audit.job(life), *audit.storage(), *audit.ledger()]


def lived(system: System, name: str, *texts: str, poison: frozenset[str] = frozenset()) -> Any:
    """A job of these texts that has ended, as its customer knows it."""
    from soaking.customers import Life
    from soaking.orders import Order

    job = script(name, *texts)
    life = Life(Order(job=job, poison=poison, again=0, cancel_at=None, retry=False, older=False))
    life.last = system.run(job)
    system.unmarked(name)
    return life


def test_a_short_soak_loses_nothing_and_leaves_nothing() -> None:
    # Its Redis has a socket there, whose path may not exceed some 100 characters.
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        done = subprocess.run(
            [sys.executable, SCRIPTS / "soak", "--seed", SEED, "--minutes", "0.1"],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "TMPDIR": folder},
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "every line of every job is there once" in done.stdout
        assert list(Path(folder).iterdir()) == []


def test_the_seed_alone_decides_what_strikes_and_what_is_worked_on() -> None:
    from soaking.orders import make_order
    from soaking.strikes import strikes

    short, long = list(strikes(7, 60)), list(strikes(7, 120))
    assert long[: len(short)] == short
    assert short != list(islice(strikes(8, 600), len(short)))
    assert make_order(7, 3, Path("sound")) == make_order(7, 3, Path("sound"))
    assert make_order(7, 3, Path("sound")) != make_order(7, 4, Path("sound"))


def test_a_job_that_ended_well_is_found_whole(system: System) -> None:
    assert faults(system, lived(system, "well", *numbered("Well", 6))) == []


def test_a_clip_that_is_gone_is_found(system: System) -> None:
    life = lived(system, "gone", *numbered("Gone", 6))
    take = system.outcomes(life.order.job)["2"].result.takes[0]
    system.client.storage.delete(take.key)
    assert faults(system, life) == ["gone: line 2 of round 1 has no clip that can be heard"]


def test_a_good_line_that_failed_is_found_and_a_bad_one_is_not(system: System) -> None:
    texts = (*numbered("Bad", 3), "This one fails. <silence>")
    life = lived(system, "bad", *texts, poison=frozenset({"3"}))
    assert faults(system, life) == []
    (fault,) = faults(system, lived(system, "unfair", *numbered("Unfair", 3), texts[3]))
    assert "line 3 failed, and nothing is wrong with it" in fault


def test_a_result_that_is_gone_is_found(system: System) -> None:
    life = lived(system, "lost", *numbered("Lost", 6))
    key = Keys.result("lost", 1, 0)
    system.client.storage.delete(key)
    assert f"lost: round 1 ended without ['{key}']" in faults(system, life)


def test_a_job_that_is_gone_or_never_ended_is_found(system: System) -> None:
    life = lived(system, "vanished", *numbered("Vanished", 3))
    for key in system.keys(life.order.job):
        system.client.storage.delete(key)
    with redis.from_url(system.settings.redis) as server:
        server.flushall()
    (fault,) = faults(system, life)
    assert "acknowledged data is gone" in fault


def test_what_is_written_after_a_cancel_is_found(system: System) -> None:
    life = lived(system, "other", *numbered("Other", 2))
    job = script("cancelled", *numbered("Cancelled", 40, "<slow:0.1>"))
    key = Keys.result("cancelled", 1, 0)
    path = system.client.storage.path(key)
    assert path
    # It does not end before it is cancelled.
    with system.frozen("assembly"):
        system.client.submit(job)
        system.until(path.exists, "a result stored")
        ended = system.client.cancel("cancelled")
    life.order, life.last, life.cancelled = _of(life.order, job), ended, {1}
    assert faults(system, life) == []
    os.utime(path, (path.stat().st_mtime + 60,) * 2)
    (fault,) = faults(system, life)
    assert f"{key} was written" in fault


def test_what_an_ended_job_leaves_in_storage_or_ledger_is_found(system: System) -> None:
    life = lived(system, "left", *numbered("Left", 2))
    system.client.storage.create(Keys.open("left"), b"")
    with redis.from_url(system.settings.redis) as server:
        server.rpush("dubbing:job:left:todo:synthesis.faulty", "0:0:0:0")
        assert faults(system, life) == [
            "open/left is still marked",
            "the ledger still has dubbing:job:left:todo:synthesis.faulty, a list",
        ]
        server.delete("dubbing:job:left:todo:synthesis.faulty")
    system.client.storage.delete(Keys.open("left"))


def test_all_that_the_system_keeps_in_redis_is_of_a_kind_that_can_be_lost(system: System) -> None:
    from soaking.losses import keys_by_kind

    job = script("kinds", *numbered("Kinds", 400, "<slow:0.1>"))
    system.client.submit(job)
    system.begun(job, 8)
    with redis.from_url(system.settings.redis, decode_responses=True) as server:
        queues = [queue for engine in system.ENGINES for queue in queues_of(engine)]
        kept = set(server.keys("dubbing:*"))
        found = keys_by_kind(server, queues)
    known = {key for keys in found.values() for key in keys}
    # Some come and go between the two looks.
    assert {key.split(":")[1] for key in kept - known} <= {"ring", "new", "turn"}
    assert {"jobs", "owners", "leases", "workers", "slots", "bindings"} <= found.keys()
    system.client.cancel(job.id)


def test_a_loss_takes_a_share_of_keys_or_entries(system: System) -> None:
    from soaking.losses import lose_entries, lose_keys

    with redis.from_url(system.settings.redis, decode_responses=True, db=1) as server:
        server.rpush("a", *range(7))
        server.hset("b", mapping={str(n): n for n in range(6)})
        server.zadd("c", {str(n): n for n in range(7)})
        assert lose_entries(server, ["a", "b", "c", "gone"], random.Random(1)) == 6
        assert server.llen("a") + server.hlen("b") + server.zcard("c") == 14
        assert lose_keys(server, ["a", "b", "c"], random.Random(1)) == 1
        assert server.dbsize() == 2
        server.flushdb()


@pytest.mark.parametrize("blow", ["LOSE_RESULT", "DAMAGE_RESULT", "DAMAGE_CLIP"])
def test_harm_that_a_job_could_have_noticed_stays_a_fault(system: System, blow: str) -> None:
    from soaking.damage import BEING_READ, Damage
    from soaking.strikes import STORAGE, Blow, Strike

    job = script(f"harm-{blow}", *numbered(blow, 24, "<slow:0.05>"))
    damage, strike = Damage(system), Strike(at=0, blow=Blow[blow], target=STORAGE, lasts=0, pick=1)
    # Nobody reads it before the job is cancelled.
    with system.frozen("assembly"):
        system.client.submit(job)
        system.until(lambda: damage.do(strike), "a result stored")
        (hit,) = damage.hits
        system.client.cancel(job.id)
    (path,) = [system.client.storage.path(hit.key)]
    assert path and (path.read_bytes() if path.exists() else None) == hit.left != hit.before
    # It was cancelled: nobody reads it any more.
    damage.put_back()
    assert path.read_bytes() == hit.before

    key = Keys.end(job.id, 1)
    end = End.model_validate_json(system.client.storage.get(key))
    late = end.model_copy(update={"state": JobState.COMPLETED, "at": hit.at + BEING_READ + 1})
    system.client.storage.replace(key, late.model_dump_json().encode())
    if hit.left is None:
        path.unlink()
    else:
        path.write_bytes(hit.left)
    damage.put_back()
    assert (path.read_bytes() if path.exists() else None) == hit.left


def test_the_release_before_works_beside(system: System, tmp_path: Path) -> None:
    from soaking.before import Before

    try:
        before = Before(tmp_path / "before", system.settings)
    except NotFound as exc:
        pytest.skip(str(exc))
    job = script("before", *numbered("Before", 3))
    before.submit(job)
    assert system.wait(job.id).state is JobState.COMPLETED
    assert system.whole(job)


def _of(order: Any, job: Any) -> Any:
    from dataclasses import replace

    return replace(order, job=job)

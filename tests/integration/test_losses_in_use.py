"""A system at work whose Redis evicts keys, and whose storage loses results."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis
from services import PLUGINS
from system import System, numbered, script

from dubbing.script.manifest import Manifest
from dubbing.storage.keys import Keys


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("losses")) as system:
            system.ready()
            yield system


def spoken(system: System, jobs: Sequence[Manifest]) -> int:
    """Return how many lines of some jobs were begun."""
    return sum(system.spoken(job).total() for job in jobs)


@pytest.mark.parametrize("seed", [1, 2])
def test_jobs_outlive_a_redis_that_evicts_a_third_of_its_keys(system: System, seed: int) -> None:
    chance = random.Random(seed)
    jobs = [
        script(f"{name}{seed}", *numbered(f"{name}{seed}", 24, "<slow:0.1>"), tenant=tenant)
        for name, tenant in (("a", "t"), ("b", "t"), ("c", "u"))
    ]
    for job in jobs:
        system.client.submit(job)
    with redis.from_url(system.settings.redis) as server:
        for begun in (6, 24):
            system.until(lambda begun=begun: spoken(system, jobs) >= begun, f"{begun} lines begun")
            keys = sorted(server.scan_iter("*"))
            server.delete(*chance.sample(keys, len(keys) // 3))
    for job in jobs:
        system.wait(job.id)
        assert system.whole(job)


def test_a_job_whose_results_are_lost_and_damaged_is_whole(system: System) -> None:
    job = script("results", *numbered("Results", 24, "<slow:0.05>"), allow_missing=0.5)
    folder = Path(system.client.storage.url) / Keys.results(job.id, 1)
    # Nobody reads them before.
    with system.frozen("assembly"):
        system.client.submit(job)
        system.until(lambda: len(list(folder.glob("*.json"))) >= 3, "results stored")
        lost, damaged, *_ = sorted(folder.glob("*.json"))
        lost.unlink()
        damaged.write_bytes(damaged.read_bytes()[:-20])
    system.wait(job.id)
    assert system.whole(job)
    assert system.client.status(job.id).round == 2
    assert set(system.spoken(job).values()) == {1}

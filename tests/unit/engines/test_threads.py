from __future__ import annotations

import os
from pathlib import Path

import pytest

from dubbing.engines import threads as module
from dubbing.engines.threads import VARIABLE, cores, share, threads


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 8 cores without limits; returns the folder where Linux would tell them."""
    group = tmp_path / "own"
    group.write_text("1:net_cls:/\n0::/a.slice/a.service\n")
    monkeypatch.setattr(module, "OWN_GROUP", group)
    monkeypatch.setattr(module, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    return tmp_path / "groups"


@pytest.mark.parametrize(
    ("written", "found"), [("", 1), ("4", 4), ("0", 1), ("many", 1), ("-2", 1), ("1.5", 1)]
)
def test_a_process_uses_the_threads_that_its_worker_says(
    monkeypatch: pytest.MonkeyPatch, written: str, found: int
) -> None:
    monkeypatch.setenv(VARIABLE, written)
    assert threads() == found


def test_outside_of_a_worker_a_model_uses_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert threads() == 1


def test_the_processes_of_a_worker_share_the_cores(machine: Path) -> None:
    assert [share(slots) for slots in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "6400000 100000\n"}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": ""}, 8),
        ({"a.slice/a.service/cpu.max": "300000 100000\n", "cpu.max": "max 100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
    ],
)
def test_a_container_or_a_service_has_no_more_cores_than_its_limit(
    machine: Path, files: dict[str, str], found: int
) -> None:
    for name, content in files.items():
        (machine / name).parent.mkdir(parents=True, exist_ok=True)
        (machine / name).write_text(content)
    assert cores() == found


def test_a_process_that_is_bound_to_some_cores_has_no_others(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5})
    assert cores() == 2

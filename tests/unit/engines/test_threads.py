from __future__ import annotations

import os

import pytest

from dubbing.engines.threads import VARIABLE, share, threads


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


def test_the_processes_of_a_worker_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert [share(slots) for slots in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]

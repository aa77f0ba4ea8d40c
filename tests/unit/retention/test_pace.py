"""A collection leaves the machine to jobs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from dubbing.retention import pace
from dubbing.retention.pace import LEISURE, SHORTEST, Pace, busy


def test_others_want_all_processors_when_more_run_than_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LOAD", tmp_path / "loadavg")
    assert busy()
    for running, expected in ((1, False), (1 + (os.cpu_count() or 1), True)):
        (tmp_path / "loadavg").write_text(f"0.10 0.20 0.30 {running}/512 4711\n")
        assert busy() is expected


def test_it_rests_in_proportion_to_what_it_used_and_only_beside_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rests: list[float] = []
    used = iter([0.0, 2 * SHORTEST, 2 * SHORTEST, 2.5 * SHORTEST] * 2)
    # Other threads of this process use processors as well: the clock is the test's own.
    monkeypatch.setattr(time, "process_time", lambda: next(used))
    monkeypatch.setattr(time, "sleep", rests.append)
    for is_busy in (False, True):
        monkeypatch.setattr(pace, "busy", lambda now=is_busy: now)
        own = Pace()
        own.rest()
        own.rest()
    assert rests == [LEISURE * 2 * SHORTEST]

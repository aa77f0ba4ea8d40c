"""What a watcher is told while nobody works on a job."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dubbing.cli import output
from dubbing.cli.output import attended, describe
from dubbing.job import JobState
from dubbing.jobs.status import Status

WHY = "b cannot be loaded: the model is damaged"


def status(**fields: object) -> Status:
    return Status.model_validate(
        {"id": "j", "state": JobState.QUEUED, "round": 1, "lines": 2, **fields}
    )


HINDERED = status(
    lacks=("a", "b", "d"), unable={"b": WHY}, faults={"d": "the disk is full"}, loading=("c",)
)


def test_a_status_says_what_is_lacking_and_why() -> None:
    assert describe(HINDERED) == (
        f"j: queued, 0 of 2 lines, no worker is online for a, {WHY}, "
        "no worker takes work for d now: the disk is full, c is being loaded"
    )
    assert describe(status()) == "j: queued, 0 of 2 lines"


def test_a_status_says_what_was_used_that_cost_something() -> None:
    used = [
        {"engine": "a", "seconds": 12.3, "cost": 0.00677, "currency": "CNY"},
        {"engine": "b", "seconds": 7200},
    ]
    told = "j: queued, 0 of 2 lines, 12 s of a used for 0.0068 CNY"
    assert describe(status(used=used)) == told


def said(statuses: Iterator[Status], capsys: pytest.CaptureFixture[str]) -> list[str]:
    for _ in attended(statuses):
        pass
    return capsys.readouterr().err.splitlines()


def test_a_watcher_is_told_at_once_and_once_what_cannot_be_loaded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unable = status(lacks=("b",), unable={"b": WHY})
    assert said(iter([status(), unable, unable]), capsys) == [f"warning: {WHY}"]


def test_a_watcher_is_told_in_time_of_what_is_lacking_or_loaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = status(lacks=("a",), loading=("c",))
    assert said(iter([waiting, waiting]), capsys) == []
    monkeypatch.setattr(output, "PATIENCE_SECONDS", 0.0)
    assert said(iter([waiting]), capsys) == [
        "warning: no worker is online for a: start `dubbing worker a`",
        "warning: c is being loaded",
    ]


def test_a_watcher_is_told_once_that_redis_is_away_and_that_it_is_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    away = status(redis_away="no answer")
    assert said(iter([status(), away, away, status(), status()]), capsys) == [
        "warning: waiting for Redis; work does not stop with this command: no answer",
        "Redis answers again",
    ]
    assert describe(away) == "j: queued, 0 of 2 lines, Redis could not be asked"

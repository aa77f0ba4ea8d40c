"""The command line: exit codes, summaries of cautions, times, and guesses at mistyped names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import get_args

import click
import pytest

from dubbing import errors
from dubbing.cli.cautions import SUMMED, summed_up
from dubbing.cli.commands import group
from dubbing.cli.exit_codes import AWAY, DONE, FAILED, REFUSED, of_error, of_jobs
from dubbing.cli.options import past
from dubbing.documents import together
from dubbing.errors import BadInput, DubbingError
from dubbing.job import JobState
from dubbing.job.caution import Caution, Code
from dubbing.jobs.status import Status

WRONG = (
    *(errors.BadInput, errors.Conflict, errors.NotFound, errors.EngineMissing),
    *(errors.QueueRefused, errors.StorageRefused, errors.Damaged, errors.NewerRelease),
    errors.WrongInstallation,
)
"""Errors for which the caller must change something."""
SILENT = (errors.QueueUnavailable, errors.StorageUnavailable)
"""Errors after which the state of a job is unknown."""


def kinds(base: type[DubbingError]) -> Iterator[type[DubbingError]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted(kinds(DubbingError), key=lambda kind: kind.__name__))
def test_every_error_has_a_code(kind: type[DubbingError]) -> None:
    otherwise = AWAY if issubclass(kind, SILENT) else FAILED
    assert of_error(kind.__new__(kind)) == (REFUSED if issubclass(kind, WRONG) else otherwise)


def test_a_command_that_waited_ends_as_its_jobs_did() -> None:
    done, failed = (
        Status(id="a", state=state, round=1, lines=1)
        for state in (JobState.COMPLETED, JobState.FAILED)
    )
    assert (of_jobs([done, done]), of_jobs([done, failed])) == (DONE, FAILED)


def caution(number: int, code: Code = "too_dense", file: str = "e01.srt") -> Caution:
    return Caution(code=code, segment=str(number), message=f"cue {number}: wrong", file=file)


def test_a_few_cautions_are_shown_and_many_are_summed_up_by_kind() -> None:
    dense = [caution(n, file=f"e{n:02}.srt") for n in range(1, 413)]
    overlaps = [caution(n, "overlap") for n in (7, 8, 9)]
    mixed = [dense[0], overlaps[0], *dense[1:], *overlaps[1:], caution(1, "role", "")]
    assert list(summed_up(mixed)) == [
        "412 lines are too dense (first: e01.srt: cue 1: wrong); --json lists them all",
        "e01.srt: cue 7: wrong",
        "e01.srt: cue 8: wrong",
        "e01.srt: cue 9: wrong",
        "cue 1: wrong",
    ]


def test_every_kind_of_caution_can_be_summed_up() -> None:
    assert set(get_args(Code)) == SUMMED.keys()


@pytest.mark.parametrize(
    ("written", "ago"),
    [
        ("90m", timedelta(minutes=90)),
        ("2h", timedelta(hours=2)),
        ("1.5d", timedelta(hours=36)),
        (" 1w ", timedelta(weeks=1)),
    ],
)
def test_a_time_is_so_long_ago(written: str, ago: timedelta) -> None:
    assert abs(datetime.now().astimezone() - ago - past(written)) < timedelta(seconds=5)


def test_a_time_is_a_date_and_local_unless_it_says_otherwise() -> None:
    assert past("2026-03-01") == datetime(2026, 3, 1).astimezone()
    assert past("2026-03-01T18:30") == datetime(2026, 3, 1, 18, 30).astimezone()
    east = timezone(timedelta(hours=2))
    assert past("2026-03-01T18:30+02:00") == datetime(2026, 3, 1, 18, 30, tzinfo=east)


@pytest.mark.parametrize(
    "written", ["", "yesterday", "2", "2y", "-2h", "9999999999d", "2026-13-01"]
)
def test_what_is_no_time_is_refused_with_what_can_be_written(written: str) -> None:
    with pytest.raises(click.BadParameter, match="write 90m, 2h, 3d"):
        past(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["sttaus"], "'status'"),
        (["submitt", "x.srt"], "'submit'"),
        (["wroker", "tone"], "'worker'"),
        (["voices", "extrct"], "'extract'"),
        (["models", "ftech"], "'fetch'"),
        (["workers", "standbye", "w"], "'standby'"),
        (["zzz"], "known are: run, up"),
        (["status", "--collecton", "a"], "--collection"),
        (["submit", "x.srt", "--dryrun"], "--dry-run"),
        (["--versoin"], "--version"),
    ],
)
def test_what_was_mistyped_is_guessed(written: list[str], meant: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        group.main(written, standalone_mode=False)
    assert meant in caught.value.format_message()


def test_faults_of_several_files_are_told_apart() -> None:
    many = BadInput("2 things must be changed:\n  cue 1\n  cue 2", where="a.srt")
    assert str(together([many, BadInput("gone", where="b.srt")])) == (
        "2 things must be changed:\n  a.srt: 2 things must be changed:\n    cue 1\n    cue 2\n"
        "  b.srt: gone"
    )
    assert str(together([BadInput("gone", where="b.srt")])) == "b.srt: gone"

"""What commands tell people while they work."""

from __future__ import annotations

import pytest

from dubbing.cli.output import left_at_work, print_table, show_progress, stopping
from dubbing.errors import QueueUnavailable
from dubbing.job import JobState
from dubbing.jobs.status import Status


def test_ctrl_c_is_answered_at_once_with_what_becomes_of_the_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words, block in {
        "\nstopping\n": stopping(),
        "\nthe work continues: `dubbing watch j` shows it\n": left_at_work("dubbing watch j"),
    }.items():
        with pytest.raises(KeyboardInterrupt), block:
            raise KeyboardInterrupt
        assert capsys.readouterr().err == words


def test_who_gives_up_waiting_is_told_how_to_follow_the_work_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(QueueUnavailable), left_at_work("dubbing watch j"):
        raise QueueUnavailable("no answer")
    said = capsys.readouterr().err
    assert said == "work does not stop with this command: `dubbing watch j` shows it again\n"


def test_a_table_breaks_what_is_too_long_and_cuts_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "60", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    url = "https://example.org/" + "0123456789" * 8
    print_table(["model", "published at"], [["m", url]])
    shown = capsys.readouterr().out
    assert "published at" in shown
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert url[-10:] in "".join(line.strip() for line in shown.splitlines())


@pytest.mark.parametrize(("failed", "state"), [(1, JobState.FAILED), (0, JobState.COMPLETED)])
def test_a_failed_job_ends_with_the_command_that_explains_it(
    capsys: pytest.CaptureFixture[str], failed: int, state: JobState
) -> None:
    show_progress(iter([Status(id="j", state=state, round=1, lines=2, done=2, failed=failed)]))
    assert ("`dubbing why j`" in capsys.readouterr().err) == bool(failed)

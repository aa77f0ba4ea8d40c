"""What commands tell people while they work."""

from __future__ import annotations

import pytest

from dubbing.cli.output import left_at_work, stopping
from dubbing.errors import QueueUnavailable


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

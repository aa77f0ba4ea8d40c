"""What commands tell people while they work."""

from __future__ import annotations

import pytest

from dubbing.cli.output import left_at_work, stopping


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

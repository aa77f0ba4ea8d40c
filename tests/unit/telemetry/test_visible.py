"""Control characters in text and in lines of a log."""

from __future__ import annotations

import io
import logging

import pytest

from dubbing.telemetry.logs import Lines
from dubbing.telemetry.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;ZXZpbA==\x07", r"\x1b]52;c;ZXZpbA==\x07"),
        ("a\nb\tc\rd\x00", r"a\nb\tc\rd\x00"),
        ("\x7f\x9b31m\x85", r"\x7f\x9b31m\x85"),
        ("\u202egpj.exe\u2066 \u2029", r"\u202egpj.exe\u2066 \u2029"),
        # Two bytes of a file's name that are not UTF-8, and half a character of JSON.
        ("\udcff\udc80 \ud83d", r"\xff\x80 \ud83d"),
        ("Łódź, 東京, שלום\u200f, 🎬 [/b] \\x1b", "Łódź, 東京, שלום\u200f, 🎬 [/b] \\x1b"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_newlines_stay_where_they_are_meant() -> None:
    assert visible("a\n\tb\x1b", kept="\n\t") == "a\n\tb\\x1b"


def test_an_event_is_one_line_of_a_log_and_its_traceback_has_its_own_lines() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines("%(levelname)s: %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.warning("of %s", "b\nERROR: forged \x1b[2J")
    try:
        raise ValueError("\x1b]0;title\x07")
    except ValueError:
        logger.exception("it failed")
    first, second, *trace = stream.getvalue().splitlines()
    assert first == r"WARNING: of b\nERROR: forged \x1b[2J"
    assert second == "ERROR: it failed"
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1] == r"ValueError: \x1b]0;title\x07"

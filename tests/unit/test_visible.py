"""Text from elsewhere in messages."""

from __future__ import annotations

import pytest

from dubbing.errors import BadInput
from dubbing.visible import visible


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


@pytest.mark.parametrize(
    "name", ["Vrai\u00a0? 1.srt", "3.04\u202fPM.srt", "می\u200cخواهم.srt", "映画\u30001.srt"]
)
def test_an_error_names_a_file_as_it_is_called(name: str) -> None:
    assert str(BadInput("it is empty", where=name)) == f"{name}: it is empty"


def test_an_error_shows_a_name_in_one_line_and_no_overlong_value() -> None:
    error = BadInput(f"line 1 is {'x' * 10_000}: cut it\nline 2 is \x1b", where="a\nerror: b\udcff")
    first, second = str(error).split("\n")
    assert first.startswith(r"a\nerror: b\xff: line 1 is xxx")
    assert first.endswith("xxx: cut it")
    assert len(first) < 600
    assert second == r"line 2 is \x1b"

"""Events of ASS and SSA files."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import EVENTS, read, refused, said, texts

TIMES = "0:00:01.00,0:00:02.00"


def event(text: str, name: str = "") -> str:
    return f"{EVENTS}Dialogue: 0,{TIMES},Default,{name},0,0,0,,{text}\n"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"One,\Ntwo, three", "One,\ntwo, three"),
        (r"One\ntwo", "One\ntwo"),
        (r"One\htwo", "One two"),
        (r"{\an8\pos(1,2)\fad(0,9)}One{\r} two", "One two"),
        (r"{\k20}Ka{\kf30}ra{\ko10}o{\K5}ke", "Karaoke"),
        ("{a comment}One{\\i1}{another} two", "One two"),
        (r"{\p1}m 0 0 l 9 9{\p0}One", "One"),
        (r"{\t(0,500,\fscx120)}One", "One"),
        (r"{\pos(4,5)}Path {\pbo3}one", "Path one"),
    ],
)
def test_what_is_said_is_read_out_of_overrides(tmp_path: Path, written: str, text: str) -> None:
    assert texts(read(tmp_path, "a.ass", event(written))) == [text]


@pytest.mark.parametrize("empty", ["", " ", r"{\an8}", r"{\p1}m 0 0{\p0}", "{only a note}", r"\N"])
def test_events_without_words_are_skipped(tmp_path: Path, empty: str) -> None:
    line = "Dialogue: 0,0:00:04.00,0:00:06.00,Default,ANN,0,0,0,,Plain words.\n"
    assert said(read(tmp_path, "a.ass", event(empty) + line)) == [("ANN", "Plain words.")]


def test_a_file_of_events_without_words_is_refused(tmp_path: Path) -> None:
    assert "none of its cues holds words" in refused(tmp_path, "a.ass", event(r"{\p1}m 0 0{\p0}"))


@pytest.mark.parametrize("name", ["a.ssa", "a.ass"])
def test_ssa_is_read(tmp_path: Path, name: str) -> None:
    content = (
        "[Script Info]\nScriptType: v4.00\n\n[V4 Styles]\nFormat: Name, Fontname\n"
        "Style: Default,Arial\n\n[Events]\n"
        "Format: Marked, Start, End, Style, Actor, MarginL, MarginR, MarginV, Effect, Text\n"
        f"Dialogue: Marked=0,{TIMES},Default,Ann,0000,0000,0000,!Effect,Hi, you\n"
        "Picture: Marked=0,0:00:05.00,0:00:06.00,Default,,0,0,0,,a.bmp\n"
        "Sound: Marked=0,0:00:05.00,0:00:06.00,Default,,0,0,0,,a.wav\n"
    )
    assert said(read(tmp_path, name, content)) == [("Ann", "Hi, you")]


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ("Start, End, Text", f"{TIMES},Hi, you"),
        ("Start,End,Name,Text", f"{TIMES},Ann,Hi, you"),
        ("Layer, Name, Start, End, Style, Text", f"0,Ann,{TIMES},Default,Hi, you"),
        ("layer, START, end, style, actor, text", f"0,{TIMES},Default,Ann,Hi, you"),
    ],
)
def test_fields_are_read_in_the_order_that_the_file_gives(
    tmp_path: Path, fields: str, values: str
) -> None:
    ((speaker, text),) = said(
        read(tmp_path, "a.ass", f"[Events]\nFormat: {fields}\nDialogue: {values}\n")
    )
    assert text == "Hi, you"
    assert speaker == ("Ann" if "Ann" in values else "speaker")


def test_a_file_without_a_format_has_the_usual_order(tmp_path: Path) -> None:
    content = f"[Events]\nDialogue: 0,{TIMES},Default,Ann,0,0,0,,Hi\n"
    assert said(read(tmp_path, "a.ass", content)) == [("Ann", "Hi")]


def test_an_event_with_too_few_fields_is_refused(tmp_path: Path) -> None:
    content = f"[Events]\nFormat: Start, End, Name, Text\nDialogue: {TIMES},Hi\n"
    message = refused(tmp_path, "a.ass", content)
    assert "line 3:" in message
    assert "start,end,name,text" in message

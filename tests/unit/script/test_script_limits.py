"""Scripts that are too large, and files that are not scripts: refused at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dubbing.errors import BadInput
from dubbing.files import LARGEST
from dubbing.script.cues import MOST
from dubbing.script.subtitles import read_script

EVENTS = "[Events]\n"


def script(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, "utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read_script(path)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["srt", "vtt", "ass", "json"])
def test_too_many_cues_are_refused_at_once(tmp_path: Path, suffix: str) -> None:
    cue = {
        "srt": "00:00:01,000 --> 00:00:02,000\nx\n\n",
        "vtt": "00:01.000 --> 00:02.000\nx\n\n",
        "ass": "Dialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,x\n",
        "json": '{"start":1,"end":2,"text":"x"},',
    }[suffix]
    head = {"srt": "", "vtt": "WEBVTT\n\n", "ass": EVENTS, "json": "["}[suffix]
    path = script(tmp_path, f"a.{suffix}", head + cue * (MOST + 1))
    started = time.process_time()
    assert f"more than {MOST}" in refused(path)
    assert time.process_time() - started < 1


def test_a_file_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)
    assert "50 MB" in refused(path)


def test_a_cue_of_100_kb_is_refused(tmp_path: Path) -> None:
    for name, content in {
        "a.srt": "1\n00:00:01,000 --> 00:00:02,000\n" + "blah " * 20_000,
        "a.ass": EVENTS + "Dialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,," + "{\\p1}a" * 20_000,
    }.items():
        assert "more than 20000" in refused(script(tmp_path, name, content))


@pytest.mark.parametrize("name", ["missing.srt", "folder.srt", "nul\0.srt", "a.docx"])
def test_what_is_no_script_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.srt").mkdir()
    refused(tmp_path / name)

"""A DAPT transcript says what was heard, and is read as it was written."""

from __future__ import annotations

from pathlib import Path

from dubbing.job import Segment
from dubbing.script.dapt_writer import write_dapt
from dubbing.script.subtitles import read_script

SEGMENTS = (
    Segment(id="1", start=1, end=2, speaker="Ada <A>", text="Rows\nof & words."),
    Segment(id="c1", start=3, end=4, speaker="Ben", text="Is \x1b[2J this?"),
    Segment(id="three", start=5, end=6, speaker="Ada <A>", text="Not said."),
    Segment(id="four", start=0, end=1, speaker="Ben", text="The first."),
)
TIMES = {"1": (1.0, 1.75), "c1": (3.25, 4.125), "four": (0.0, 0.5)}


def test_what_was_heard_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "dub.ttml"
    write_dapt(SEGMENTS, TIMES, "de-AT", path)
    read = read_script(path)
    assert (read.language, read.cautions) == ("de-AT", ())
    assert [(s.start, s.end, s.speaker, s.text) for s in read.segments] == [
        (0.0, 0.5, "Ben", "The first."),
        (1.0, 1.75, "Ada <A>", "Rows\nof & words."),
        (3.25, 4.125, "Ben", "Is \ufffd[2J this?"),
    ]


def test_its_ids_are_those_of_the_segments_where_xml_takes_them(tmp_path: Path) -> None:
    write_dapt(SEGMENTS, TIMES, "de", tmp_path / "dub.ttml")
    text = (tmp_path / "dub.ttml").read_text()
    assert [text.count(f'xml:id="{id_}"') for id_ in ("four", "e2", "e3", "c1", "c2")] == [1] * 5
    assert 'daptm:scriptType="asRecorded"' in text

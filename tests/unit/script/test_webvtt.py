"""WebVTT by its own rules; the cases come from the web platform's tests of the parser."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import codes, read, refused, said, texts

ONE = "00:01.000 --> 00:02.000"
TWO = "00:03.000 --> 00:04.000"


@pytest.mark.parametrize(
    "header",
    [
        *("WEBVTT\n", "WEBVTT\n\n", "\ufeffWEBVTT\n\n", "WEBVTT - a scene\n\n", "WEBVTT\tx\n\n"),
        *("WEBVTT \n\n", "WEBVTT\n\n\n\n", "WEBVTT\nKind: captions\nLanguage: en\n\n"),
        *("WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n", "WEBVTT\ngarbage\n\n"),
        *("WEBVTT\nKind: captions\n", "WEBVTT\nNOTE x\n", "WEBVTT\n1\n", "WEBVTT\r\n", "WEBVTT\r"),
    ],
)
def test_cues_below_any_header_are_read(tmp_path: Path, header: str) -> None:
    job = read(tmp_path, "a.vtt", f"{header}{ONE}\nFirst cue.\n\n{TWO}\nSecond cue.\n")
    assert [(s.start, s.end, s.text) for s in job.segments] == [
        (1.0, 2.0, "First cue."),
        (3.0, 4.0, "Second cue."),
    ]
    assert job.cautions == ()


@pytest.mark.parametrize("header", ["WEBVTTx\n\n", "webvtt\n\n", " WEBVTT\n\n", "\nWEBVTT\n\n", ""])
def test_another_first_line_is_refused(tmp_path: Path, header: str) -> None:
    message = refused(tmp_path, "a.vtt", f"{header}{ONE}\nx\n")
    assert "line 1: a .vtt file begins with WEBVTT" in message


def test_times_on_the_first_line_are_refused(tmp_path: Path) -> None:
    assert "line 1: the cue is on" in refused(tmp_path, "a.vtt", f"WEBVTT {ONE}\nlost\n\n{TWO}\nx")


def test_only_an_empty_line_ends_a_cue(tmp_path: Path) -> None:
    content = f"WEBVTT\n\n{ONE}\n \nThe first words.\n\t\nand more.\n\n{TWO}\nTwo"
    assert texts(read(tmp_path, "a.vtt", content)) == ["The first words.\nand more.", "Two"]


def test_the_next_times_end_a_cue(tmp_path: Path) -> None:
    content = f"WEBVTT\n\n{ONE}\nFirst.\n{TWO}\nSecond.\n \n00:05.000 --> 00:06.000\nThird."
    assert texts(read(tmp_path, "a.vtt", content)) == ["First.", "Second.", "Third."]


@pytest.mark.parametrize("first", [0, 1, 101])
@pytest.mark.parametrize("blank", ["", " \n"])
def test_numbers_without_an_empty_line_above_are_not_spoken(
    tmp_path: Path, first: int, blank: str
) -> None:
    content = f"WEBVTT\n\n{first}\n{ONE}\nIn 1984.\n{blank}{first + 1}\n{TWO}\nSecond."
    assert texts(read(tmp_path, "a.vtt", content)) == ["In 1984.", "Second."]


@pytest.mark.parametrize(
    "name", [" leading space", "trailing space ", "-- >", "->", " ", "1.", "00:01", "Act I: Dawn"]
)
def test_any_identifier_is_left_out(tmp_path: Path, name: str) -> None:
    content = f"WEBVTT\n\n{name}\n{ONE}\ntext1\n\n{name}\n{TWO}\ntext2"
    assert texts(read(tmp_path, "a.vtt", content)) == ["text1", "text2"]


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        ("00:00:00.000 --> 00:00:01.000", 0, 1),
        ("0:00:00.000 --> 0:00:01.000", 0, 1),
        ("000:00:00.000 --> 00000:00:01.000", 0, 1),
        ("00:00.000 --> 00:00:01.000", 0, 1),
        ("100:00:00.000 --> 0100:00:01.000", 360000, 360001),
        ("   00:00:00.000    -->  00:00:01.000 ", 0, 1),
        ("\t\t00:00:00.000\t\t-->\t00:00:01.000\t", 0, 1),
        ("00:00:00.000-->00:00:01.000", 0, 1),
        ("00:00:00.000\f-->\f00:00:01.000", 0, 1),
        ("00:00.000 --> 00:01.000 align:start line:1% vertical:lr size:50% region:foo", 0, 1),
    ],
)
def test_times_are_read(tmp_path: Path, times: str, start: float, end: float) -> None:
    (segment,) = read(tmp_path, "a.vtt", f"WEBVTT\n\n{times}\ntext").segments
    assert (segment.start, segment.end, segment.text) == (start, end, "text")


@pytest.mark.parametrize(
    "time",
    [
        *("0000:00.000", "00:0:00.000", "00:0000.000", "00:00:0.000", "00:00:00000", "00:00:00.00"),
        *("00:00:00.", "00:00:00", "00:", "", ".", "00:000:00.000", "00:00:00.0000", "-00:00.000"),
        *("00:60.000", "60:00.000", "00::00:00.000", "00:00:00..000", "x00:00.000", "00-00.000"),
        *("99999999:00:00.000", "9" * 5000 + ":00:00.000"),
    ],
)
def test_times_that_no_player_reads_are_refused(tmp_path: Path, time: str) -> None:
    message = refused(tmp_path, "a.vtt", f"WEBVTT\n\n{time} --> 00:00:01.000\ninvalid")
    assert "line 3:" in message
    assert "are not valid times" in message


@pytest.mark.parametrize("line", ["foo-->", "-->foo", "--->", "-->-->", "-->", "a --> b"])
def test_an_arrow_in_text_is_refused(tmp_path: Path, line: str) -> None:
    message = refused(tmp_path, "a.vtt", f"WEBVTT\n\n{ONE}\ntext\n{line}\nlost")
    assert "line 5:" in message


@pytest.mark.parametrize(
    "block",
    [
        *("NOTE", "NOTE one line", "NOTE\nof two\nlines", "NOTE\tx", "NOTE: x"),
        *("STYLE\n::cue(b) { color: red }", "REGION\nid:foo\nwidth:40%"),
        "REGION: id=foo width=40% lines=3 regionanchor=0%,100%",
    ],
)
def test_notes_styles_and_regions_are_left_out(tmp_path: Path, block: str) -> None:
    content = f"WEBVTT\n\n{block}\n\n{ONE}\ntext1\n\n{block}\n\n{TWO}\ntext2"
    job = read(tmp_path, "a.vtt", content)
    assert texts(job) == ["text1", "text2"]
    assert job.cautions == ()


@pytest.mark.parametrize("note", ["NOTE", "NOTE left out\nfor now"])
def test_a_cue_below_a_note_is_spoken_and_told(tmp_path: Path, note: str) -> None:
    job = read(tmp_path, "a.vtt", f"WEBVTT\n\n{ONE}\ntext1\n\n{note}\n{TWO}\ntext2")
    assert texts(job) == ["text1", "text2"]
    assert codes(job) == [("comment", None)]
    assert f"line {7 + note.count(chr(10))}:" in job.cautions[0].message


@pytest.mark.parametrize("block", ["lost words", "NOTES\nlost", "1984", "two\nlines"])
def test_a_block_that_belongs_to_no_cue_is_refused(tmp_path: Path, block: str) -> None:
    content = f"WEBVTT\n\n{ONE}\ntext1\n\n{block}\n\nintro\n{TWO}\ntext2"
    assert "line 6: this belongs to no cue" in refused(tmp_path, "a.vtt", content)


def test_an_identifier_apart_from_its_times_is_left_out(tmp_path: Path) -> None:
    assert texts(read(tmp_path, "a.vtt", f"WEBVTT\n\n1\n\n{ONE}\ntext1\n")) == ["text1"]


@pytest.mark.parametrize("first", [True, False])
def test_times_with_another_arrow_are_named(tmp_path: Path, first: bool) -> None:
    above = "" if first else f"{ONE}\nx\n\n"
    message = refused(tmp_path, "a.vtt", f"WEBVTT\n\n{above}intro\n00:03.000 -> 00:04.000\ny\n")
    assert f"line {4 if first else 7}: '00:03.000 -> 00:04.000' looks like times" in message


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a &amp; b &lt;3 &gt;", "a & b <3 >"),
        ("a&nbsp;b", "a\u00a0b"),
        ("a&lrm;b&rlm;c", "a\u200eb\u200fc"),
        ("& &amp &1; &; &unknown;", "& &amp &1; &; &unknown;"),
        ("&amp;lt;", "&lt;"),
        ("&lt;i&gt;", "<i>"),
        ("<c.yellow.bg_blue>Hi</c> <c>you</c>", "Hi you"),
        ("<i.loud>Hi</i> <b>you</b> <u>two</u>", "Hi you two"),
        ("<lang en-GB>Hi</lang>", "Hi"),
        ("<00:00:01.500>Hi <00:01.750>you", "Hi you"),
        ("<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>です", "漢字です"),
        ("<ruby>test<rt>over</ruby>after", "testafter"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>", "漢"),
        ("no ruby <rt>here", "no ruby here"),
        ("<ruby>漢<rt>かん\nnext", "漢\nnext"),
        ("3 < 5 and 5 > 3", "3 < 5 and 5 > 3"),
        ("nul\0here", "nul\ufffdhere"),
    ],
)
def test_text_is_read_by_webvtts_rules(tmp_path: Path, written: str, text: str) -> None:
    assert texts(read(tmp_path, "a.vtt", f"WEBVTT\n\n{ONE}\n{written}")) == [text]


@pytest.mark.parametrize(
    ("written", "speaker", "text"),
    [
        ("<v Anna Lee>Hi", "Anna Lee", "Hi"),
        ("<v.first.loud Anna>Hi</v>", "Anna", "Hi"),
        ("<v\tAnna>Hi</v>\n<v Anna>you</v>", "Anna", "Hi\nyou"),
        ("<v Tom &amp; Jerry>Hi", "Tom & Jerry", "Hi"),
        ("<v>Hi</v>", "speaker", "Hi"),
    ],
)
def test_voices_are_speakers(tmp_path: Path, written: str, speaker: str, text: str) -> None:
    job = read(tmp_path, "a.vtt", f"WEBVTT\n\n{ONE}\n{written}")
    assert said(job) == [(speaker, text)]
    assert job.cautions == ()


def test_words_before_a_voice_are_told(tmp_path: Path) -> None:
    job = read(tmp_path, "a.vtt", f"WEBVTT\n\n{ONE}\nYou got it?\n<v Fred>Yeah.")
    assert codes(job) == [("speakers", "1")]
    assert "'Fred'" in job.cautions[0].message

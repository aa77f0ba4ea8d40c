"""Cues: which parts are spoken and shown, and which are markup."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import codes, read, srt, texts

from dubbing.job import Segment
from dubbing.script.subtitles import read_script, write_srt
from dubbing.text.characters import normalise


@pytest.mark.parametrize(
    "written",
    [
        *("One<br>two.", "One<br/>two.", "One<BR />two.", "One<br >two.", "One< br / >two."),
        *("One<Br clear='all'>two.", "One</br>two.", "One <br> two.", "One<br><br/>two."),
        *("<p>One</p><p>two.</p>", "<P align=left>One</P>\n<p>two.</p>", "<div>One</div>two."),
        *("One<div class='x'>two.</div>", "<i>One<br>two.</i>", r"One\Ntwo.", r"One\ntwo."),
    ],
)
def test_tags_that_break_a_line_part_words(tmp_path: Path, written: str) -> None:
    job = read(tmp_path, "a.srt", srt(written))
    assert texts(job) == ["One\ntwo."]
    assert job.cautions == ()


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("A<i>B</i>C", "ABC"),
        ("<b>A", "A"),
        ("A</i></font>", "A"),
        ("<i><b>A</i></b>", "A"),
        ("< i >A< / i >", "A"),
        ('<font color="#ff0000" size=12>A</font>', "A"),
        ("<FONT COLOR=red>A", "A"),
        ('<font color="red>A</font>', "A"),
        ("{\\an8}A {\\i1}b{\\i0}", "A b"),
        ("{y:i}A {Y:b,i}b {c:$0000ff}c", "A b c"),
        ("A\\hb", "A b"),
        ("Salt &amp; pepper &quot;x&quot; &#39;y&#39;", "Salt & pepper \"x\" 'y'"),
        ("3 < 5", "3 < 5"),
        ("3 < 5 > 4", "3 < 5 > 4"),
        ("I <3 you", "I <3 you"),
        ("x < y and y > z", "x < y and y > z"),
        ("if a <b and c> d", "if a <b and c> d"),
        ("a <- b <= c <> d", "a <- b <= c <> d"),
        ("{laughs} Yes", "{laughs} Yes"),
        ("A<!-- to be checked --> b", "A b"),
    ],
)
def test_markup_is_left_out_and_words_stay(tmp_path: Path, written: str, text: str) -> None:
    job = read(tmp_path, "a.srt", srt(written))
    assert texts(job) == [text]
    assert job.cautions == ()


@pytest.mark.parametrize("tag", ["<sighs>", "<Music>", "<Anna>"])
def test_a_tag_that_may_be_a_word_is_told(tmp_path: Path, tag: str) -> None:
    job = read(tmp_path, "a.srt", srt("Hello.", f"{tag} I know."))
    assert texts(job) == ["Hello.", "I know."]
    assert codes(job) == [("markup", "2")]
    assert tag in job.cautions[0].message


SHOWN = [
    "\u200fשלום, \u202aDNA\u202c עולם!\u200f",
    "\u2067مرحبا (1984)\u2069",
    "- Hi, is it\u00a0you?\n- It is.",
    "👩\u200d👩\u200d👧 family, 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "می\u200cخواهم",
    "क्\u200dष",
    "soft\u00adhyphen, zero\u200bwidth",
    "Three\nlines\n1984",
]


@pytest.mark.parametrize("text", SHOWN)
def test_subtitles_show_what_is_written(tmp_path: Path, text: str) -> None:
    (segment,) = read(tmp_path, "a.srt", srt(text)).segments
    write_srt([segment], tmp_path / "dub.srt")
    assert (tmp_path / "dub.srt").read_text("utf-8").splitlines()[2:-1] == text.split("\n")
    assert read_script(tmp_path / "dub.srt").segments == (segment,)


def test_subtitles_with_nothing_to_show_are_left_out(tmp_path: Path) -> None:
    silent = [Segment(id="1", start=1, end=2, text=""), Segment(id="2", start=3, end=4, text="12")]
    write_srt(silent, tmp_path / "dub.srt")
    assert [one.text for one in read_script(tmp_path / "dub.srt").segments] == ["12"]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (" one \r\n\r\n\ttwo\u2028three ", "one\ntwo\nthree"),
        ("nul\0, bell\x07 and half \ud83d", "nul, bell and half"),
        ("u\u0308ber", "über"),
    ],
)
def test_what_has_no_shape_is_not_shown(tmp_path: Path, fields: str, shown: str) -> None:
    from dubbing.text.characters import as_shown

    assert as_shown(fields) == shown
    assert normalise(shown) == normalise(fields)

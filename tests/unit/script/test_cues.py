"""The cues of SRT files as people's tools write them, valid and invalid."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import codes, read, refused, srt, texts

TIMES = "00:00:0{}.000 --> 00:00:0{}.500"


def cue(second: int) -> str:
    return TIMES.format(second, second)


@pytest.mark.parametrize("first", [0, 1, 2, 101, 9999])
def test_cues_may_be_numbered_from_anywhere_without_blank_lines(tmp_path: Path, first: int) -> None:
    content = "".join(
        f"{first + n}\n{cue(n + 1)}\n{text}\n" for n, text in enumerate(["First.", "Second.", "3."])
    )
    job = read(tmp_path, "a.srt", content)
    assert texts(job) == ["First.", "Second.", "3."]
    assert job.cautions == ()


def test_numbers_with_a_gap_are_not_spoken_and_are_told(tmp_path: Path) -> None:
    job = read(tmp_path, "a.srt", f"1\n{cue(1)}\nOne.\n2\n{cue(2)}\nTwo.\n17\n{cue(3)}\nThree.\n")
    assert texts(job) == ["One.", "Two.", "Three."]
    assert codes(job) == [("number", None)]
    assert "line 7: '17'" in job.cautions[0].message


def test_files_that_were_put_together_are_read(tmp_path: Path) -> None:
    part = f"\ufeff1\n{cue(1)}\nOne.\n\n"
    assert texts(read(tmp_path, "a.srt", part + part.replace("01.", "02."))) == ["One.", "One."]


def test_numbers_begin_anew_below_a_blank_line(tmp_path: Path) -> None:
    job = read(tmp_path, "a.srt", f"1\n{cue(1)}\nOne.\n\n1\n{cue(2)}\nTwo.\n \n1\n{cue(3)}\nThree.")
    assert texts(job) == ["One.", "Two.", "Three."]
    assert job.cautions == ()


def test_a_number_may_stand_apart_from_its_times(tmp_path: Path) -> None:
    job = read(tmp_path, "a.srt", f"1\n\n{cue(1)}\nIn\n1984\n\n2\n\n{cue(2)}\nTwo.\n")
    assert texts(job) == ["In\n1984", "Two."]


def test_figures_are_spoken_where_no_cue_has_a_number(tmp_path: Path) -> None:
    job = read(tmp_path, "a.srt", f"{cue(1)}\nThe year\n1984\n{cue(2)}\n1985\n{cue(3)}\nx\n")
    assert texts(job) == ["The year\n1984", "1985", "x"]


@pytest.mark.parametrize("figures", ["2", "9" * 5000])
def test_figures_above_a_blank_line_are_spoken(tmp_path: Path, figures: str) -> None:
    job = read(tmp_path, "a.srt", f"{cue(1)}\nPick\n{figures}\n\n{cue(2)}\nx\n{figures}\n")
    assert texts(job) == [f"Pick\n{figures}", f"x\n{figures}"]


def test_a_figure_that_is_all_of_a_cue_is_spoken(tmp_path: Path) -> None:
    job = read(tmp_path, "a.srt", f"1\n{cue(1)}\nHow many?\n2\n{cue(2)}\n12\n3\n{cue(3)}\nYes.\n")
    assert texts(job) == ["How many?", "12", "Yes."]


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        ("00:00:01,5 --> 00:00:02,25", 1.5, 2.25),
        ("00:00:01 --> 00:00:02", 1.0, 2.0),
        ("00:00:01,000 --> 00:00:02", 1.0, 2.0),
        ("00:00:01. 250 --> 00:00:02 ,500", 1.25, 2.5),
        ("00: 00: 01,250  -->  00 : 00 : 02,500", 1.25, 2.5),
        ("0:00:01.250 -->0:00:02.500", 1.25, 2.5),
        (" 00:00:01,250 --> 00:00:02,500 X1:40 X2:600 Y1:050 Y2:100", 1.25, 2.5),
        ("00:00:01,250 --> 00:00:02,500\t", 1.25, 2.5),
    ],
)
def test_times_are_read_in_every_form_that_has_one_meaning(
    tmp_path: Path, times: str, start: float, end: float
) -> None:
    (segment,) = read(tmp_path, "a.srt", f"1\n{times}\nHi").segments
    assert (segment.start, segment.end, segment.text) == (start, end, "Hi")


ARROWS = ["->", "–>", "—>", "- ->", "=>", "→", "- - >", ">", "to"]


@pytest.mark.parametrize("arrow", ARROWS)
@pytest.mark.parametrize("above", ["", f"1\n{cue(1)}\nHi\n\n"])
def test_times_with_another_arrow_are_named(tmp_path: Path, arrow: str, above: str) -> None:
    wrong = f"00:00:03,000 {arrow} 00:00:04,000"
    message = refused(tmp_path, "a.srt", f"{above}2\n{wrong}\nHo\n\n3\n{cue(5)}\nHa\n")
    assert f"line {above.count(chr(10)) + 2}:" in message
    assert f"'{wrong}' looks like times gone wrong" in message


@pytest.mark.parametrize("wrong", ["00:00:03 -> 00:00:04", "0:00:03 – 0:00:04"])
def test_times_without_milliseconds_and_with_another_arrow_are_named(
    tmp_path: Path, wrong: str
) -> None:
    assert f"'{wrong}' looks" in refused(tmp_path, "a.srt", f"1\n{cue(1)}\nx\n\n2\n{wrong}\nHo\n")


@pytest.mark.parametrize("line", ["Open from 10:30 - 11:45", "It is 1:02:03 now", "File --> Open"])
def test_text_with_a_time_or_an_arrow_is_spoken(tmp_path: Path, line: str) -> None:
    assert texts(read(tmp_path, "a.srt", f"1\n{cue(1)}\n{line}\n")) == [line]


@pytest.mark.parametrize("number", ["1.", "#1", "1)", "(1)", "1:", "№ 1"])
def test_what_is_nearly_a_number_is_named(tmp_path: Path, number: str) -> None:
    message = refused(tmp_path, "a.srt", f"{number}\n{cue(1)}\nHi\n")
    assert f"line 1: {number!r} is not a cue number: write 1" in message
    message = refused(tmp_path, "a.srt", f"7\n{cue(1)}\nHi\n\n{number}\n{cue(2)}\nHo\n")
    assert f"line 5: {number!r} is not a cue number: write 1" in message


def test_what_is_nearly_the_next_number_is_named_without_a_blank_line(tmp_path: Path) -> None:
    message = refused(tmp_path, "a.srt", f"1\n{cue(1)}\nHi\n2.\n{cue(2)}\nHo\n")
    assert "line 4: '2.' is not a cue number: write 2" in message


@pytest.mark.parametrize(
    ("name", "content", "format_"),
    [
        ("a.srt", "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "vtt"),
        ("a.srt", "[Script Info]\n\n[V4+ Styles]\n\n[Events]\nDialogue: x\n", "ass"),
        ("a.srt", "{0}{25}Hello\n{30}{50}you\n", "microdvd"),
        ("a.vtt", f"1\n{cue(1)}\nHi\n", "srt"),
        ("a.vtt", "[Script Info]\n\n[V4+ Styles]\n", "ass"),
        ("a.ass", f"1\n{cue(1)}\nHi\n", "srt"),
        ("a.ass", "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "vtt"),
    ],
)
def test_a_file_in_another_format_is_told_which(
    tmp_path: Path, name: str, content: str, format_: str
) -> None:
    assert f"it looks like {format_}: name it .{format_}" in refused(tmp_path, name, content)


@pytest.mark.parametrize(
    "times", ["00:00:00,000 --> 00:00:00,000", "00:00:09,000 --> 00:00:09,000"]
)
def test_a_cue_without_time_or_words_is_skipped(tmp_path: Path, times: str) -> None:
    job = read(tmp_path, "a.srt", f"1\n{cue(1)}\nHi\n\n2\n{times}\n\n3\n{times}\n\n")
    assert [(one.id, one.text) for one in job.segments] == [("1", "Hi")]


def test_a_cue_without_time_that_has_words_is_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, "a.srt", "1\n00:00:00,000 --> 00:00:00,000\nWords\n")
    assert "line 2: the cue ends before it starts, or as it starts" in message


def test_all_cues_with_faults_are_named_at_once(tmp_path: Path) -> None:
    backwards = "".join(f"{cue(2)[:12]} --> {cue(1)[:12]}\nWords\n\n" for _ in range(12))
    message = refused(tmp_path, "a.srt", f"{cue(1)}\nGood\n\n{backwards}")
    assert "12 things must be changed" in message
    assert "line 4: the cue ends before" in message
    assert "line 7: the cue ends before" in message
    assert "and 2 more" in message
    message = refused(tmp_path, "b.srt", f"-{cue(1)}\nNegative\n\n{backwards}")
    assert "line 1: '-00:00:01" in message
    assert "13 things must be changed" in message


def test_the_search_for_faults_ends(tmp_path: Path) -> None:
    message = refused(tmp_path, "a.srt", f"-{cue(1)}\nWords\n\n" * 200)
    assert "at least 100 things must be changed" in message


def test_blank_lines_inside_a_cue_end_nothing(tmp_path: Path) -> None:
    content = f"1\n{cue(1)}\nOne\n\nmore.\n\n\n2\n{cue(2)}\n\nTwo"
    assert texts(read(tmp_path, "a.srt", content)) == ["One\nmore.", "Two"]


def test_a_character_that_was_lost_is_told(tmp_path: Path) -> None:
    job = read(tmp_path, "a.srt", srt("Gr\ufffd\ufffde", "Hi"))
    assert codes(job) == [("unreadable", "1")]

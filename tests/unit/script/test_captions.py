"""Captions that repeat a text: drawn in layers, or rolling up."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import EVENTS, codes, read, said, srt, texts


def layer(times: str, name: str, text: str, number: int = 0) -> str:
    return f"Dialogue: {number},{times},Default,{name},0,0,0,,{text}\n"


FIRST, LATER = "0:00:01.00,0:00:03.00", "0:00:04.00,0:00:06.00"


def test_layers_are_said_once(tmp_path: Path) -> None:
    content = (
        EVENTS
        + layer(FIRST, "ANN", r"{\bord4\blur3}Layered words.")
        + layer(FIRST, "ANN", r"{\bord0}Layered words.", 1)
        + layer(LATER, "ANN", "Plain words.")
    )
    job = read(tmp_path, "a.ass", content)
    assert said(job) == [("ANN", "Layered words."), ("ANN", "Plain words.")]
    assert codes(job) == [("duplicate", "1")]
    assert "cue 1 (the file's line 3): line 4 has" in job.cautions[0].message


@pytest.mark.parametrize("names", [("ANN", ""), ("", "ANN")])
def test_a_layer_without_a_name_is_the_named_speakers(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    content = EVENTS + "".join(layer(FIRST, name, "Words.") for name in names)
    job = read(tmp_path, "a.ass", content)
    assert said(job) == [("ANN", "Words.")]
    assert codes(job) == [("duplicate", "1")]


def test_two_speakers_may_say_the_same(tmp_path: Path) -> None:
    content = EVENTS + layer(FIRST, "ANN", "Words.") + layer(FIRST, "BOB", "Words.")
    job = read(tmp_path, "a.ass", content)
    assert said(job) == [("ANN", "Words."), ("BOB", "Words.")]
    assert job.cautions == ()


def test_the_same_words_at_another_time_are_said_again(tmp_path: Path) -> None:
    job = read(tmp_path, "a.srt", srt("No.", "No.", "No."))
    assert texts(job) == ["No.", "No.", "No."]
    assert job.cautions == ()


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_a_cue_that_stands_twice_is_said_once(tmp_path: Path, suffix: str) -> None:
    cue = "00:00:01.000 --> 00:00:02.000\n{}\n\n"
    content = "WEBVTT\n\n" * (suffix == "vtt") + cue.format("Hi\nyou") + cue.format("<i>Hi you</i>")
    job = read(tmp_path, f"a.{suffix}", content)
    assert texts(job) == ["Hi\nyou"]
    assert codes(job) == [("duplicate", "1")]


ROLLING = [
    (0.160, 2.429, "my cat sits on the"),
    (2.429, 2.439, "my cat sits on the"),
    (2.439, 5.029, "my cat sits on the\nroof and looks at us"),
    (5.029, 5.039, "roof and looks at us"),
    (5.039, 7.500, "roof and looks at us\nall day long"),
]
ONCE = [
    (0.160, 2.429, "my cat sits on the"),
    (2.439, 5.029, "roof and looks at us"),
    (5.039, 7.500, "all day long"),
]


def cues(captions: list[tuple[float, float, str]]) -> str:
    return "WEBVTT\n\n" + "".join(
        f"00:00:{start:06.3f} --> 00:00:{end:06.3f} align:start position:0%\n{text}\n\n"
        for start, end, text in captions
    )


def test_captions_that_roll_up_are_said_once_when_they_appear(tmp_path: Path) -> None:
    job = read(tmp_path, "a.vtt", cues(ROLLING))
    assert [(one.start, one.end, one.text) for one in job.segments] == ONCE
    assert [one.id for one in job.segments] == ["1", "2", "3"]
    assert codes(job) == [("rolled_up", None)]
    assert "roll up" in job.cautions[0].message


def test_captions_of_youtubes_own_form_are_said_once(tmp_path: Path) -> None:
    content = cues(
        [
            (0.160, 2.429, " \nmy<00:00:00.640><c> cat</c><00:00:01.040><c> sits on the</c>"),
            (2.429, 2.439, "my cat sits on the\n "),
            (2.439, 5.029, "my cat sits on the\nroof<00:00:02.640><c> and looks at us</c>"),
            (5.029, 5.039, "roof and looks at us\n "),
            (5.039, 7.500, "roof and looks at us\nall<00:00:05.240><c> day long</c>"),
        ]
    )
    job = read(tmp_path, "a.vtt", content)
    assert [(one.start, one.end, one.text) for one in job.segments] == ONCE


def test_captions_that_roll_up_over_three_rows_and_a_pause_are_said_once(tmp_path: Path) -> None:
    content = cues(
        [
            (1, 2, "one"),
            (2, 3, "one\ntwo"),
            (3, 4, "one\ntwo\nthree"),
            (4, 5, "two\nthree\nfour"),
            (5, 6, "two\nthree\nfour"),
            (9, 10, "four"),
            (10, 11, "four\nfive"),
        ]
    )
    job = read(tmp_path, "a.vtt", content)
    assert texts(job) == ["one", "two", "three", "four", "four", "five"]


def test_captions_that_grow_word_by_word_are_said_whole(tmp_path: Path) -> None:
    content = cues(
        [
            (1, 1.5, "my"),
            (1.5, 2, "my cat"),
            (2, 3, "my cat sits"),
            (3, 4, "my cat sits\non"),
            (4, 5, "my cat sits\non the roof"),
            (5, 6, "on the roof\nall"),
            (6, 7, "on the roof\nall day"),
        ]
    )
    job = read(tmp_path, "a.vtt", content)
    assert [(one.start, one.end, one.text) for one in job.segments] == [
        (1, 3, "my cat sits"),
        (3, 5, "on the roof"),
        (5, 7, "all day"),
    ]
    assert codes(job) == [("rolled_up", None)]


@pytest.mark.parametrize(
    "captions",
    [
        [(1, 2, "La la la"), (2, 3, "La la la"), (3, 4, "La la la")],
        [(1, 2, "Go!"), (2, 3, "Go!\nNow!"), (3, 4, "Where?"), (4, 5, "There.")],
        [(1, 2, "Go"), (2, 3, "Go now"), (3, 4, "Where?"), (4, 5, "There."), (5, 6, "Now.")],
        [(1, 2, "Go!"), (3, 4, "Go!\nNow!"), (5, 6, "Now!\nRun!"), (7, 8, "Run!\nFast!")],
    ],
)
def test_words_that_are_repeated_otherwise_are_said_again(
    tmp_path: Path, captions: list[tuple[float, float, str]]
) -> None:
    job = read(tmp_path, "a.vtt", cues(captions))
    assert texts(job) == [text for _, _, text in captions]
    assert job.cautions == ()

"""Scripts as people's tools write them: read in full, or refused by the line."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from dubbing.errors import BadInput
from dubbing.job import Segment
from dubbing.script.loader import load
from dubbing.script.subtitles import read_script, write_srt
from dubbing.text.characters import normalise

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
EVENTS = (
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def script(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def texts(path: Path) -> list[str]:
    return [segment.text for segment in read_script(path).segments]


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read_script(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        ("00:00:00,500 --> 00:00:01,000", 0.5, 1.0),
        ("00:01:00,000 --> 00:01:01,250", 60.0, 61.25),
        ("00:00:01.040 --> 00:00:02.5", 1.04, 2.5),
        ("0:0:1,000-->0:0:2,000 X1:10 X2:20 Y1:5 Y2:9", 1.0, 2.0),
        ("99:59:58,000 --> 99:59:59,999", 359998.0, 359999.999),
    ],
)
def test_srt_times_are_read_as_written(
    tmp_path: Path, written: str, start: float, end: float
) -> None:
    (segment,) = read_script(script(tmp_path, "ep.1.de.srt", f"1\n{written}\nHello")).segments
    assert (segment.start, segment.end, segment.text) == (start, end, "Hello")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_any_line_ending_and_mark_reads_the_same(
    tmp_path: Path, newline: str, encoding: str
) -> None:
    lines = "1\n00:00:01,000 --> 00:00:02,000\nGrüße,\nMara\n\n2\n00:00:03,000 --> 00:00:04,000\nJa"
    path = script(tmp_path, "a.srt", lines.replace("\n", newline).encode(encoding))
    assert texts(path) == ["Grüße,\nMara", "Ja"]


def test_figures_are_spoken_and_cue_numbers_are_not(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "a.srt",
        "1\n00:00:01,000 --> 00:00:02,000\nWhat year?\n1984\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\n12\n3\n00:00:05,000 --> 00:00:06,000\nThe year\n1985",
    )
    assert texts(path) == ["What year?\n1984", "12", "The year\n1985"]


def test_cue_numbers_may_be_missing(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "a.srt",
        "00:00:01,000 --> 00:00:02,000\nOne\n1984\n\n00:00:03,000 --> 00:00:04,000\nTwo\n",
    )
    assert texts(path) == ["One\n1984", "Two"]


def test_markup_is_left_out_and_entities_are_read(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "a.srt",
        '1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>Salt</i> &amp; <font color="red">pepper</font>'
        " <3 AT&T\n",
    )
    assert texts(path) == ["Salt & pepper <3 AT&T"]


def test_an_empty_cue_is_kept_for_the_check(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "a.srt",
        "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:03,000 --> 00:00:04,000\n♪ ♪\n",
    )
    assert texts(path) == ["", "♪ ♪"]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("1\n00:00:01,000 --> 00:02\nx", 2, "not valid times"),
        ("1\n00:00:01,000 --> 00:00:02 500\nx", 2, "not valid times"),
        ("1\n00:00:01,000 --> 00:00:02  500\nx", 2, "not valid times"),
        (f"1\n{'9' * 5000}:00:01,000 --> 00:00:02,000\nx", 2, "not valid times"),
        ("1\n-00:00:01,000 --> 00:00:02,000\nx", 2, "not valid times"),
        ("1\n00:00:01,000 --> -00:00:02,000\nx", 2, "not valid times"),
        ("1\n00:75:01,000 --> 00:76:02,000\nx", 2, "not valid times"),
        ("1\n100:00:01,000 --> 100:00:02,000\nx", 2, "not valid times"),
        ("1\n00:00:02,000 --> 00:00:01,000\nx", 2, "ends before it starts"),
        ("1\n00:00:02,000 --> 00:00:02,000\nx", 2, "ends before it starts"),
        ("1\n00:00:01,000 --> 00:00:02,000\nx\n\n2\n00:00:03,000 -> 00:00:04,000\ny", 6, "times"),
        ("1\n00:00:01,000 --> 00:00:02,000\nx\n00:00:03,000\ny", 4, "times"),
        ("Chapter\n1\n00:00:01,000 --> 00:00:02,000\nx", 1, "before the first cue"),
    ],
)
def test_a_line_that_would_be_lost_is_refused(
    tmp_path: Path, content: str, line: int, words: str
) -> None:
    message = refused(script(tmp_path, "a.srt", content))
    assert f"line {line}:" in message
    assert words in message


@pytest.mark.parametrize("content", ["", "\n\n", "WEBVTT\n", EVENTS])
def test_a_file_without_a_cue_is_refused(tmp_path: Path, content: str) -> None:
    suffix = ".vtt" if "WEBVTT" in content else ".ass" if "Events" in content else ".srt"
    assert "no cue" in refused(script(tmp_path, f"a{suffix}", content))


def test_vtt_notes_identifiers_and_styles_are_not_spoken(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "a.vtt",
        "WEBVTT - a scene\nKind: captions\n\nNOTE\nfor the mixer\n\nSTYLE\n::cue { color: red }\n\n"
        "opening\n00:01.000 --> 00:02.500 align:start position:0%\n"
        "<v.loud Anna Lee>We <00:01.500>are\nhere</v>\n\nNOTE done\n\n"
        "12\n01:00:00.000 --> 01:00:01,000\n<v Ben>12",
    )
    anna, ben = read_script(path).segments
    assert (anna.speaker, anna.text, anna.start, anna.end) == ("Anna Lee", "We are\nhere", 1.0, 2.5)
    assert (ben.speaker, ben.text, ben.start, ben.end) == ("Ben", "12", 3600.0, 3601.0)


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("00:01.000 --> 00:02.000\n<v A>x</v>\n<v B>y</v>", 3, "A and B"),
        ("00:01.000 --> 00:02.000\nx\n\nlost words", 6, "no cue"),
        ("00:01.00 --> 00:02.00\nx", 3, "not valid times"),
    ],
)
def test_vtt_that_would_be_misread_is_refused(
    tmp_path: Path, body: str, line: int, words: str
) -> None:
    message = refused(script(tmp_path, "a.vtt", f"WEBVTT\n\n{body}"))
    assert f"line {line}:" in message
    assert words in message


def test_ass_speaks_dialogue_only(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "a.ass",
        "[Script Info]\nTitle: x\n\n" + EVENTS + "; a remark\n"
        "Comment: 0,0:00:00.00,0:00:01.00,Default,Anna,0,0,0,,not this\n"
        "Dialogue: 0,0:00:00.50,0:00:01.00,Sign,Anna,10,10,0,Banner;20,{\\i1}Yes{\\i0},\\Nit is\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0{\\p0}words\n",
    )
    first, second = read_script(path).segments
    assert (first.id, first.speaker, first.text) == ("1", "Anna", "Yes,\nit is")
    assert (second.id, second.speaker, second.text) == ("2", "speaker", "words")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("Dialogue: 0,0:00:01.00,Default,Anna,0,0,0,,x", "neither"),
        ("Dialogue: 0,-0:00:01.00,0:00:02.00,Default,Anna,0,0,0,,x", "neither"),
        ("Dialogue: 0,0:00:03.00,0:00:02.00,Default,Anna,0,0,0,,x", "ends before it starts"),
        ("dialog: 0,0:00:01.00,0:00:02.00,Default,Anna,0,0,0,,x", "neither"),
        ("Format: Text, Start, End", "Text as the last"),
        ("Format: Layer, Start, Text", "name Start and End"),
    ],
)
def test_ass_that_would_be_misread_is_refused(tmp_path: Path, event: str, words: str) -> None:
    message = refused(script(tmp_path, "a.ass", EVENTS + event))
    assert "line 3:" in message
    assert words in message


def test_all_ass_events_with_faults_are_named_at_once(tmp_path: Path) -> None:
    bad = "Dialogue: 0,-0:00:01.00,0:00:02.00,Default,Anna,0,0,0,,x\n"
    message = refused(script(tmp_path, "a.ass", EVENTS + bad * 2))
    assert "line 3: 'Dialogue" in message
    assert "line 4: 'Dialogue" in message


def test_ass_lines_outside_of_events_are_refused(tmp_path: Path) -> None:
    line = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,Anna,0,0,0,,x"
    assert "outside of [Events]" in refused(script(tmp_path, "a.ass", f"[V4+ Styles]\n{line}"))


def test_a_name_before_the_text_is_the_speaker_when_asked(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "a.srt",
        "1\n00:00:01,000 --> 00:00:02,000\nDR. O'NEIL: At 10:30,\nsharp.\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nsee http://a.example\n\n"
        "3\n00:00:05,000 --> 00:00:06,000\n小明：你好\n",
    )
    asked = read_script(path, speaker_prefix=True).segments
    assert [(segment.speaker, segment.text) for segment in asked] == [
        ("DR. O'NEIL", "At 10:30,\nsharp."),
        ("speaker", "see http://a.example"),
        ("小明", "你好"),
    ]
    assert read_script(path).segments[0].text == "DR. O'NEIL: At 10:30,\nsharp."


def test_two_named_speakers_in_one_cue_are_refused(tmp_path: Path) -> None:
    path = script(tmp_path, "a.srt", "1\n00:00:01,000 --> 00:00:02,000\n- ANN: Yes?\n- BOB: No.")
    with pytest.raises(BadInput, match="line 2: ANN and BOB speak in one cue"):
        read_script(path, speaker_prefix=True)


def test_another_encoding_is_refused_by_its_byte_and_read_when_named(tmp_path: Path) -> None:
    content = "1\n00:00:01,000 --> 00:00:02,000\nGrüße"
    path = script(tmp_path, "a.srt", content.encode("cp1252"))
    message = refused(path)
    assert f"byte {content.index('ü')} " in message
    assert "--encoding" in message
    assert read_script(path, encoding="cp1252").segments[0].text == "Grüße"
    with pytest.raises(BadInput, match="no encoding 'klingon'"):
        read_script(path, encoding="klingon")


def test_utf_16_without_a_mark_is_recognised(tmp_path: Path) -> None:
    path = script(tmp_path, "a.srt", "1\n00:00:01,000 --> 00:00:02,000\nHi".encode("utf-16-le"))
    assert "utf-16-le" in refused(path)
    assert read_script(path, encoding="utf-16-le").segments[0].text == "Hi"


def test_json_gives_ids_or_positions_are_taken(tmp_path: Path) -> None:
    lines = [
        {"start": 1, "end": 2, "text": "a"},
        {"id": "x-2", "start": 2, "end": 3, "text": "b", "speaker": "Ann"},
        {"id": 7, "start": 3, "end": 4, "text": "c"},
    ]
    bare = read_script(script(tmp_path, "a.json", json.dumps(lines))).segments
    assert [segment.id for segment in bare] == ["1", "x-2", "7"]
    nested = script(tmp_path, "b.json", json.dumps({"segments": lines}))
    assert read_script(nested).segments == bare


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"start": 1, "end": 2, "text": "a",}]', "line 1, column 37"),
        ('[{"start": 1, "end": 2, "end": 3, "text": "a"}]', "'end' is set twice"),
        ('[{"start": 1, "end": 2, "txt": "a"}]', "did you mean 'text'"),
        ('[{"start": 2, "end": 1, "text": "a"}]', "segments[0]: segment 1 ends at 1.0 s"),
        ('[{"start": -1, "end": 1, "text": "a"}]', "segments[0].start is -1"),
        ('[{"start": 1, "end": NaN, "text": "a"}]', "segments[0].end is nan"),
        ('[{"start": 1, "end": 1e999, "text": "a"}]', "segments[0].end is inf"),
        ('[{"id": "../x", "start": 1, "end": 2, "text": "a"}]', "segments[0].id is '../x'"),
        ('[["start"]]', "segments[0]"),
        ("17", "a list of segments"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_json_faults_name_their_place(tmp_path: Path, content: str, words: str) -> None:
    assert words in refused(script(tmp_path, "a.json", content))


def test_what_is_written_as_srt_reads_back(tmp_path: Path) -> None:
    chance = random.Random(4)
    words = ["1984", "Grüße,", "你好", "don't", "<3", "a&b", "–", "C:", "now!", "x --> y", "שלום"]
    segments = []
    milliseconds = 0
    for number in range(1, 200):
        start = milliseconds + chance.randrange(2000)
        milliseconds = start + 1 + chance.randrange(600_000)
        text = " ".join(chance.choices(words, k=chance.randrange(1, 9)))
        segments.append(
            Segment(id=str(number), start=start / 1000, end=milliseconds / 1000, text=text)
        )
    path = tmp_path / "a.srt"
    write_srt(segments, path)
    expected = [
        segment.model_copy(update={"text": segment.text.replace("-->", "→")})
        for segment in segments
    ]
    assert list(read_script(path).segments) == expected


def test_the_example_scene_is_the_same_in_all_forms() -> None:
    scene = read_script(EXAMPLES / "scene.srt", speaker_prefix=True).segments
    assert len(scene) == 24
    assert {segment.speaker for segment in scene} == {"MARA", "TOM", "CAPTAIN OSK"}
    assert load(EXAMPLES / "scene.json").segments == scene
    drawn = read_script(EXAMPLES / "scene.ass").segments
    assert drawn[5].text == "Gull Point, this is the Northern Star.\nDo you hear me?"
    on_one_line = (one.model_copy(update={"text": normalise(one.text)}) for one in drawn)
    assert tuple(on_one_line) == scene

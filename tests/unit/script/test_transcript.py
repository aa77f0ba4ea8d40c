"""Transcripts of speech recognisers are read as scripts; manifests are not taken for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reading import codes, said

from dubbing.errors import BadInput
from dubbing.script.loader import load
from dubbing.script.manifest import Manifest

WORD = {"word": " Hello", "start": 0.0, "end": 0.5, "probability": 0.98}
WHISPER = {
    "text": " Hello there. And you?",
    "segments": [
        {
            **{"id": 0, "seek": 0, "start": 0.0, "end": 1.5, "text": " Hello there."},
            **{"tokens": [50364, 2425], "temperature": 0.0, "avg_logprob": -0.3},
            **{"compression_ratio": 0.8, "no_speech_prob": 0.01, "words": [WORD]},
        },
        {
            **{"id": 1, "seek": 0, "start": 2.0, "end": 3, "text": " And you?"},
            **{"tokens": [50400], "temperature": 0.0, "avg_logprob": -0.3},
            **{"compression_ratio": 0.8, "no_speech_prob": 0.01},
        },
    ],
    "language": "en",
}
FASTER_WHISPER = {
    "text": "Hello there. And you?",
    "segments": [
        {"id": 1, "seek": 300, "start": 0.0, "end": 1.5, "text": "Hello there.", "words": None},
        {"id": 2, "seek": 300, "start": 2.0, "end": 3.0, "text": "And you?", "words": None},
    ],
    "language": "en",
    "language_probability": 0.99,
    "duration": 3.1,
}
WHISPERX = {
    "segments": [
        {"start": 0.0, "end": 1.5, "text": " Hello there.", "words": [{**WORD, "score": 0.9}]},
        {"start": 2.0, "end": 3.0, "text": "And you?", "words": [{"word": "2"}], "chars": None},
    ],
    "word_segments": [{"word": "Hello", "start": 0.0, "end": 0.5, "score": 0.9}, {"word": "2"}],
    "language": "en",
}
API = {
    "task": "transcribe",
    "language": "english",
    "duration": 3.1,
    "text": "Hello there. And you?",
    "segments": WHISPER["segments"],
    "usage": {"type": "duration", "seconds": 4},
}
DUMPED = [
    {"start": 0.0, "end": 1.5, "text": " Hello there.", "words": [], "speaker": None},
    {"start": 2.0, "end": 3.0, "text": " And you?", "words": []},
]
KINDS = {
    "whisper": WHISPER,
    "faster-whisper": FASTER_WHISPER,
    "whisperx": WHISPERX,
    "api": API,
    "list": DUMPED,
    "segments alone": {"segments": DUMPED},
}


def read(folder: Path, data: object, **overrides: Any) -> Manifest:
    path = folder / "talk.json"
    path.write_text(json.dumps(data), "utf-8")
    return load(path, overrides)


def refused(folder: Path, data: object) -> str:
    with pytest.raises(BadInput) as caught:
        read(folder, data, language="de")
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_transcript_is_a_script(tmp_path: Path, kind: str) -> None:
    job = read(tmp_path, KINDS[kind], language="de", engine="tone")
    assert [(one.id, one.start, one.end) for one in job.segments] == [("1", 0, 1.5), ("2", 2, 3)]
    assert said(job) == [("speaker", "Hello there."), ("speaker", "And you?")]
    assert (job.language, job.engine) == ("de", "tone")
    assert job.cautions == ()


def test_speakers_of_a_transcript_are_kept(tmp_path: Path) -> None:
    first, second = WHISPERX["segments"]
    spoken = [{**first, "speaker": "SPEAKER_01"}, second]
    job = read(tmp_path, {**WHISPERX, "segments": spoken}, language="de")
    assert [one.speaker for one in job.segments] == ["SPEAKER_01", "speaker"]


def test_a_segment_in_which_two_speak_is_told(tmp_path: Path) -> None:
    words = [{**WORD, "speaker": "SPEAKER_01"}, {**WORD, "speaker": "SPEAKER_00"}, {"word": "x"}]
    segment = {"start": 1, "end": 2, "text": "Hi. Ho.", "speaker": "SPEAKER_01", "words": words}
    job = read(tmp_path, {"segments": [segment], "word_segments": words}, language="de")
    assert codes(job) == [("speakers", "1")]
    assert "SPEAKER_00 and SPEAKER_01" in job.cautions[0].message


@pytest.mark.parametrize(
    ("said_to_be", "tag"),
    [("en", "en"), ("english", "en"), ("haitian creole", "ht"), ("zh-TW", "zh-TW"), ("yue", "yue")],
)
def test_the_language_of_a_transcript_is_taken_where_none_is_named(
    tmp_path: Path, said_to_be: str, tag: str
) -> None:
    job = read(tmp_path, {**WHISPER, "language": said_to_be})
    assert job.language == tag
    assert codes(job) == [("language", None)]


@pytest.mark.parametrize("said_to_be", ["gibberish", "", None, 7])
def test_a_language_that_is_none_has_to_be_named(tmp_path: Path, said_to_be: object) -> None:
    with pytest.raises(BadInput, match="language is missing"):
        read(tmp_path, {**WHISPER, "language": said_to_be})
    assert read(tmp_path, {**WHISPER, "language": said_to_be}, language="de").language == "de"


def test_ids_that_begin_anew_are_left_out(tmp_path: Path) -> None:
    segments = [*WHISPER["segments"], *WHISPER["segments"]]
    job = read(tmp_path, {**WHISPER, "segments": segments}, language="de")
    assert [one.id for one in job.segments] == ["1", "2", "3", "4"]


def test_segments_of_no_length_are_left_out_unless_they_hold_words(tmp_path: Path) -> None:
    empty = {"start": 1.7, "end": 1.7, "text": " ", "words": []}
    silent = {"start": 3.0, "end": 4.0, "text": "", "words": []}
    job = read(tmp_path, [DUMPED[0], empty, DUMPED[1], silent], language="de")
    assert [one.text for one in job.segments] == ["Hello there.", "And you?", ""]
    message = refused(tmp_path, [DUMPED[0], {**empty, "text": " Lost."}])
    assert "segments[1]: segment 2 ends at 1.7 s, not after 1.7 s" in message


@pytest.mark.parametrize("missing", ["start", "end", "text"])
def test_a_segment_that_lacks_something_is_refused(tmp_path: Path, missing: str) -> None:
    segment = {name: value for name, value in DUMPED[1].items() if name != missing}
    message = refused(tmp_path, {**WHISPER, "segments": [DUMPED[0], segment]})
    assert f"segments[1].{missing} is missing" in message


def test_a_transcript_may_be_the_script_of_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "talk.json").write_text(json.dumps(WHISPER), "utf-8")
    path = tmp_path / "job.json"
    path.write_text(json.dumps({"language": "de", "script": "talk.json"}), "utf-8")
    assert [text for _, text in said(load(path))] == ["Hello there.", "And you?"]


def test_the_segments_of_a_transcript_may_be_those_of_a_manifest(tmp_path: Path) -> None:
    manifest = {"language": "de", "engine": "tone", "segments": WHISPER["segments"]}
    assert [text for _, text in said(read(tmp_path, manifest))] == ["Hello there.", "And you?"]


LINE = {"start": 1, "end": 2, "text": "Hi"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"langauge": "de", "segments": [LINE]}, "langauge is not known; did you mean 'language'?"),
        ({"segments": [{**LINE, "speeker": "A"}]}, "did you mean 'speaker'?"),
        ([{**LINE, "txt": "A"}], "did you mean 'text'?"),
        ({"language": "de", "text": "x", "cast": {}, "segments": [LINE]}, "text is not known"),
        ({"langauge": "de", "segments": WHISPER["segments"]}, "did you mean 'language'?"),
    ],
)
def test_a_manifests_unknown_fields_are_refused(tmp_path: Path, data: object, words: str) -> None:
    assert words in refused(tmp_path, data)


def test_the_words_of_a_long_transcript_are_no_segments(tmp_path: Path) -> None:
    words = [{"word": "a", "start": 1, "end": 2}] * 1000
    segments = [{"start": n, "end": n + 1, "text": "a", "words": words} for n in range(210)]
    assert len(read(tmp_path, segments, language="de").segments) == 210

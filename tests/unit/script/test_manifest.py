"""Manifests and casts: what they are read as, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dubbing.errors import BadInput
from dubbing.script.entries import expand
from dubbing.script.loader import load
from dubbing.script.manifest import json_schema, normalised

SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello\n"
LINE = {"start": 1, "end": 2, "text": "Hello"}


def write(folder: Path, name: str, content: str | object = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def manifest(folder: Path, **fields: Any) -> Path:
    return write(folder, "job.json", {"language": "de", "segments": [LINE], **fields})


def refused(path: Path, overrides: dict[str, Any] | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        load(path, overrides)
    return str(caught.value)


def test_paths_in_a_manifest_are_relative_to_it(tmp_path: Path) -> None:
    for name in ("film.mp4", "me.wav", "voice.wav"):
        write(tmp_path, f"season/{name}")
    write(tmp_path, "season/text/one.srt", SRT)
    path = write(
        tmp_path,
        "season/job.json",
        {
            "language": "de",
            "script": "text/one.srt",
            "media": "film.mp4",
            "background": {"mode": "track", "track": "me.wav"},
            "cast": {"speaker": {"reference": "voice.wav"}},
        },
    )
    job = load(path)
    season = tmp_path / "season"
    assert job.media == str(season / "film.mp4")
    assert job.background.track == str(season / "me.wav")
    assert job.cast["speaker"].reference == str(season / "voice.wav")
    assert job.script is None
    assert [segment.text for segment in job.segments] == ["Hello"]


def test_options_win_over_the_manifest_and_fill_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = manifest(
        tmp_path / "far",
        tenant="north",
        cast={"Ann": {"speed": 1.1}, "Bob": {"speed": 1.2}},
        output={"loudness": "netflix", "subtitles": False},
    )
    write(tmp_path, "film.mkv")
    write(tmp_path, "cast/cast.json", {"Bob": {"reference": "bob.wav"}})
    write(tmp_path, "cast/bob.wav")
    monkeypatch.chdir(tmp_path)
    job = load(
        path,
        {
            "language": "fr",
            "media": "film.mkv",
            "tenant": None,
            "cast": Path("cast/cast.json"),
            "output": {"loudness": "streaming", "formats": None},
        },
        defaults={"engine": "tone", "tenant": "south", "media": "not-this.mp4"},
    )
    assert (job.language, job.tenant, job.engine) == ("fr", "north", "tone")
    assert job.media == str(tmp_path / "film.mkv")
    assert (job.output.loudness, job.output.subtitles) == ("streaming", False)
    assert job.cast["Ann"].speed == 1.1
    assert job.cast["Bob"].reference == str(tmp_path / "cast/bob.wav")


def test_a_script_and_options_are_a_job(tmp_path: Path) -> None:
    for path in (write(tmp_path, "a.srt", SRT), write(tmp_path, "a.json", {"segments": [LINE]})):
        job = load(path, {"language": "de", "id": "ep-1"})
        assert (job.id, len(job.segments), job.segments[0].id) == ("ep-1", 1, "1")


def test_names_are_normalised_and_texts_are_as_they_are_shown(tmp_path: Path) -> None:
    decomposed = "Jose\u0301"
    line = {**LINE, "speaker": decomposed, "text": " Jose\u0301\u200f\0 there \r\n\n you"}
    job = load(manifest(tmp_path, segments=[line], cast={decomposed: {"speed": 1.5}}))
    assert job.segments[0].text == "José\u200f there\nyou"
    assert job.role(job.segments[0].speaker).speed == 1.5
    assert normalised(job) == job


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"langauge": "de"}, "langauge is not known; did you mean 'language'?"),
        ({"segments": [{**LINE, "txt": 1}]}, "segments[0].txt is not known; did you mean 'text'?"),
        ({"segments": [LINE, {"start": 3, "text": "x"}]}, "segments[1].end is missing"),
        ({"segments": [{**LINE, "end": "soon"}]}, "segments[0].end is 'soon': it should be"),
        ({"cast": {"Ann Lee": {"speed": 9}}}, 'cast["Ann Lee"].speed is 9'),
        ({"cast": {"Ann": {"sped": 1}}}, "cast.Ann.sped is not known; did you mean 'speed'?"),
        ({"cast": {"Ann": {"emotion": {"angri": 1}}}}, "emotion.angri is not known; did you mean"),
        ({"cast": {"Ann": {"emotion": {"angry": 2}}}}, "cast.Ann.emotion.angry is 2: it should be"),
        ({"cast": {"Ann": {"emotion": {}}}}, "cast.Ann.emotion: give feelings, such as angry, a"),
        (
            {"segments": [{**LINE, "emotion": {"sad": 1, "text": "sad"}}]},
            "segments[0].emotion: give feelings, such as angry, a text, or a voice: one of the",
        ),
        ({"output": {"formats": ["avi"]}}, "output.formats[0] is 'avi'"),
        ({"background": {"mode": "track"}}, "background: background mode 'track'"),
        ({"script": "a.srt"}, "give either a script or segments"),
        ({"segments": None}, "give either a script or segments"),
        ({"media": "gone.mp4"}, "media: there is no file"),
        ({"cast": {"Ann": {"reference": "gone.wav"}}}, "reference of 'Ann': there is no file"),
        ({"cast": "gone.json"}, "cast: there is no file 'gone.json'"),
        ({"cast": "/" + 5000 * "x"}, "cast: there is no file"),
        ({"media": "https://films.example/a.m3u8"}, "give a path or an s3:// URL"),
        ({"media": "file:///etc/passwd"}, "give a path or an s3:// URL"),
        ({"media": "concat:/etc/passwd"}, "there is no file"),
    ],
)
def test_a_fault_names_its_place_and_a_way_out(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    message = refused(manifest(tmp_path, **fields))
    assert words in message
    assert str(tmp_path) in message


@pytest.mark.parametrize("name", ["id", "tenant", "collection", "engine"])
@pytest.mark.parametrize(
    "value", ["../x", "/etc/passwd", "a/b", "a\0b", "..", ".a", "", "a\n", "x" * 101, "ä", "a\\b"]
)
def test_a_name_that_is_no_plain_file_name_is_refused(
    tmp_path: Path, name: str, value: str
) -> None:
    assert f"{name} is {value!r}: use" in refused(manifest(tmp_path), {name: value})


@pytest.mark.parametrize(
    "place",
    [
        "films/de",
        "https://films/de",
        "s3://",
        "s3://../films",
        "s3://key:secret@films/de",
        "s3://films/../voices",
        "s3://films/de/..",
        "s3://films//de",
        "s3://films/./de",
        "s3://films/d\ne",
        "s3://films/" + "x" * 700,
    ],
)
def test_a_place_for_results_that_is_no_bucket_and_plain_prefix_is_refused(
    tmp_path: Path, place: str
) -> None:
    words = refused(manifest(tmp_path, output={"to": place}))
    assert "output.to: write it as s3://bucket/prefix, without keys" in words
    assert "secret" not in words


def test_a_segments_id_may_not_climb_out(tmp_path: Path) -> None:
    message = refused(manifest(tmp_path, segments=[{**LINE, "id": "../../x"}]))
    assert "segments[0].id is '../../x'" in message


def test_all_faults_of_a_file_are_in_one_error(tmp_path: Path) -> None:
    message = refused(manifest(tmp_path, segments=[{"start": 1, "text": "x"}] * 14))
    assert "14 things must be changed" in message
    assert message.count("is missing") == 10
    assert message.endswith("and 4 more")


def test_a_syntax_error_names_line_and_column(tmp_path: Path) -> None:
    path = write(tmp_path, "job.json", '{\n  "language": "de",\n  "segments": [\n}')
    assert "line 4, column 1" in refused(path)


def test_a_language_must_be_given(tmp_path: Path) -> None:
    assert "language is missing: name it, such as de, in the manifest or with" in refused(
        write(tmp_path, "a.srt", SRT)
    )


def test_a_script_that_is_not_there_is_named_with_its_manifest(tmp_path: Path) -> None:
    path = write(tmp_path, "job.json", {"language": "de", "script": "gone.srt"})
    assert f"job.json: script: there is no file {tmp_path / 'gone.srt'}" in refused(path)


# Pronunciations.


def test_a_dictionary_is_merged_word_by_word_series_manifest_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    season = tmp_path / "season"
    write(season, "one.srt", SRT)
    write(season, "pronunciations.json", {"NASA": "series", "Xi": "series", "Cy": "series"})
    write(
        season, "two.json", {"language": "de", "segments": [LINE], "pronunciations": "own/w.json"}
    )
    write(season, "own/w.json", {"pronunciations": {"Xi": "own", "Cy": "own"}})
    write(tmp_path, "option.json", {"Cy": "option"})
    monkeypatch.chdir(tmp_path)
    one, two = expand([season])
    plain = load(one.path, {"language": "de"}, defaults=one.defaults)
    assert plain.pronunciations == {"NASA": "series", "Xi": "series", "Cy": "series"}
    merged = load(two.path, {"pronunciations": "option.json"}, defaults=two.defaults)
    assert merged.pronunciations == {"NASA": "series", "Xi": "own", "Cy": "option"}


def test_a_job_without_a_dictionary_asks_what_it_always_asked(tmp_path: Path) -> None:
    plain, empty = load(manifest(tmp_path)), load(manifest(tmp_path, pronunciations={}))
    listed = load(manifest(tmp_path, pronunciations={"Xi": "Schi"}))
    asked = plain.model_dump(mode="json", exclude_defaults=True)
    assert "pronunciations" not in asked
    assert empty.model_dump(mode="json", exclude_defaults=True) == asked
    assert listed != plain


def test_words_and_what_is_said_for_them_are_normalised(tmp_path: Path) -> None:
    job = load(manifest(tmp_path, pronunciations={"Jose\u0301\u200b": " Cho\u00adse "}))
    assert job.pronunciations == {"José": "Chose"}


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ({" \u200b": "x"}, "which is blank: name a word"),
        ({"": "x"}, "which is blank: name a word"),
        ({"x": " … "}, "'x', holds nothing to speak: write words"),
        ({"x": ""}, "'x', holds nothing to speak: write words"),
        ({"x" * 101: "y"}, "has more than 100 characters: shorten it"),
        ({"x": "y" * 201}, "what is said for 'x' has more than 200 characters"),
        ({f"w{n}": "y" for n in range(5001)}, "5001 words are more than 5000: take some out"),
        ({"x": 5}, "pronunciations.x is 5: it should be a valid string"),
        (["x"], "pronunciations is ['x']: it should be an object"),
    ],
)
def test_a_dictionary_that_cannot_be_meant_is_refused(
    tmp_path: Path, words: object, fault: str
) -> None:
    message = refused(manifest(tmp_path, pronunciations=words))
    assert fault in message
    assert "job.json" in message
    path = write(tmp_path, "words.json", words)
    assert fault in refused(manifest(tmp_path), {"pronunciations": str(path)})


def test_a_dictionarys_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "pronunciations: there is no file 'gone.json'" in refused(
        manifest(tmp_path, pronunciations="gone.json")
    )


def test_the_schema_explains_fields_of_models_within_models() -> None:
    models = json_schema()["$defs"]
    for model, field in (("Fit", "max_rate"), ("Emotion", "strength"), ("ManifestRole", "voice")):
        assert models[model]["properties"][field]["description"]

"""Folders of scripts: pairs of script and film, and cautions about those without a pair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dubbing.errors import BadInput
from dubbing.script.entries import Reading, expand, read
from dubbing.script.naming import suffix_language

SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello\n"
LINE = {"start": 1, "end": 2, "text": "Hello"}


def fill(folder: Path, *names: str) -> None:
    for name in names:
        script = name.endswith((".srt", ".vtt", ".ass"))
        (folder / name).write_text(SRT.replace(",", ".") if script else "")
        if name.endswith(".srt"):
            (folder / name).write_text(SRT)
        if name.endswith(".vtt"):
            (folder / name).write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n")


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


def paired(folder: Path, **options: Any) -> dict[str, tuple[str, str]]:
    """Return the film's name and the language of each script, by the script's name."""
    return pairs(read([folder], {"language": None, **options}))


def pairs(reading: Reading) -> dict[str, tuple[str, str]]:
    assert reading.faults == []
    return {
        Path(job.source).name: (Path(job.media).name if job.media else "", job.language)
        for job in reading.jobs
    }


def warned(folder: Path, **options: Any) -> list[tuple[str, str]]:
    """Return the code and the file of each caution."""
    reading = read([folder], {"language": "qaa", **options})
    return [(caution.code, Path(caution.file).name) for caution in reading.cautions]


@pytest.mark.parametrize(
    ("film", "scripts"),
    [
        ("movie.mp4", {"movie.en.srt": "en", "movie.pt-BR.srt": "pt-BR"}),
        ("movie.mkv", {"movie.en.forced.srt": "en", "movie.de.sdh.vtt": "de"}),
        ("movie.mp4", {"movie.EN.srt": "en", "movie.pt_br.srt": "pt-BR", "movie.zh-hans.srt": ""}),
        ("movie.mp4", {"movie.eng.srt": "en", "movie.ger.srt": "de", "movie.fra.cc.srt": "fr"}),
        ("movie.mp4", {"movie_de.srt": "de", "movie-fr.srt": "fr", "movie it.srt": "it"}),
        ("movie.mp4", {"movie.English.srt": "en", "movie.german.forced.srt": "de"}),
        ("movie.mp4", {"movie.hi.srt": "hi", "movie.en.hi.srt": "en", "movie.de-forced.srt": "de"}),
        ("movie.mp4", {"movie.es-419.srt": "es-419", "movie.default.sv.srt": "sv"}),
        ("movie.1080p.mp4", {"movie.1080p.de.srt": "de", "movie.1080p.sr-Latn.srt": "sr-Latn"}),
        ("Movie (2019).MP4", {"movie (2019).uk.srt": "uk"}),
        ("Film.S01E01.x264-GRP.mkv", {"Film.S01E01.x264-GRP.nl.srt": "nl"}),
        ("folge 1.wav", {"folge 1.de.srt": "de"}),
        ("movie.de.mp4", {"movie.de.srt": "de"}),
        ("cafe\u0301.mp4", {"caf\u00e9.fr.srt": "fr"}),
    ],
)
def test_a_script_goes_with_the_film_of_its_name_and_its_suffix_tells_the_language(
    tmp_path: Path, film: str, scripts: Mapping[str, str]
) -> None:
    fill(tmp_path, film, *scripts)
    assert paired(tmp_path) == {
        name: (film, language or "zh-Hans") for name, language in scripts.items()
    }
    assert not [code for code, _ in warned(tmp_path) if code != "same_film"]


def test_the_longest_name_is_the_films(tmp_path: Path) -> None:
    fill(tmp_path, "e1.mp4", "e1.de.mp4", "e10.mp4", "e1.de.srt", "e1.fr.srt", "e10.fr.srt")
    assert paired(tmp_path) == {
        "e1.de.srt": ("e1.de.mp4", "de"),
        "e1.fr.srt": ("e1.mp4", "fr"),
        "e10.fr.srt": ("e10.mp4", "fr"),
    }


def test_a_language_that_is_said_elsewhere_wins_over_the_suffix(tmp_path: Path) -> None:
    fill(tmp_path, "movie.mp4", "movie.en.srt")
    write(tmp_path / "movie.de.json", {"language": "gsw", "segments": [LINE]})
    assert paired(tmp_path)["movie.de.json"] == ("movie.mp4", "gsw")
    assert {language for _, language in paired(tmp_path, language="fr").values()} == {"fr"}


def test_a_script_without_a_film_tells_its_language_too(tmp_path: Path) -> None:
    fill(tmp_path, "one.de.srt", "two.pt-BR.sdh.srt")
    assert paired(tmp_path) == {
        "one.de.srt": ("", "de"),
        "two.pt-BR.sdh.srt": ("", "pt-BR"),
    }
    assert warned(tmp_path) == []


def test_a_script_alone_tells_its_language_as_in_a_folder(tmp_path: Path) -> None:
    fill(tmp_path, "one.de.srt", "two.pt-BR.sdh.srt", "three.srt")
    write(tmp_path / "four.de.json", {"language": "gsw", "segments": [LINE]})
    write(tmp_path / "five.json", {"script": "one.de.srt"})
    names = ("one.de.srt", "two.pt-BR.sdh.srt", "four.de.json", "five.json")
    alone = [tmp_path / name for name in names]
    languages = [job.language for job in read(alone, {"language": None}).jobs]
    assert languages == ["de", "pt-BR", "gsw", "de"]
    assert [job.language for job in read(alone[:1], {"language": "fr"}).jobs] == ["fr"]
    (fault,) = read([tmp_path / "three.srt"], {}).faults
    assert "language is missing" in str(fault)


@pytest.mark.parametrize(
    "suffix", [".1080p", ".web", ".new", ".part2", ".2", "x.de", ".de.1080p", ".forced-1", ".xx"]
)
def test_what_is_no_language_is_not_taken_for_one(suffix: str) -> None:
    assert suffix_language(suffix) is None


def test_a_script_and_a_film_that_have_no_other_are_named(tmp_path: Path) -> None:
    fill(tmp_path, "e1.mp4", "e1.srt", "e2.srt", "e3.mp4", "e3-old.txt", "e4.1080p.mp4", "e4.srt")
    assert warned(tmp_path) == [
        *(("no_film", name) for name in ("e2.srt", "e4.srt")),
        *(("no_script", name) for name in ("e3.mp4", "e4.1080p.mp4")),
    ]


def test_a_film_that_a_manifest_or_an_option_names_is_a_film(tmp_path: Path) -> None:
    fill(tmp_path, "film.mp4", "music.wav", "ann.wav", "two.srt")
    manifest = {
        "language": "de",
        "segments": [LINE],
        "media": "../" + tmp_path.name + "/film.mp4",
        "background": {"mode": "track", "track": "music.wav"},
        "cast": {"ann": {"reference": "ann.wav"}, "bob": {"reference": "source"}},
    }
    write(tmp_path / "one.json", manifest)
    assert warned(tmp_path) == [("no_film", "two.srt")]
    assert warned(tmp_path, media=str(tmp_path / "film.mp4"), language="en") == [
        ("same_film", "two.srt")
    ]


def test_a_film_that_is_dubbed_twice_into_a_language_is_told(tmp_path: Path) -> None:
    fill(tmp_path, "m.mp4", "m.en.srt", "m.en.forced.srt", "m.fr.srt", "m.en.sdh.srt")
    reading = read([tmp_path], {})
    assert len(reading.jobs) == 4
    told = {Path(c.file).name: c.message for c in reading.cautions if c.code == "same_film"}
    assert told.keys() == {"m.en.srt", "m.en.sdh.srt"}
    assert "m.en.forced.srt is dubbed in 'en' over m.mp4 too" in told["m.en.srt"]


def test_two_films_that_may_be_meant_are_named_for_each_script(tmp_path: Path) -> None:
    fill(tmp_path, "a.mp4", "A.mkv", "a.de.srt", "b.wav", "b.mov", "b.srt", "c.srt", "c.mp4")
    write(tmp_path / "a.json", {"language": "de", "segments": [LINE], "media": "a.mp4"})
    reading = read([tmp_path], {"language": "de"})
    assert [str(fault).partition(": ")[2] for fault in reading.faults] == [
        "A.mkv and a.mp4 lie beside it: name one of them in a manifest",
        "b.mov and b.wav lie beside it: name one of them in a manifest",
    ]
    assert [Path(job.source).name for job in reading.jobs] == ["a.json", "c.srt"]


def test_hidden_files_and_what_was_fetched_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, "e1.srt", "e1.mp4", "._e1.srt", ".DS_Store", ".hidden.mp4", "._e1.mp4")
    fill(tmp_path, "e1.dub.srt", "e1.dub.mp4", "e1.report.json")
    fill(tmp_path, "dub.srt", "report.json")
    assert paired(tmp_path, language="de") == {"e1.srt": ("e1.mp4", "de")}
    assert warned(tmp_path) == []


def test_a_script_that_is_named_like_an_output_is_a_script(tmp_path: Path) -> None:
    fill(tmp_path, "e1.dub.srt", "e1.dub.mp4")
    assert paired(tmp_path, language="de") == {"e1.dub.srt": ("e1.dub.mp4", "de")}


def test_a_cast_and_a_dictionary_are_those_of_every_script(tmp_path: Path) -> None:
    fill(tmp_path, "ep.1.srt", "ep.2.vtt", "notes.docx", "ep.1.mp4", "ep.3.mkv")
    write(tmp_path / "ep.3.json", {"language": "it", "segments": [LINE], "media": "ep.1.mp4"})
    write(tmp_path / "cast.json", {"speaker": {"speed": 1.1}})
    write(tmp_path / "pronunciations.json", {"Xi": "Schi"})
    one, two, three = read([tmp_path], {"language": "de"}).jobs
    assert [Path(job.source).name for job in (one, two, three)] == [
        "ep.1.srt", "ep.2.vtt", "ep.3.json",
    ]  # fmt: skip
    assert {job.cast["speaker"].speed for job in (one, two, three)} == {1.1}
    assert {job.pronunciations["Xi"] for job in (one, two, three)} == {"Schi"}
    assert three.media == str(tmp_path / "ep.1.mp4")


def test_a_folder_that_holds_no_script_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "film.mp4", ".hidden.srt")
    with pytest.raises(BadInput, match="no file in it ends in"):
        expand([tmp_path])


def test_every_script_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "e1.de.srt", "e2.srt", "e3.de.srt")
    (tmp_path / "e3.de.srt").write_text("1\n00:00:03,000 --> 00:00:01,000\nBack.\n")
    (tmp_path / "list.csv").write_text("script;media;language\ne1.de.srt;gone.mp4;de\n")
    reading = read([tmp_path, tmp_path / "list.csv"], {})
    assert [Path(job.source).name for job in reading.jobs] == ["e1.de.srt"]
    faults = [str(fault).removeprefix(f"{tmp_path}/") for fault in reading.faults]
    assert "e2.srt" in faults[0]
    assert "language" in faults[0]
    assert faults[1].startswith("e3.de.srt, line 2: ")
    assert faults[2].startswith("list.csv, line 2: ")
    assert "gone.mp4" in faults[2]

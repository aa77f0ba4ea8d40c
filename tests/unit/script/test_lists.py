"""Lists of scripts: separators, headings, and rows that are refused by their line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dubbing.errors import BadInput
from dubbing.script.entries import expand
from dubbing.script.lists import read_list
from dubbing.script.loader import load

SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello\n"


@pytest.fixture
def season(tmp_path: Path) -> Path:
    """A folder of scripts, a film and a cast."""
    (tmp_path / "one.srt").write_text(SRT)
    (tmp_path / "fr, two.srt").write_text(SRT)
    (tmp_path / "film.mp4").touch()
    (tmp_path / "cast.json").write_text(json.dumps({"speaker": {"speed": 1.1}}))
    return tmp_path


def listed(folder: Path, content: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(content, encoding)
    return path


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read_list(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_list_is_read_by_rows(season: Path) -> None:
    path = listed(
        season,
        "\ufeff# the pilot\nscript, media, language, cast, id\n\n"
        "one.srt, film.mp4, de, cast.json, one-de\n"
        '#de/two.srt,film.mp4,"de,,\n'
        '"fr, two.srt",,fr\n',
    )
    one, two = read_list(path)
    job = load(one.path, one.overrides)
    assert (job.id, job.language, job.media) == ("one-de", "de", str(season / "film.mp4"))
    assert job.cast["speaker"].speed == 1.1
    assert (two.path.name, dict(two.overrides)) == ("fr, two.srt", {"language": "fr"})
    assert (one.where, two.where) == (f"{path}, line 4", f"{path}, line 6")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "script;media;language\none.srt;film.mp4;de\n"),
        ("a.csv", "script\tmedia\tlanguage\none.srt\tfilm.mp4\tde\n"),
        ("a.tsv", "script\tmedia\tlanguage\none.srt\tfilm.mp4\tde\n"),
        ("a.txt", "Script;Media;LANGUAGE\none.srt;film.mp4;de\n"),
        ("a.csv", '"Script","Media","Language"\n"one.srt","film.mp4","de"\n'),
        ("a.csv", '"Script"; "Media"; "Language"\r\n"one.srt"; "film.mp4"; "de"\r\n'),
        ("a.csv", "sep=;\nScript;Media;Language\none.srt;film.mp4;de\n"),
        ("a.csv", "SEP=\t\nScript\tMedia\tLanguage\none.srt\tfilm.mp4\tde\n"),
        ("a.csv", "script;media;language;;;\none.srt;film.mp4;de;;;\n;;;;;\n"),
        ("a.csv", "# rows; by hand\n\n media ;script;  language\nfilm.mp4;one.srt;de\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_capitals_are_taken_as_spreadsheets_write_them(
    season: Path, name: str, content: str, encoding: str
) -> None:
    (entry,) = read_list(listed(season, content, name, encoding))
    assert entry.path == season / "one.srt"
    assert dict(entry.overrides) == {"media": str(season / "film.mp4"), "language": "de"}


def test_a_list_of_one_column_needs_no_separator(season: Path) -> None:
    entries = read_list(listed(season, "Script\none.srt\n"))
    assert [entry.path for entry in entries] == [season / "one.srt"]


def test_a_cell_may_hold_what_does_not_separate_here(season: Path) -> None:
    (entry,) = read_list(listed(season, "script;language\nfr, two.srt;fr\n"))
    assert entry.path.name == "fr, two.srt"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("script,langage\none.srt,de", "line 1: there is no column 'langage'; did you mean"),
        ("Script;Langage\none.srt;de", "line 1: there is no column 'Langage'; did you mean"),
        ("script|language\none.srt|de", "line 1: there is no column 'script|language'"),
        ("media,language\nx.mp4,de", "line 1: name each column once, and script among them"),
        ("Script,script\none.srt,a", "line 1: name each column once, and script among them"),
        ("script,language\none.srt,de,extra", "line 2: 3 cells for 2 columns"),
        ("script,language\n,de", "line 2: the row names no script"),
        ("script,language\n\ngone.srt,de", "line 3: there is no script"),
        ('script,language\none.srt,de\n"one.srt,fr\n', "line 3: unexpected end of data"),
        ('script,language\n"one".srt,fr\n', "line 2: ',' expected after '\"'"),
        ("script,id\none.srt,a\none.srt,a", "id 'a' is given to 2 rows"),
        ("script,language\n", "it names no script"),
        ("", "it names no script"),
        ("sep=;\n", "it names no script"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(season: Path, content: str, words: str) -> None:
    assert words in refused(listed(season, content))


def test_every_row_that_cannot_be_meant_is_named(season: Path) -> None:
    path = listed(season, "script;id\ngone.srt;a\none.srt;b\n;c\none.srt;b\n")
    message = refused(path)
    for words in ("line 2: there is no", "line 4: the row names", "id 'b' is given to 2 rows"):
        assert f"{path}, {words}" in message or f"{path}: {words}" in message


def test_scripts_lists_and_folders_can_be_given_together(season: Path) -> None:
    folder = season / "folder"
    folder.mkdir()
    (folder / "two.srt").write_text(SRT)
    rows = listed(season, "script,language\none.srt,de\none.srt,fr")
    entries = expand([season / "one.srt", folder, rows])
    assert [entry.path.name for entry in entries] == ["one.srt", "two.srt", "one.srt", "one.srt"]

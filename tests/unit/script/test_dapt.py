"""DAPT, the W3C's scripts for dubbing; the cases follow its examples."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest
from reading import codes, read, refused, said

from dubbing.errors import BadInput
from dubbing.script.loader import load

CASE = Path(__file__).parents[2] / "cases" / "dapt.ttml"
HEAD = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" '
    'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xml:lang="en"'
)
EVENT = '<div begin="1s" end="2s"><p>Hi.</p></div>'


def document(body: str, attributes: str = "") -> str:
    return f"{HEAD} {attributes}><body>{body}</body></tt>"


def test_the_words_of_one_language_are_spoken_at_the_times_of_their_event() -> None:
    job = load(CASE)
    assert [(s.start, s.end, s.speaker, s.text) for s in job.segments] == [
        (10.5, 13.0, "ADA", "Das machen wir also, wir\nbeide."),
        (14.2, 16.2, "c2", "Nein."),
    ]
    assert job.language == "de"
    assert codes(job) == [("sound", None), ("language", None)]


def test_a_script_in_several_languages_is_read_in_that_of_the_job() -> None:
    job = load(CASE, {"language": "en-GB"})
    assert said(job) == [("ADA", "So that is what we shall do."), ("c2", "No.")]


def test_an_event_without_words_in_the_language_is_named(tmp_path: Path) -> None:
    message = refused(
        tmp_path, "a.ttml", CASE.read_text().replace('xml:lang="en"', 'xml:lang="fr"')
    )
    assert "line 25: the event has no words in 'en', only in de and fr" in message


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ('begin="1.5s" end="2500ms"', (1.5, 2.5)),
        ('begin="00:00:01.25" end="00:01:00"', (1.25, 60.0)),
        ('begin="00:00:01:12" dur="24f"', (1.5, 2.5)),
        ('begin="0.5m" dur="0.01h"', (30.0, 66.0)),
        ('begin="100t" end="350t" dur="2s"', (1.0, 3.0)),
    ],
)
def test_times_are_read_in_all_their_forms(
    tmp_path: Path, times: str, seconds: tuple[float, float]
) -> None:
    rates = 'ttp:frameRate="24" ttp:tickRate="100"'
    job = read(tmp_path, "a.ttml", document(f"<div {times}><p>Hi.</p></div>", rates))
    assert [(s.start, s.end) for s in job.segments] == [seconds]


def test_frames_of_ntsc_are_longer_than_a_thirtieth(tmp_path: Path) -> None:
    rate = 'ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"'
    body = '<div begin="00:00:00:15" dur="1s"><p>Hi.</p></div>'
    (segment,) = read(tmp_path, "a.ttml", document(body, rate)).segments
    assert segment.start == 0.501


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<tt", "line 1: this is not XML"),
        ("<html/>", "this is not TTML"),
        (f"<!DOCTYPE tt>\n{document(EVENT)}", "has no document type: remove it"),
        (document("<p>Hi.</p>"), "no script event"),
        (document("<div begin='1s'><p>Hi.</p></div>"), "line 1: the event has no end"),
        (document("<div begin='1s' end='1s'><p>Hi.</p></div>"), "ends before it starts"),
        (document("<div begin='soon'><p>Hi.</p></div>"), "begin: 'soon' is no time"),
        (document(EVENT, "ttp:frameRate='0'"), "ttp:frameRate is '0'"),
        (document(EVENT, "ttp:frameRateMultiplier='2'"), "ttp:frameRateMultiplier is '2'"),
        (document(EVENT, "ttp:timeBase='smpte'"), "count by a clock"),
        (document(EVENT.replace("<div", "<div ttm:agent='a b'")), "a and b"),
    ],
)
def test_what_cannot_be_dubbed_is_refused(tmp_path: Path, content: str, message: str) -> None:
    assert message in refused(tmp_path, "a.ttml", content)


def test_a_script_that_names_no_language_is_refused_where_the_job_names_none(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.ttml"
    path.write_text(document(EVENT).replace('xml:lang="en"', ""))
    with pytest.raises(BadInput, match="its tt names no language"):
        load(path)


def test_entities_that_stand_for_gigabytes_are_not_read(tmp_path: Path) -> None:
    steps = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE tt [<!ENTITY e0 "lol">{steps}]>{document(EVENT.replace("Hi.", "&e11;"))}'
    began = process_time()
    assert "amplification" in refused(tmp_path, "a.ttml", bomb)
    assert process_time() - began < 2

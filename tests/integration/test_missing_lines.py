"""Jobs that may miss some lines: when they fail, and what is told of a missing line."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenes import (
    FILM_SECONDS,
    SEGMENTS,
    dub,
    film,
    heard,
    lose,
    scene,
    spoken,
    store_round,
    store_take,
    unspoken,
    voice,
)

from dubbing.assembly.report import Report
from dubbing.assembly.report_line import ReportLine
from dubbing.job import Background, Job, JobState, Output, Segment
from dubbing.media.probe import RATE
from dubbing.planning.outcome import gather
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

FLAC = Output(formats=("flac",))
OWN = "is missing: the film's own sound is heard in its place"
MUSIC = (
    "is missing: music and effects alone are heard in its place, as there is no film's sound to "
    "keep"
)
SILENCE = "is missing: silence is heard in its place, as there is no film's sound to keep"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


def test_a_missing_line_is_reported_and_keeps_its_subtitle(storage: Storage, workdir: Path) -> None:
    job = scene(storage, media=film(storage, level_db=-60), allow_missing=0.25)
    lose(storage, job, "2")
    report = dub(job, storage, workdir, 2)

    assert report == Report.model_validate_json(
        storage.get(Keys.output("scene", 2, "run") + "report.json")
    )
    assert report.state is JobState.COMPLETED
    assert report.lines[1] == ReportLine(
        id="2",
        speaker="Bob",
        text="The second one.",
        spoken="The second one.",
        round=2,
        planned_start=4.5,
        planned_end=6.5,
        engine="tone",
        model="m",
        voice="stock:low",
        attempts=3,
        seed=1,
        error=unspoken(SEGMENTS[1]).error,
        note=OWN,
    )
    assert [line.actual_start for line in report.lines] == [1.0, None, 9.987, 15.25]
    assert report.warnings == (f"line 2 {OWN}",)
    subtitles = storage.get(Keys.output("scene", 2, "run") + "dub.srt").decode()
    assert "00:00:04,500 --> 00:00:06,500\nThe second one." in subtitles


@pytest.mark.parametrize(
    ("share", "state"), [(0.5, JobState.COMPLETED), (0.49, JobState.FAILED), (0.0, JobState.FAILED)]
)
def test_a_job_fails_when_more_than_its_share_is_missing(
    storage: Storage, workdir: Path, share: float, state: JobState
) -> None:
    job = scene(storage, allow_missing=share)
    lose(storage, job, "2", "3")
    report = dub(job, storage, workdir, 2)
    assert report.state is state
    assert bool(report.outputs) is (state is JobState.COMPLETED)
    assert [line.id for line in report.lines if line.error] == ["2", "3"]


def test_a_share_is_the_number_that_a_person_writes(storage: Storage) -> None:
    lines = [Segment(id=str(n), start=n, end=n + 1, text="x") for n in range(100)]
    job = Job(id="hundred", language="de", segments=tuple(lines))
    take = store_take(storage, "x", voice(0.5))
    for missing in (7, 28, 29, 55, 57, 58):
        store_round(
            storage,
            job,
            missing,
            [unspoken(s) if int(s.id) < missing else spoken(s, take) for s in lines],
        )
        outcomes = gather(storage, "hundred", missing)
        assert Report.unmixed(job, missing, outcomes, asked=1).missing == float(f"0.{missing:02}")


@pytest.mark.parametrize(
    ("music", "note"), [(False, SILENCE), (True, MUSIC)], ids=["silence", "music"]
)
def test_without_a_films_sound_there_is_none_to_keep_and_the_report_says_so(
    storage: Storage, workdir: Path, music: bool, note: str
) -> None:
    track = film(storage, channels=1, sound="sine=f=1000", name="music")
    under = Background(mode="track", track=track) if music else Background()
    job = scene(storage, background=under, allow_missing=0.25)
    lose(storage, job, "4")
    report = dub(job, storage, workdir, 2)
    assert report.lines[3].note == note
    assert report.warnings == (f"line 4 {note}",)
    mixed = heard(report, storage, "dub.flac", 1)
    assert len(mixed) == 18 * RATE, "the line's time is there all the same"
    assert mixed[round(15.25 * RATE) :].any() == music


def test_a_film_without_sound_has_none_to_keep(storage: Storage, workdir: Path) -> None:
    job = scene(storage, media=film(storage, channels=None), output=FLAC, allow_missing=0.25)
    lose(storage, job, "2")
    report = dub(job, storage, workdir, 2)
    assert report.lines[1].note == SILENCE
    assert not heard(report, storage, "dub.flac", 1)[round(4.4 * RATE) : round(6.6 * RATE)].any()


def test_a_missing_line_makes_no_film_longer(storage: Storage, workdir: Path) -> None:
    late = (
        Segment(id="1", start=1.0, end=3.0, text="Is spoken."),
        Segment(id="2", start=FILM_SECONDS - 1, end=FILM_SECONDS + 5, text="Runs past the film."),
        Segment(id="3", start=FILM_SECONDS + 6, end=FILM_SECONDS + 7, text="Is past the film."),
    )
    job = Job(id="late", language="de", segments=late, media=film(storage), allow_missing=0.7)
    take = store_take(storage, "a", voice(1.0))
    store_round(storage, job, 1, [spoken(late[0], take), *map(unspoken, late[1:])])
    report = dub(job, storage, workdir)
    assert report.seconds == pytest.approx(FILM_SECONDS, abs=0.1)
    assert [line.note for line in report.lines] == ["", OWN, SILENCE]


def test_no_line_runs_into_a_missing_one(storage: Storage, workdir: Path) -> None:
    job = scene(storage, allow_missing=0.25)
    long = store_take(storage, "long", voice(4.0))
    store_round(storage, job, 2, [spoken(SEGMENTS[0], long), unspoken(SEGMENTS[1])])
    first = dub(job, storage, workdir, 2).lines[0]
    assert first.actual_end is not None
    assert 4.3 < first.actual_end <= 4.5
    assert first.overflow == 0


def test_a_speaker_of_whom_no_line_was_spoken_changes_no_other(
    storage: Storage, workdir: Path
) -> None:
    job = scene(storage, allow_missing=0.5)
    lose(storage, job, "2", "4")
    report = dub(job, storage, workdir, 2)
    assert report.state is JobState.COMPLETED
    assert [line.loudness is None for line in report.lines] == [False, True, False, True]
    assert report.lines[0].loudness == pytest.approx(-23, abs=2)


def test_a_sound_of_which_every_line_is_missing_is_silent(storage: Storage, workdir: Path) -> None:
    job = scene(storage, allow_missing=1.0)
    lose(storage, job, "1", "2", "3", "4")
    report = dub(job, storage, workdir, 2)
    assert report.state is JobState.COMPLETED
    assert report.seconds == 18.0
    assert report.warnings[-1] == "the programme is silent"

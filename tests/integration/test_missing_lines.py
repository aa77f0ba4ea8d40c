"""Jobs that may miss some lines: the film's own sound is heard in their place."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenes import (
    FILM_SECONDS,
    SEGMENTS,
    dub,
    film,
    heard,
    scene,
    spoken,
    store_round,
    store_take,
    unspoken,
    voice,
)

from dubbing.audio import Samples, level
from dubbing.job import Background, Job, JobState, Output, Segment
from dubbing.keys import Keys
from dubbing.media import RATE, decode
from dubbing.outcome import gather
from dubbing.programme import prepare
from dubbing.report import Report, ReportLine
from dubbing.storage import Storage

FLAC = Output(formats=("flac",))
OWN = "is missing: the film's own sound is heard in its place"
MUSIC = (
    "is missing: music and effects alone are heard in its place, as there is no film's sound to "
    "keep"
)
SILENCE = "is missing: silence is heard in its place, as there is no film's sound to keep"
HUM = "aevalsrc=exprs=0.5*cos(80*PI*t):s=48000"
"""40 Hz, at its crest where the lines of the scene start and end: a hard cut would click."""


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def lose(storage: Storage, job: Job, *ids: str) -> None:
    """Store a second round in which lines of ``job`` were not spoken."""
    store_round(storage, job, 2, [unspoken(line) for line in job.segments if line.id in ids])


def part(track: Samples, start: float, end: float) -> Samples:
    return track[round(start * RATE) : round(end * RATE)]


def of_the_film(storage: Storage, report: Report, channels: int) -> Samples:
    """Return the film's own sound, at the gain that the programme got."""
    assert report.loudness
    path = storage.path("media/film")
    assert path
    own = np.concatenate(list(decode(path, channels)))
    return own * np.float32(10 ** (report.loudness.gain / 20))


def apart(track: Samples, own: Samples, start: float, end: float) -> float:
    """Return how far the track is from the film's own sound, in dB below it."""
    own = part(own, start, end)
    return level(own.ravel()) - level((part(track, start, end) - own).ravel())


def background(mode: Any, storage: Storage, channels: int) -> Background:
    if mode != "track":
        return Background(mode=mode)
    music = film(storage, channels=channels, sound="sine=f=1000", level_db=-25, name="music")
    return Background(mode="track", track=music)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("mode", ["duck", "none", "track"])
def test_the_films_own_sound_is_heard_under_a_missing_line(
    storage: Storage, workdir: Path, mode: str, channels: int
) -> None:
    under = background(mode, storage, channels)
    media = film(storage, channels=channels)
    job = scene(storage, media=media, background=under, output=FLAC, allow_missing=0.5)
    lose(storage, job, "2")
    report = dub(job, storage, workdir, 2)
    track = heard(report, storage, "dub.flac", channels)
    own = of_the_film(storage, report, channels)

    assert apart(track, own, 4.5, 6.5) > 40, "it is there as it is, from start to end"
    assert level(part(track, 1.1, 2.4)[:, -1 if channels < 6 else 2]) > -30, "the others are spoken"
    free = part(track, 13.0, 15.0)
    if mode == "none":
        assert not free.any()
    elif mode == "duck":
        assert apart(track, own, 13.0, 15.0) > 40
    else:
        assert apart(track, own, 13.0, 15.0) < 0, "elsewhere there is music"


@pytest.mark.parametrize("mode", ["none", "track"])
def test_the_films_own_sound_comes_and_goes_without_a_click(
    storage: Storage, workdir: Path, mode: str
) -> None:
    under = background(mode, storage, 1)
    media = film(storage, channels=1, sound=HUM, level_db=-20)
    job = scene(storage, media=media, background=under, output=FLAC, allow_missing=0.5)
    lose(storage, job, "2", "1", "3", "4")
    job = job.model_copy(update={"allow_missing": 1.0})
    report = dub(job, storage, workdir, 2)
    track = heard(report, storage, "dub.flac", 1)[:, 0]
    own = of_the_film(storage, report, 1)[:, 0]

    assert abs(own[round(4.5 * RATE)]) > 0.99 * np.abs(own).max(), "a cut there would be heard"
    steepest = np.abs(np.diff(part(track, 5.0, 6.0))).max()
    free = np.abs(np.diff(part(track, 13.0, 14.0))).max()
    for edge in (4.5, 6.5):
        around = np.abs(np.diff(part(track, edge - 0.1, edge + 0.1))).max()
        assert around < 1.2 * (steepest + free)


def test_music_goes_on_over_the_edges_of_a_missing_line(storage: Storage, workdir: Path) -> None:
    media = film(storage, level_db=-30)
    under = Background(mode="track", track=media)
    job = scene(storage, media=media, background=under, output=FLAC, allow_missing=0.25)
    lose(storage, job, "2")
    report = dub(job, storage, workdir, 2)
    track = heard(report, storage, "dub.flac", 2)
    own = of_the_film(storage, report, 2)
    for edge in (4.5, 6.5):
        assert apart(track, own, edge - 0.05, edge + 0.05) > 40


def test_the_ducking_of_neighbours_does_not_reach_into_a_missing_line(
    storage: Storage, workdir: Path
) -> None:
    near = (
        Segment(id="1", start=3.0, end=4.9, speaker="Ada", text="Ends just before."),
        Segment(id="2", start=5.0, end=7.0, speaker="Ada", text="Is missing."),
        Segment(id="3", start=7.02, end=9.0, speaker="Ada", text="Starts just after."),
        Segment(id="4", start=6.0, end=6.5, speaker="Bob", text="Speaks at the same time."),
    )
    # In 5.1 the speech is in the centre, so the left channel holds the film alone.
    media = film(storage, channels=6)
    job = Job(id="near", language="de", segments=near, media=media, output=FLAC, allow_missing=0.25)
    lengths = {"1": 1.95, "3": 1.5, "4": 0.5}
    takes = {id_: store_take(storage, id_, voice(seconds)) for id_, seconds in lengths.items()}
    store_round(
        storage, job, 1, [spoken(s, takes[s.id]) if s.id in takes else unspoken(s) for s in near]
    )
    report = dub(job, storage, workdir)
    left = heard(report, storage, "dub.flac", 6)[:, :1]
    own = of_the_film(storage, report, 6)[:, :1]
    assert apart(left, own, 5.0, 7.0) > 40
    down = level(part(own, 4.0, 4.8).ravel()) - level(part(left, 4.0, 4.8).ravel())
    assert down == pytest.approx(12, abs=0.1), "the line before has its ducking"
    down = level(part(own, 7.1, 8.4).ravel()) - level(part(left, 7.1, 8.4).ravel())
    assert down == pytest.approx(12, abs=0.1), "the line after has its ducking"


def test_a_missing_line_is_reported_and_keeps_its_subtitle(storage: Storage, workdir: Path) -> None:
    job = scene(storage, media=film(storage), allow_missing=0.25)
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
    under = background("track", storage, 1) if music else Background()
    job = scene(storage, background=under, allow_missing=0.25)
    lose(storage, job, "4")
    report = dub(job, storage, workdir, 2)
    assert report.lines[3].note == note
    assert report.warnings == (f"line 4 {note}",)
    track = heard(report, storage, "dub.flac", 1)
    assert len(track) == 18 * RATE, "the line's time is there all the same"
    assert part(track, 15.25, 18).any() is np.bool_(music)


def test_a_film_without_sound_has_none_to_keep(storage: Storage, workdir: Path) -> None:
    job = scene(storage, media=film(storage, channels=None), output=FLAC, allow_missing=0.25)
    lose(storage, job, "2")
    report = dub(job, storage, workdir, 2)
    assert report.lines[1].note == SILENCE
    assert not part(heard(report, storage, "dub.flac", 1), 4.4, 6.6).any()


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
    assert 4.3 < first.actual_end < 4.5
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


@pytest.mark.parametrize("mode", ["duck", "none"])
def test_a_film_of_which_every_line_is_missing_has_its_own_sound(
    storage: Storage, workdir: Path, mode: Any
) -> None:
    under = Background(mode=mode)
    job = scene(storage, media=film(storage), background=under, output=FLAC, allow_missing=1.0)
    lose(storage, job, "1", "2", "3", "4")
    report = dub(job, storage, workdir, 2)
    assert len(report.warnings) == 4
    track, own = heard(report, storage, "dub.flac", 2), of_the_film(storage, report, 2)
    for segment in SEGMENTS:
        assert apart(track, own, segment.start, segment.end) > 40


def test_a_sound_of_which_every_line_is_missing_is_silent(storage: Storage, workdir: Path) -> None:
    job = scene(storage, allow_missing=1.0)
    lose(storage, job, "1", "2", "3", "4")
    report = dub(job, storage, workdir, 2)
    assert report.state is JobState.COMPLETED
    assert report.seconds == 18.0
    assert report.warnings[-1] == "the programme is silent"


@pytest.mark.parametrize("mode", ["duck", "none", "track"])
def test_memory_does_not_grow_with_a_film_that_misses_lines(
    storage: Storage, tmp_path: Path, mode: str
) -> None:
    def peak(seconds: float) -> int:
        under = background(mode, storage, 2)
        media = film(storage, seconds=seconds)
        job = scene(storage, id=f"of-{seconds}", media=media, background=under)
        lose(storage, job, "2")
        outcomes = gather(storage, job.name, 2)
        programme = prepare(job, job.segments, outcomes, storage, tmp_path)
        tracemalloc.start()
        for _ in programme.background():
            pass
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    peak(24)
    assert peak(120) < peak(24) * 1.25

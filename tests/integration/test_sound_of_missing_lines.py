"""What is heard in place of a missing line, by films and tracks of known sound."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenes import (
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

from dubbing.assembly.programme import prepare
from dubbing.assembly.report import Report
from dubbing.job import Background, Job, Output, Segment
from dubbing.media.probe import RATE, decode
from dubbing.media.samples import Samples, level
from dubbing.planning.outcome import gather
from dubbing.storage import Storage

FLAC = Output(formats=("flac",))
HUM = "aevalsrc=exprs=0.5*cos(80*PI*t):s=48000"
"""40 Hz, at its crest where the lines of the scene start and end: a hard cut would click."""


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


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
    job = scene(storage, media=media, background=under, output=FLAC, allow_missing=1.0)
    lose(storage, job, "1", "2", "3", "4")
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


@pytest.mark.parametrize("mode", ["duck", "none", "track"])
def test_memory_does_not_grow_with_a_film_that_misses_lines(
    storage: Storage, tmp_path: Path, mode: str
) -> None:
    def peak(seconds: float) -> int:
        under = background(mode, storage, 2)
        media = film(storage, seconds=seconds)
        job = scene(storage, id=f"of-{seconds}", media=media, background=under)
        lose(storage, job, "2")
        outcomes = gather(storage, job.id, 2)
        programme = prepare(job, job.segments, outcomes, storage, tmp_path)
        tracemalloc.start()
        for _ in programme.background():
            pass
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    peak(24)
    assert peak(120) < peak(24) * 1.25

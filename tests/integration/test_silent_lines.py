"""Lines with nothing to say, in what assembly makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenes import (
    FILM_SECONDS,
    SEGMENTS,
    dub,
    ffmpeg,
    film,
    heard,
    lose,
    scene,
    spoken,
    store_round,
    store_take,
    voice,
)

from dubbing.assembly.report import Report
from dubbing.assembly.report_line import ReportLine
from dubbing.job import Background, Job, JobState, Output, Segment
from dubbing.media.probe import RATE, decode
from dubbing.media.samples import level
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

FLAC = Output(formats=("flac",))


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


def hushed(job: Job, texts: dict[str, str]) -> Job:
    """The job with other texts, by the lines' ids."""
    segments = tuple(
        segment.model_copy(update={"text": texts.get(segment.id, segment.text)})
        for segment in job.segments
    )
    return job.model_copy(update={"segments": segments})


def subtitles(storage: Storage, report: Report) -> str:
    return storage.get(Keys.output(report.job, report.round, "run") + "dub.srt").decode()


def unspoken_job(storage: Storage, *texts: str, **wishes: Any) -> Job:
    """Store a job of one round without a batch."""
    segments = tuple(
        Segment(id=str(n), start=2.0 * n, end=2.0 * n + 1.5, text=text)
        for n, text in enumerate(texts, 1)
    )
    job = Job(**{"id": "hush", "language": "de", "segments": segments, **wishes})
    store_round(storage, job, 1, [])
    return job


def test_a_silent_line_is_reported_as_silent_and_keeps_its_subtitle(
    storage: Storage, workdir: Path
) -> None:
    job = hushed(scene(storage, media=film(storage, level_db=-60)), {"2": "♪", "3": "(sighs)"})
    report = dub(job, storage, workdir)
    assert report.state is JobState.COMPLETED, "silent is not missing"
    assert report.missing == 0
    assert report.warnings == ()
    assert report.renewed == ("1", "4")
    # It was spoken before it was silent: what there is of that is not heard.
    assert report.lines[1] == ReportLine(
        id="2", speaker="Bob", text="♪", silent=True, planned_start=4.5, planned_end=6.5
    )
    assert [line.silent for line in report.lines] == [False, True, True, False]
    assert [line.clip is None for line in report.lines] == [False, True, True, False]
    written = subtitles(storage, report)
    assert "00:00:04,500 --> 00:00:06,500\n♪\n" in written
    assert "\n(sighs)\n" in written


def test_a_line_that_was_never_spoken_may_be_silent(storage: Storage, workdir: Path) -> None:
    job = hushed(scene(storage), {"2": "♪"})
    results = [
        spoken(s, store_take(storage, s.id, voice(1.5))) for s in job.segments if s.id != "2"
    ]
    store_round(storage, job.model_copy(update={"id": "new"}), 1, results)
    report = dub(job.model_copy(update={"id": "new"}), storage, workdir)
    assert [line.silent for line in report.lines] == [False, True, False, False]
    assert report.state is JobState.COMPLETED


def test_lines_are_allowed_to_be_missing_by_their_share_of_those_that_speak(
    storage: Storage, workdir: Path
) -> None:
    job = hushed(scene(storage, allow_missing=0.49), {"1": "♪", "2": "…"})
    lose(storage, job, "1", "3")
    report = dub(job, storage, workdir, 2)
    assert report.missing == 0.5
    assert report.state is JobState.FAILED
    assert [line.id for line in report.lines if line.error] == ["3"]


@pytest.mark.parametrize("mode", ["duck", "none", "track"])
def test_a_silent_line_sounds_as_where_nobody_speaks(
    storage: Storage, workdir: Path, mode: Any
) -> None:
    media = film(storage)
    music = film(storage, sound="sine=f=1000", level_db=-25, name="music")
    under = Background(mode=mode, track=music if mode == "track" else None)
    job = hushed(scene(storage, media=media, background=under, output=FLAC), {"2": "[thunder]"})
    report = dub(job, storage, workdir)
    assert report.loudness
    track = heard(report, storage, "dub.flac", 2)[round(4.5 * RATE) : round(6.5 * RATE)]
    if mode == "none":
        assert not track.any()
        return
    source = storage.path(music if mode == "track" else media)
    assert source
    own = np.concatenate(list(decode(source, 2)))[round(4.5 * RATE) : round(6.5 * RATE)]
    own = own * np.float32(10 ** (report.loudness.gain / 20))
    assert level(own.ravel()) - level((track - own).ravel()) > 40


def test_a_line_may_run_on_over_a_silent_one(storage: Storage, workdir: Path) -> None:
    job = hushed(scene(storage), {"2": "(sighs)"})
    long = store_take(storage, "long", voice(5.0))
    store_round(storage, job, 2, [spoken(SEGMENTS[0], long)])
    first = dub(job, storage, workdir, 2).lines[0]
    assert (first.actual_end, first.rate, first.overflow) == (6.0, 1.0, 0.0)


def test_a_film_of_silent_lines_has_its_own_sound(storage: Storage, workdir: Path) -> None:
    job = unspoken_job(storage, "♪", "(sighs)", "# Row #", media=film(storage))
    report = dub(job, storage, workdir)
    assert report.state is JobState.COMPLETED
    assert report.seconds == pytest.approx(FILM_SECONDS, abs=0.1)
    assert [line.silent for line in report.lines] == [True, True, True]
    assert heard(report, storage, "dub.mp4", 2).any()
    assert report.warnings == ()


def test_a_sound_of_silent_lines_is_as_long_as_they_are(storage: Storage, workdir: Path) -> None:
    report = dub(unspoken_job(storage, "♪", "…"), storage, workdir)
    assert (report.state, report.seconds) == (JobState.COMPLETED, 5.5)
    assert report.warnings == ("the programme is silent",)


def test_a_cue_without_text_has_no_subtitle_and_a_film_without_any_has_no_track(
    storage: Storage, workdir: Path
) -> None:
    some = dub(unspoken_job(storage, "", "♪", media=film(storage)), storage, workdir)
    assert subtitles(storage, some) == "1\n00:00:04,000 --> 00:00:05,500\n♪\n\n"
    none = unspoken_job(storage, "", "", media=film(storage), id="none")
    report = dub(none, storage, workdir)
    assert report.state is JobState.COMPLETED
    made = storage.path(Keys.output("none", 1, "run") + "dub.mp4")
    assert made
    streams = ffmpeg("-i", made, "-f", "null", "-")
    assert "Video:" in streams
    assert "Subtitle:" not in streams

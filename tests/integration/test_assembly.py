from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from meters import loudness as lufs
from scenes import (
    CLIP_RATE,
    FFMPEG,
    FILM_SECONDS,
    SEGMENTS,
    dub,
    ffmpeg,
    film,
    heard,
    scene,
    spoken,
    store_round,
    store_take,
    unspoken,
    voice,
)

from dubbing.assembly.programme import MOST_APART
from dubbing.assembly.report import Report
from dubbing.assembly.report_line import ReportLine
from dubbing.errors import BadInput, ClipUnreadable, ErrorRecord, MediaError, Stopped
from dubbing.job import Background, Fit, Job, JobState, Output, Segment
from dubbing.media import disk
from dubbing.media.probe import RATE, probe
from dubbing.media.samples import Samples, level
from dubbing.planning.outcome import gather
from dubbing.planning.plan import Reason, Round, write_plan
from dubbing.storage import Storage
from dubbing.storage.keys import Keys


def measured(path: Path) -> tuple[float, float]:
    """Return LUFS and dBTP as ffmpeg's ebur128 tells them."""
    summary = ffmpeg("-i", path, "-map", "0:a:0", "-af", "ebur128=peak=true", "-f", "null", "-")
    lines = summary[summary.rindex("Summary:") :].splitlines()
    values = {key.strip(): value for key, _, value in (line.partition(":") for line in lines)}
    return float(values["I"].split()[0]), float(values["Peak"].split()[0])


def onsets(track: Samples, near: Sequence[float]) -> list[float]:
    """Return where sound begins within 0.2 s of each of ``near``, in seconds."""
    found = []
    for start in near:
        first = round((start - 0.2) * RATE)
        window = np.abs(track[first : first + round(0.4 * RATE)])
        found.append((first + int(np.flatnonzero(window > 0.1 * window.max())[0])) / RATE)
    return found


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


def video_digest(path: Path) -> str:
    digest = [*FFMPEG, "-loglevel", "error", "-i", path, "-map", "0:v", "-c", "copy"]
    return subprocess.run(
        [*digest, "-f", "streamhash", "-"], check=True, capture_output=True, text=True
    ).stdout


def test_a_film_is_dubbed_from_end_to_end(storage: Storage, workdir: Path) -> None:
    job = scene(storage, media=film(storage), output=Output(formats=("mp4", "flac")))
    report = dub(job, storage, workdir)

    prefix = Keys.output("scene", 1, "run")
    assert sorted(storage.keys(prefix)) == sorted(
        prefix + name for name in ("dub.mp4", "dub.flac", "dub.srt", "report.html", "report.json")
    )
    assert report == Report.model_validate_json(storage.get(f"{prefix}report.json"))
    assert report.state is JobState.COMPLETED
    assert [output.bytes for output in report.outputs] == [
        storage.size(output.key) for output in report.outputs
    ]
    made = Path(storage.url) / prefix / "dub.mp4"
    assert video_digest(made) == video_digest(Path(storage.url) / "media" / "film")
    assert probe(made).seconds == pytest.approx(FILM_SECONDS, abs=0.1)
    assert probe(made).channels == 2
    loudness, _ = measured(made)
    assert loudness == pytest.approx(-23, abs=1)
    assert report.loudness is not None
    assert report.loudness.integrated == pytest.approx(loudness, abs=0.3)
    assert list(workdir.iterdir()) == []


def test_every_line_is_heard_at_its_cue(storage: Storage, workdir: Path) -> None:
    job = scene(storage, media=film(storage, level_db=-60))
    report = dub(job, storage, workdir)
    track = heard(report, storage, "dub.mp4", 2)[:, 0]
    cues = [segment.start for segment in SEGMENTS]
    assert onsets(track, cues) == pytest.approx(cues, abs=0.010)
    assert all(abs(line.drift or 1) <= 0.5 / RATE or line.drift == 0 for line in report.lines)


def test_a_line_is_reported_in_full(storage: Storage, workdir: Path) -> None:
    job = scene(storage)
    report = dub(job, storage, workdir)
    line = report.lines[0]
    expected = ReportLine(
        id="1",
        speaker="Ada",
        text="The first line of the scene.",
        spoken="The first line of the scene.",
        round=1,
        planned_start=1.0,
        planned_end=3.0,
        actual_start=1.0,
        actual_end=2.5,
        drift=0.0,
        engine="tone",
        model="m" * 64,
        voice="stock:low",
        clip=Keys.clip("clip1"),
        take=0,
        speed=1.0,
        stretch=1.0,
        rate=1.0,
        loudness=line.loudness,
        similarity=line.similarity,
        attempts=1,
        seed=7,
    )
    assert line == expected
    assert line.loudness == pytest.approx(-23, abs=2)


@pytest.mark.parametrize(
    "profile", [("ebu-r128", -23, -1), ("streaming", -16, -1), ("netflix", -27, -2)]
)
def test_sound_alone_comes_to_its_profile(
    storage: Storage, workdir: Path, profile: tuple[Any, float, float]
) -> None:
    name, target, ceiling = profile
    job = scene(storage, output=Output(formats=("wav",), loudness=name))
    report = dub(job, storage, workdir)
    loudness, peak = measured(Path(storage.url) / report.outputs[0].key)
    assert loudness == pytest.approx(target, abs=0.5)
    assert peak <= ceiling + 0.1


def test_without_a_film_the_sound_ends_with_the_last_line(storage: Storage, workdir: Path) -> None:
    report = dub(scene(storage), storage, workdir)
    assert [output.name for output in report.outputs] == ["dub.flac", "dub.srt"]
    assert len(heard(report, storage, "dub.flac", 1)) == round((15.25 + 1.5) * RATE)
    assert report.seconds == pytest.approx(16.75)


def test_the_films_sound_is_lowered_under_speech(storage: Storage, workdir: Path) -> None:
    job = scene(storage, media=film(storage), background=Background(mode="duck", depth=12))
    job = job.model_copy(update={"output": Output(formats=("flac",))})
    # In 5.1 the speech is in the centre, so the left channel holds the ducked film alone.
    film(storage, channels=6)
    track = heard(dub(job, storage, workdir), storage, "dub.flac", 6)
    under, free = track[round(1.1 * RATE) : round(2.4 * RATE)], track[20 * RATE : 23 * RATE]
    assert level(free[:, 0]) - level(under[:, 0]) == pytest.approx(12, abs=0.5)
    assert level(under[:, 2]) > level(under[:, 0]) + 20


@pytest.mark.parametrize("mode", ["duck", "track"])
def test_speech_is_not_drowned_by_a_loud_background(
    storage: Storage, workdir: Path, mode: Any
) -> None:
    loud = film(storage, level_db=0)
    background = Background(mode=mode, track=loud if mode == "track" else None)
    output = Output(formats=("wav",))
    report = dub(scene(storage, media=loud, background=background, output=output), storage, workdir)
    assert report.loudness
    assert report.loudness.gain < -10
    assert report.loudness.speech == pytest.approx(-23, abs=1)
    assert report.loudness.integrated == pytest.approx(-23, abs=1)
    assert report.loudness.distance_median >= report.loudness.distance >= 10
    assert (report.loudness.won, report.warnings) == ("both", ())
    track = heard(report, storage, "dub.wav", 2)
    lines = [(line.actual_start, line.actual_end) for line in report.lines]
    spoken = np.concatenate([track[round(a * RATE) : round(b * RATE)] for a, b in lines])
    assert lufs(spoken, RATE) == pytest.approx(-23, abs=1)


def test_speech_wins_where_both_cannot_keep_the_profile_and_the_report_says_so(
    storage: Storage, workdir: Path
) -> None:
    job = Job(id="sparse", language="de", segments=SEGMENTS[:1], media=film(storage, level_db=-28))
    store_round(storage, job, 1, [spoken(SEGMENTS[0], store_take(storage, "a", voice(1.5)))])
    report = dub(job, storage, workdir)
    assert report.loudness
    assert report.loudness.speech == pytest.approx(-23, abs=0.5)
    assert report.loudness.integrated < -24
    assert report.loudness.won == "speech"
    (warning,) = report.warnings
    assert warning.endswith("its speech comes first, and is at -23")


def test_a_film_that_is_not_to_be_heard_is_not(storage: Storage, workdir: Path) -> None:
    output = Output(formats=("flac",))
    job = scene(storage, media=film(storage), background=Background(mode="none"), output=output)
    track = heard(dub(job, storage, workdir), storage, "dub.flac", 2)
    assert not track[20 * RATE :].any()


def test_music_and_effects_are_heard_as_they_are(storage: Storage, workdir: Path) -> None:
    background = Background(mode="track", track=film(storage))
    job = scene(storage, background=background)
    track = heard(dub(job, storage, workdir), storage, "dub.flac", 2)
    assert len(track) == round(16.75 * RATE), "music alone makes no programme longer"
    before, between = level(track[: RATE // 2, 0]), level(track[13 * RATE : 14 * RATE, 0])
    assert before == pytest.approx(between, abs=0.5)


def test_a_silent_film_gets_one_channel(storage: Storage, workdir: Path) -> None:
    job = scene(storage, media=film(storage, channels=None))
    report = dub(job, storage, workdir)
    assert probe(Path(storage.url) / report.outputs[0].key).channels == 1


def test_a_line_too_long_uses_the_silence_after_it_then_is_sped_up(
    storage: Storage, workdir: Path
) -> None:
    segments = (
        Segment(id="1", start=0.0, end=1.0, text="Uses the silence after it."),
        Segment(id="2", start=3.0, end=4.0, text="Needs its faster take and a stretch."),
        Segment(id="3", start=5.0, end=6.0, text="x" * 40),
        Segment(id="4", start=6.0, end=7.0, text="Follows at once.", speaker="another"),
    )
    job = Job(id="tight", language="de", segments=segments)
    natural = voice(2.4)
    results = [
        spoken(segments[0], store_take(storage, "a", voice(2.5))),
        spoken(
            segments[1],
            store_take(storage, "b", natural),
            store_take(storage, "c", voice(2.0), speed=1.15),
        ),
        spoken(segments[2], store_take(storage, "d", voice(2.5))),
        spoken(segments[3], store_take(storage, "e", voice(0.9))),
    ]
    store_round(storage, job, 1, results)
    report = dub(job, storage, workdir)
    first, second, third, _ = report.lines
    assert first.rate == pytest.approx(second.rate / 1.15), "so that the pace changes smoothly"
    assert (first.overflow, first.note[:6]) == (0.0, "faster")
    assert (second.take, second.speed, second.overflow) == (1, 1.15, 0.0)
    assert second.actual_end == pytest.approx(5.0), "also the gap before the next line"
    assert third.rate == pytest.approx(1.25)
    assert third.overflow == pytest.approx(1.0)
    assert third.characters_over == 20
    assert third.actual_start == 5.0
    assert report.warnings == (
        "line 3 runs 1.00 s over its 1.00 s: about 20 of its 40 characters are too many",
    )


def test_a_line_too_long_loses_pauses_and_starts_in_the_silence_before_it(
    storage: Storage, workdir: Path
) -> None:
    segments = (
        Segment(id="1", start=0.0, end=1.0, text="Says a word."),
        Segment(id="2", start=3.0, end=4.0, text="Has a pause."),
        Segment(id="3", start=4.0, end=5.0, text="Follows at once.", speaker="another"),
    )
    job = Job(id="early", language="de", segments=segments, fit=Fit(profile="relaxed"))
    halves = voice(1.4)
    halves.samples[round(0.5 * CLIP_RATE) : round(0.8 * CLIP_RATE)] = 0
    results = [
        spoken(segments[0], store_take(storage, "a", voice(0.9))),
        spoken(segments[1], store_take(storage, "b", halves)),
        spoken(segments[2], store_take(storage, "c", voice(0.9))),
    ]
    store_round(storage, job, 1, results)
    report = dub(job, storage, workdir)
    _, second, third = report.lines
    assert second.pauses_cut == pytest.approx(0.22)
    assert (second.drift, second.actual_end) == (pytest.approx(-0.16), pytest.approx(4.0))
    assert second.rate == pytest.approx(1.18 / 1.16)
    assert third.drift == 0.0


def test_a_line_that_runs_past_the_film_is_declared_and_not_cut(
    storage: Storage, workdir: Path
) -> None:
    segment = Segment(id="1", start=23.0, end=28.0, text="x" * 20)
    job = Job(
        id="late",
        language="de",
        segments=(segment,),
        media=film(storage, level_db=-70),
        output=Output(formats=("mp4", "mkv")),
    )
    store_round(storage, job, 1, [spoken(segment, store_take(storage, "a", voice(2.5)))])
    report = dub(job, storage, workdir)
    assert report.lines[0].overflow == pytest.approx(1.0, abs=0.05)
    assert report.lines[0].characters_over > 0
    track = heard(report, storage, "dub.mp4", 2)
    assert level(track[round(24.2 * RATE) : round(24.9 * RATE), 0]) > -40
    # Its subtitle ends with the sound, and makes the film no longer.
    (path,) = (storage.path(o.key) for o in report.outputs if o.name == "dub.mkv")
    with av.open(str(path)) as container:
        assert (container.duration or 0) / av.time_base == pytest.approx(len(track) / RATE, abs=0.1)


def test_a_line_without_a_take_fails_the_job_and_no_film_is_made(
    storage: Storage, workdir: Path
) -> None:
    job = scene(storage)
    failed = unspoken(SEGMENTS[1])
    store_round(storage, job, 2, [failed])
    report = dub(job, storage, workdir, 2)
    assert report.state is JobState.FAILED
    assert [(line.id, line.error) for line in report.lines if line.error] == [("2", failed.error)]
    assert report.outputs == ()
    prefix = Keys.output("scene", 2, "run")
    assert {*storage.keys(prefix)} == {f"{prefix}report.html", f"{prefix}report.json"}
    assert (
        json.loads(storage.get(Keys.output("scene", 2, "run") + "report.json"))["state"] == "failed"
    )


def test_a_line_whose_result_is_missing_counts_as_failed(storage: Storage, workdir: Path) -> None:
    job = scene(storage).model_copy(update={"id": "gap"})
    results = [spoken(SEGMENTS[0], store_take(storage, "a", voice(1.0))), None]
    store_round(storage, job, 1, results)
    outcomes = gather(storage, "gap", 1)
    assert outcomes["1"].result.error is None
    assert outcomes["2"].result.error == ErrorRecord(
        "engine_failed", "no result of this line was stored"
    )


def test_the_highest_round_that_names_a_line_wins(storage: Storage, workdir: Path) -> None:
    job = scene(storage)
    again = store_take(storage, "again", voice(1.2))
    store_round(storage, job, 2, [spoken(SEGMENTS[1], again)])
    later = dub(job, storage, workdir, 2)
    assert [line.clip for line in later.lines] == [
        Keys.clip(name) for name in ("clip1", "again", "clip3", "clip4")
    ]
    earlier = dub(job, storage, workdir)
    assert earlier.lines[1].clip == Keys.clip("clip2")


def test_unreadable_clips_are_all_named_and_nothing_is_left(
    storage: Storage, workdir: Path
) -> None:
    job = scene(storage, media=film(storage))
    storage.delete(Keys.clip("clip2"))
    storage.replace(Keys.clip("clip4"), b"damaged")
    with pytest.raises(ClipUnreadable) as raised:
        dub(job, storage, workdir)
    assert raised.value.segments == ("2", "4")
    assert list(storage.keys(Keys.output("scene", 1, "run"))) == []
    assert list(workdir.iterdir()) == []


def test_work_that_is_no_longer_wanted_is_given_up(storage: Storage, workdir: Path) -> None:
    job = scene(storage, media=film(storage))
    calls = iter(range(4))

    def check() -> None:
        if next(calls, None) is None:
            raise Stopped("it is not wanted any more")

    with pytest.raises(Stopped):
        dub(job, storage, workdir, check=check)
    assert list(storage.keys(Keys.output("scene", 1, "run"))) == []
    assert list(workdir.iterdir()) == []


def test_a_disk_too_small_is_told_before_anything_is_written(
    storage: Storage, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "SPARE", 1 << 60)
    with pytest.raises(MediaError, match=r"needs \d+\.\d GB in .* free: make room"):
        dub(scene(storage), storage, workdir)
    assert list(workdir.iterdir()) == []


def test_a_film_that_cannot_be_read_is_refused(storage: Storage, workdir: Path) -> None:
    storage.create("media/text", b"this is no film" * 100)
    with pytest.raises(BadInput):
        dub(scene(storage, media="media/text"), storage, workdir)


def test_a_programme_of_days_is_refused_before_anything_is_written(
    storage: Storage, workdir: Path
) -> None:
    job = scene(storage)
    late = job.segments[-1].model_copy(update={"start": 9e6, "end": 9e6 + 2})
    job = job.model_copy(update={"segments": (*job.segments[:-1], late)})
    with pytest.raises(BadInput, match=r"^scene: the programme lasts 2500\.0 hours, more than 24"):
        dub(job, storage, workdir)
    assert list(storage.keys(Keys.output("scene", 1, "run"))) == []
    assert list(workdir.iterdir()) == []


def test_voices_are_brought_to_one_level_and_a_whisper_stays_one(
    storage: Storage, workdir: Path
) -> None:
    job = Job(id="levels", language="de", segments=SEGMENTS)
    peaks = {"1": 0.5, "2": 0.05, "3": 0.05, "4": 0.05}
    segments = [*SEGMENTS, Segment(id="5", start=20, end=22, speaker="Ada", text="As loud.")]
    job = job.model_copy(update={"segments": tuple(segments)})
    results = [
        spoken(s, store_take(storage, s.id, voice(1.5, peak=peaks.get(s.id, 0.5))))
        for s in segments
    ]
    store_round(storage, job, 1, results)
    loud = {line.id: line.loudness or 0 for line in dub(job, storage, workdir).lines}
    assert loud["2"] == pytest.approx(loud["1"], abs=0.3), "Bob is quiet by nature"
    assert loud["3"] == pytest.approx(loud["1"] - MOST_APART, abs=0.3), "Ada whispers"


def test_a_job_without_lines_keeps_the_film(storage: Storage, workdir: Path) -> None:
    job = Job(id="mute", language="de", media=film(storage))
    storage.create(Keys.plan("mute", 1), write_plan(Round(reason=Reason.SUBMIT, asked=1), []))
    report = dub(job, storage, workdir)
    assert report.state is JobState.COMPLETED
    assert report.seconds == pytest.approx(FILM_SECONDS, abs=0.1)


def test_subtitles_show_what_is_written_and_the_report_what_was_said_too(
    storage: Storage, workdir: Path
) -> None:
    said = scene(storage)
    written = tuple(
        segment.model_copy(update={"text": f"{segment.id} written"}) for segment in said.segments
    )
    report = dub(said.model_copy(update={"segments": written}), storage, workdir)
    assert [line.text for line in report.lines] == [segment.text for segment in written]
    assert [line.spoken for line in report.lines] == [segment.text for segment in said.segments]
    (subtitles,) = (o for o in report.outputs if o.name == "dub.srt")
    assert "1 written" in storage.get(subtitles.key).decode()

"""The edit, read by OpenTimelineIO."""

from __future__ import annotations

from pathlib import Path

import opentimelineio as otio

from dubbing.assembly.edit import Edit, Lane, Part

RATE = 48_000
HOUR = 3600 * RATE
PARTS = [
    Part(id="1", name="Yes.", start=RATE, end=2 * RATE),
    Part(id="2", name="No.", start=2 * RATE, end=3 * RATE + 1),
    Part(id="3", name="It runs on.", start=4 * RATE, end=6 * RATE),
    Part(id="4", name="Hm.", start=5 * RATE, end=9 * RATE),
]


def edit(tmp_path: Path) -> otio.schema.Timeline:
    whole = Part(id="", name="e01", start=0, end=8 * RATE)
    picture = Lane(name="V", file="dub.mp4", kind="Video", parts=[whole])
    path = tmp_path / "dub.otio"
    lanes = [picture, Lane(name="Ada", file="a.wav", parts=PARTS)]
    Edit(name="e01", lanes=lanes, start=HOUR, frames=8 * RATE).write(path)
    timeline = otio.adapters.read_from_file(str(path))
    assert isinstance(timeline, otio.schema.Timeline)
    return timeline


def test_each_line_is_a_clip_of_its_speakers_stem_at_its_time(tmp_path: Path) -> None:
    timeline = edit(tmp_path)
    (track,) = timeline.audio_tracks()
    placed = []
    for clip in track.find_clips():
        assert clip.media_reference.target_url == "a.wav"
        where = clip.transformed_time_range(clip.trimmed_range(), timeline.tracks)
        # The stem's own clock begins where the film's does.
        assert clip.source_range.start_time.value == HOUR + where.start_time.value
        assert clip.source_range.duration == where.duration
        start, end = where.start_time.value, where.end_time_exclusive().value
        placed.append((clip.metadata["dubbing"]["segment"], start, end))
    # What runs into the next line, or past the end, is cut there.
    ids = {clip.metadata["AAF"]["MobID"] for clip in timeline.find_clips()}
    assert len(ids) == len(PARTS) + 1
    assert placed == [
        ("1", RATE, 2 * RATE),
        ("2", 2 * RATE, 3 * RATE + 1),
        ("3", 4 * RATE, 5 * RATE),
        ("4", 5 * RATE, 8 * RATE),
    ]


def test_the_picture_runs_through(tmp_path: Path) -> None:
    timeline = edit(tmp_path)
    (track,) = timeline.video_tracks()
    assert track.duration().to_seconds() == 8
    assert timeline.duration().to_seconds() == 8

"""A 2 h film with 2,000 lines and their clips, deterministic."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from dubbing.assembly.mix import PlacedClip
from dubbing.job import Background, Job, Output, Segment
from dubbing.media.probe import RATE
from dubbing.media.samples import Audio, encode_flac, level
from dubbing.planning.plan import Batch, Kind, PlannedLine, Reason, Round, write_plan
from dubbing.planning.result import BatchResult, SegmentResult, Take
from dubbing.planning.rooms import line_rooms
from dubbing.storage import Storage, each
from dubbing.storage.keys import Keys

LINES = 2000
SLOT = 3.6
"""Seconds from one line to the next; 2,000 slots make 2 h."""
CLIP_RATE = 24_000
SPEAKERS = 5
LINES_PER_BATCH = 32
FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y"]


def store_job(storage: Storage) -> None:
    """Store 2,000 clips and a job with these lines."""
    takes = store_clips(storage)
    segments = tuple(segment(number) for number in range(LINES))
    job = Job(
        id="film",
        language="de",
        segments=segments,
        media="media/film",
        background=Background(mode="duck"),
        output=Output(formats=("mp4",), subtitles=False),
    )
    storage.create(Keys.job("film"), job.model_dump_json().encode())
    rooms = line_rooms(segments)
    batches = []
    for first in range(0, LINES, LINES_PER_BATCH):
        batch = segments[first : first + LINES_PER_BATCH]
        number = len(batches)
        batches.append(
            Batch(
                number=number,
                kind=Kind.SYNTHESIS,
                engine="tone",
                language="de",
                deadline=60,
                lines=tuple(
                    PlannedLine(id=s.id, spoken=s.text, speed=1, room=rooms[s.id], max_rate=1.25)
                    for s in batch
                ),
            )
        )
        spoken = tuple(
            SegmentResult(
                id=s.id, takes=(takes[int(s.id)],), engine="tone", model="", seed=0, attempts=1
            )
            for s in batch
        )
        result = BatchResult(batch=number, worker="bench", segments=spoken)
        storage.create(Keys.result("film", 1, number), result.model_dump_json().encode())
    storage.create(Keys.plan("film", 1), write_plan(Round(reason=Reason.SUBMIT, asked=1), batches))


def segment(number: int) -> Segment:
    """Return a segment; every third is a little longer than its time."""
    start = start_of(number)
    return Segment(
        id=str(number),
        start=start,
        end=start + 2.5,
        speaker=f"speaker {number % SPEAKERS}",
        text="A line of some fifty characters, as films have.",
    )


def start_of(number: int) -> float:
    """Return a line's start in seconds, not on a round multiple."""
    return round(number * SLOT + (number * 0.377) % 0.3, 3)


def clips(lines: int) -> list[PlacedClip]:
    """Return the first ``lines`` clips at their places, unstretched."""
    return [
        PlacedClip(
            id=str(n),
            key=Keys.clip(f"{n:064x}"),
            start=round(start_of(n) * RATE),
            stretch=1,
            loudness=-23,
        )
        for n in range(lines)
    ]


def store_clips(storage: Storage) -> list[Take]:
    """Store the clips of all lines."""
    return each(partial(store_clip, storage), range(LINES))


def store_clip(storage: Storage, number: int) -> Take:
    """Store 2 to 4 s of speech-like sound, which repeats every 100 clips."""
    audio = speech(number % 100)
    key = Keys.clip(f"{number:064x}")
    storage.replace(key, encode_flac(audio))
    return Take(key=key, speed=1.0, seconds=audio.seconds, level=level(audio.samples))


def speech(seed: int) -> Audio:
    """Return a buzz with noise, in syllables, as loud as speech."""
    source = np.random.default_rng(seed)
    seconds = 2 + 2 * seed / 100
    moment = np.arange(round(seconds * CLIP_RATE)) / CLIP_RATE
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * moment + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / CLIP_RATE
    voice: Any = sum(np.sin(k * phase) / k for k in range(1, 12))
    breath = source.standard_normal(len(moment)) * 0.2
    wave = (voice + breath) * np.abs(np.sin(2 * np.pi * 2.2 * moment)) * 0.08
    return Audio(samples=wave.astype(np.float32), rate=CLIP_RATE)


def make_film(path: Path) -> None:
    """Write a 2 h film: a tiny picture, and a minute of stereo chords and noise, repeated."""
    path.parent.mkdir()
    minute = path.with_suffix(".mkv")
    chord = "0.1*sin(2*PI*220*t)+0.05*sin(2*PI*277.2*t)*sin(PI*t/4)"
    bed = f"aevalsrc='{chord}|{chord}+0.05*(random(0)-0.5)':s={RATE}:d=60"
    inputs = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=64x36:rate=2:duration=60",
        "-f",
        "lavfi",
        "-i",
        bed,
    ]
    ffmpeg(*inputs, "-c:v", "mpeg4", "-c:a", "pcm_s16le", minute)
    repeats = str(round(LINES * SLOT / 60) - 1)
    ffmpeg("-stream_loop", repeats, "-i", minute, "-c", "copy", "-f", "matroska", path)
    minute.unlink()


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg to its end."""
    subprocess.run([*FFMPEG, *map(str, arguments)], check=True)

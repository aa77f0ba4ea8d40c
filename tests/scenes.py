"""Shared parts of assembly tests: films, takes of a voice, and a scene made of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from dubbing.assembly.assemble import assemble
from dubbing.assembly.report import Report
from dubbing.errors import EngineFailed
from dubbing.job import Job, Segment
from dubbing.media.pauses import find_decay, find_pauses
from dubbing.media.probe import decode
from dubbing.media.samples import Audio, Samples, level
from dubbing.planning.clip import encode_clip
from dubbing.planning.outcome import gather
from dubbing.planning.plan import Batch, Kind, PlannedLine, Reason, Round, write_plan
from dubbing.planning.result import BatchResult, SegmentResult, Take
from dubbing.planning.rooms import line_rooms
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices.voice import VoiceRef

FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-y"]
CLIP_RATE = 24_000
FILM_SECONDS = 24.0


def voice(seconds: float, *, pitch: float = 140.0, peak: float = 0.3) -> Audio:
    """Return harmonics in syllables; the first syllable begins with the first sample."""
    time = np.arange(round(seconds * CLIP_RATE)) / CLIP_RATE
    sound = sum(np.cos(2 * np.pi * pitch * k * time) / k for k in range(1, 9))
    syllables = 0.3 + 0.7 * np.abs(np.cos(2 * np.pi * 1.7 * time))
    wave = sound * syllables
    return Audio(samples=(wave / np.abs(wave).max() * peak).astype(np.float32), rate=CLIP_RATE)


def store_take(storage: Storage, name: str, audio: Audio, *, speed: float = 1.0) -> Take:
    clip = encode_clip(audio, Keys.clip(name))
    storage.replace(Keys.clip(name), clip.data)
    return Take(
        key=Keys.clip(name),
        speed=speed,
        seconds=audio.seconds,
        level=level(audio.samples),
        pauses=find_pauses(audio),
        decay=find_decay(audio),
        digest=clip.digest,
    )


def spoken(segment: Segment, *takes: Take) -> SegmentResult:
    return SegmentResult(
        id=segment.id, takes=takes, engine="tone", model="m" * 64, seed=7, attempts=1
    )


def unspoken(segment: Segment) -> SegmentResult:
    error = EngineFailed("it would not speak").to_record()
    return SegmentResult(id=segment.id, error=error, engine="tone", model="m", seed=1, attempts=3)


def store_round(
    storage: Storage, job: Job, round_: int, results: Sequence[SegmentResult | None]
) -> None:
    """Write a round in which each line is a batch; None stands for a missing result."""
    segments = {segment.id: segment for segment in job.segments}
    rooms = line_rooms(job.segments)
    ids = [result.id if result else job.segments[n].id for n, result in enumerate(results)]
    batches = [
        Batch(
            number=number,
            kind=Kind.SYNTHESIS,
            engine="tone",
            voice=VoiceRef(stock="low"),
            language=job.language,
            lines=(
                PlannedLine(
                    id=id_, spoken=segments[id_].text, room=rooms[id_], speed=1, max_rate=1.25
                ),
            ),
            deadline=60,
        )
        for number, id_ in enumerate(ids)
    ]
    asked = Round(reason=Reason.SUBMIT, asked=1)
    storage.create(Keys.plan(job.id, round_), write_plan(asked, batches))
    for number, result in enumerate(results):
        if result:
            written = BatchResult(batch=number, worker="w", segments=(result,))
            storage.create(Keys.result(job.id, round_, number), written.model_dump_json().encode())


SEGMENTS = (
    Segment(id="1", start=1.0, end=3.0, speaker="Ada", text="The first line of the scene."),
    Segment(id="2", start=4.5, end=6.5, speaker="Bob", text="The second one."),
    Segment(id="3", start=9.987, end=12.0, speaker="Ada", text="Across the blocks."),
    Segment(id="4", start=15.25, end=18.0, speaker="Bob", text="Last."),
)


def scene(storage: Storage, **wishes: Any) -> Job:
    """Store a job of four lines that fit their slots, spoken in round 1."""
    job = Job(**{"id": "scene", "language": "de", "segments": SEGMENTS, **wishes})
    results = [
        spoken(s, store_take(storage, f"clip{s.id}", voice(1.5, pitch=120.0 + 20 * int(s.id))))
        for s in SEGMENTS
    ]
    store_round(storage, job, 1, results)
    return job


def lose(storage: Storage, job: Job, *ids: str) -> None:
    """Store a second round in which the lines ``ids`` failed."""
    store_round(storage, job, 2, [unspoken(line) for line in job.segments if line.id in ids])


def ffmpeg(*arguments: str | Path) -> str:
    return subprocess.run(
        [*FFMPEG, *map(str, arguments)], check=True, capture_output=True, text=True
    ).stderr


def film(
    storage: Storage,
    *,
    channels: int | None = 2,
    level_db: float = -35,
    sound: str = "anoisesrc=a=0.5:r=48000",
    seconds: float = FILM_SECONDS,
    name: str = "film",
) -> str:
    """Store a film with a moving picture and a sound, by default noise; return its key.

    sound: an ffmpeg source, used in all channels.
    """
    path = Path(storage.url) / "media" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = ["-f", "lavfi", "-i", f"testsrc=s=64x36:r=5:d={seconds}"]
    layout = {1: "mono", 2: "stereo", 6: "5.1"}.get(channels or 0)
    spread = "|".join(f"c{n}=c0" for n in range(channels or 0))
    heard = f"{sound}:d={seconds},pan={layout}|{spread},volume={level_db}dB"
    source = ["-f", "lavfi", "-i", heard] if channels else []
    ffmpeg(*picture, *source, "-c:v", "mpeg4", "-c:a", "pcm_s16le", "-f", "matroska", path)
    return f"media/{name}"


def heard(report: Report, storage: Storage, name: str, channels: int) -> Samples:
    output = next(output for output in report.outputs if output.name == name)
    path = storage.path(output.key)
    assert path is not None
    return np.concatenate(list(decode(path, channels)))


def dub(job: Job, storage: Storage, workdir: Path, round_: int = 1, **options: Any) -> Report:
    outcomes = gather(storage, job.id, round_)
    return assemble(job, round_, "run", outcomes, storage, workdir, **options)

"""A 2 h film with 2,000 lines: the cost of assembly beside the unavoidable work.

- ``vs_floor``: placing and mixing to a WAV ÷ reading the same clips and writing as much output,
  both synced to the disk; the median of interleaved runs, each in a fresh process.
- ``peak_mb``: the largest memory of a process that places and mixes.
- ``vs_pydub``: a loop of pydub's ``overlay`` ÷ placing and mixing, for 30 min and 500 lines.
- ``vs_aac``: the whole chain (fit, duck, loudness, limiter, AAC, mux) ÷ ffmpeg encoding the same
  mastered track to the same AAC alone.
"""

from __future__ import annotations

import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import soundfile

from dubbing.assembly.mix import BLOCK, Mixer, PlacedClip
from dubbing.job import Background, Job, Output, Segment
from dubbing.media.probe import RATE
from dubbing.media.samples import Audio, decode_clip, encode_flac, level
from dubbing.planning.outcome import gather
from dubbing.planning.plan import Batch, Kind, PlannedLine, Reason, Round, write_plan
from dubbing.planning.result import BatchResult, SegmentResult, Take
from dubbing.planning.rooms import line_rooms
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

AT_MOST = {"vs_floor": 3.0, "peak_mb": 150.0, "vs_aac": 1.6}
AT_LEAST = {"vs_pydub": 60.0}

LINES = 2000
PYDUB_LINES = 500
SLOT = 3.6
"""Seconds from one line to the next; 2,000 slots make 2 h."""
CLIP_RATE = 24_000
SPEAKERS = 5
LINES_PER_BATCH = 32
REPEATS = 3
FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y"]


def run() -> dict[str, float]:
    """Return the figures; takes some six minutes on two cores."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        storage = Storage.at(f"{folder}/storage")
        store_job(storage)
        figures = compare_with_floor(Path(folder))
        figures["vs_pydub"] = compare_with_pydub(Path(folder))
        figures["vs_aac"] = compare_with_aac(Path(folder))
        return figures


def compare_with_floor(folder: Path) -> dict[str, float]:
    """Return ``vs_floor`` and ``peak_mb``."""
    ratios, peaks = [], []
    for _ in range(REPEATS):
        bare = in_process("floor", folder, LINES)
        mixed = in_process("mix", folder, LINES)
        ratios.append(mixed["seconds"] / bare["seconds"])
        peaks.append(mixed["peak_mb"])
    return {"vs_floor": statistics.median(ratios), "peak_mb": max(peaks)}


def compare_with_pydub(folder: Path) -> float:
    """Return how many times longer pydub takes."""
    mixed = statistics.median(
        in_process("mix", folder, PYDUB_LINES)["seconds"] for _ in range(REPEATS)
    )
    return in_process("pydub", folder, PYDUB_LINES)["seconds"] / mixed


def compare_with_aac(folder: Path) -> float:
    """Return how many times longer the whole chain takes than its encoder alone."""
    make_film(folder / "storage" / "media" / "film")
    chain = in_process("chain", folder, LINES)["seconds"]
    film = next((folder / "storage" / "jobs").rglob("dub.mp4"))
    track = folder / "track.wav"
    ffmpeg("-i", film, "-map", "0:a:0", "-c:a", "pcm_f32le", "-rf64", "auto", track)
    started = time.perf_counter()
    ffmpeg("-i", track, "-c:a", "aac", "-b:a", "192k", folder / "alone.m4a")
    return chain / (time.perf_counter() - started)


# Tasks, each in a fresh process, so that memory and imports are its own.


def mix(storage: Storage, output: Path, lines: int) -> None:
    """Place and mix with the production code, into a 16-bit WAV."""
    frames = round(lines * SLOT * RATE)
    mixer = Mixer(storage, clips(lines), frames=frames, channels=1)
    with output.open("wb") as file:
        with soundfile.SoundFile(file, "w", RATE, 1, "PCM_16", format="WAV") as wave:
            for block in mixer.blocks():
                wave.write(block)
        os.fsync(file.fileno())


def floor(storage: Storage, output: Path, lines: int) -> None:
    """Read the same clips, and write the same number of bytes."""
    with output.open("wb") as file:
        block = bytes(BLOCK * 2)
        for clip in clips(lines):
            decode_clip(storage.get(clip.key))
        for _ in range(round(lines * SLOT * RATE) // BLOCK):
            file.write(block)
        os.fsync(file.fileno())


def pydub(storage: Storage, output: Path, lines: int) -> None:
    """Overlay one clip after the other, as pydub's own examples do."""
    warnings.simplefilter("ignore")
    from pydub import AudioSegment  # noqa: PLC0415 - in no other process

    track = AudioSegment.silent(round(lines * SLOT * 1000), frame_rate=RATE)
    for clip in clips(lines):
        # Decoding with soundfile spares pydub one ffmpeg process per clip.
        wave = io.BytesIO()
        audio = decode_clip(storage.get(clip.key))
        soundfile.write(wave, audio.samples, audio.rate, format="WAV", subtype="PCM_16")
        wave.seek(0)
        said = AudioSegment.from_wav(wave)
        track = track.overlay(said, position=round(clip.start / RATE * 1000))
    track.export(str(output), format="wav")


def chain(storage: Storage, output: Path, lines: int) -> None:
    """Assemble the stored job."""
    from dubbing.assembly.assemble import assemble  # noqa: PLC0415 - in no other process

    job = Job.model_validate_json(storage.get(Keys.job("film")))
    report = assemble(job, 1, "run", gather(storage, "film", 1), storage, output.parent)
    assert len(report.lines) == lines and report.state == "completed"


TASKS = {task.__name__: task for task in (mix, floor, pydub, chain)}


def in_process(task: str, folder: Path, lines: int) -> dict[str, float]:
    """Return the seconds that a task took in a fresh process, and its largest memory."""
    command = [sys.executable, __file__, task, str(folder), str(lines)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def in_this_process(task: str, folder: Path, lines: int) -> dict[str, float]:
    """Do a task and measure it; its time excludes imports and the interpreter's start."""
    output = folder / f"{task}.wav"
    storage = Storage.at(str(folder / "storage"))
    started = time.perf_counter()
    TASKS[task](storage, output, lines)
    seconds = time.perf_counter() - started
    output.unlink(missing_ok=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mb": peak}


# The film and its lines, made the same every time.


def store_job(storage: Storage) -> None:
    """Store 2,000 clips and a job with these lines."""
    takes = [store_clip(storage, number) for number in range(LINES)]
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
    """Return a line's start in seconds, off any grid."""
    return round(number * SLOT + (number * 0.377) % 0.3, 3)


def clips(lines: int) -> list[PlacedClip]:
    """Return the first ``lines`` clips at their places, unstretched."""
    return [
        PlacedClip(
            id=str(n),
            key=Keys.clip(f"{n:064x}"),
            start=round(start_of(n) * RATE),
            stretch=1,
            gain=1,
        )
        for n in range(lines)
    ]


def store_clip(storage: Storage, number: int) -> Take:
    """Store 2 to 4 s of speech-like sound, which repeats every 100 clips."""
    audio = speech(number % 100)
    key = Keys.clip(f"{number:064x}")
    storage.create(key, encode_flac(audio))
    return Take(key=key, speed=1.0, seconds=audio.seconds, level=level(audio.samples))


def speech(seed: int) -> Audio:
    """Return a buzz with breath, in syllables, as loud as speech is."""
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
    """Write 2 h of a tiny picture and a stereo bed of chords and noise: a minute, repeated."""
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


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(in_this_process(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        print(json.dumps(run()))

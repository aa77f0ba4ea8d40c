"""A 2 h film with 2,000 lines: the cost of assembly beside the unavoidable work.

- ``vs_floor``: placing and mixing to a WAV ÷ reading the same clips and writing as much output,
  both synced to the disk; the median of interleaved runs, each in a fresh process.
- ``peak_mb``: the largest memory of a process that places and mixes.
- ``mix_rtt80``: placing and mixing with the clips on a real S3 server 80 ms away ÷ the same with
  the clips in a folder; the median of interleaved runs. ``mix_rtt0``: the same with the server
  near. The server, Swift in one process, takes CPU time from the mix; the difference of the two
  figures is the cost of the distance alone.
- ``vs_pydub``: a loop of pydub's ``overlay`` ÷ placing and mixing, for 30 min and 500 lines.
- ``vs_aac``: the whole chain (fit, duck, loudness, limiter, AAC, mux) ÷ ffmpeg encoding the same
  mastered track to the same AAC alone, right after it. The speaker encoder is hidden.
- ``vs_aac_with_proof``, ``peak_mb_with_proof``: the same with proof of voice, and the largest
  memory of that process, without ffmpeg's. Both need the speaker encoder, whose weights come with
  the package that `dubbing doctor` names; `scripts/test` installs it.

Takes ten minutes.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import soundfile

# A fresh process imports from the folder of this file.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._film import LINES, SLOT, clips, ffmpeg, make_film, store_clips, store_job
from dubbing.assembly.mix import BLOCK, Mixer
from dubbing.job import Job
from dubbing.media.probe import RATE
from dubbing.media.samples import decode_clip
from dubbing.planning.outcome import gather
from dubbing.storage import S3Options, Storage
from dubbing.storage.keys import Keys
from dubbing.voices import speaker_encoder

AT_MOST = {
    "vs_floor": 3.0,
    "peak_mb": 150.0,
    "mix_rtt80": 1.4,
    "vs_aac": 1.5,
    "vs_aac_with_proof": 1.5,
    "peak_mb_with_proof": 300.0,
}
AT_LEAST = {"vs_pydub": 60.0}

PYDUB_LINES = 500
REPEATS = 3
DISTANCES = {"mix_rtt0": 0.0, "mix_rtt80": 0.08}
"""Figure, and seconds of the delay."""
BUCKET = "s3://dubbing"


def run() -> dict[str, Any]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        place = Path(folder)
        store_job(Storage.at(f"{folder}/storage"))
        figures: dict[str, Any] = compare_with_floor(place)
        figures |= compare_with_distance(place)
        figures["vs_pydub"] = compare_with_pydub(place)
        make_film(place / "storage" / "media" / "film")
        figures["vs_aac"] = compare_with_aac("chain", place)["vs_aac"]
        if speaker_encoder.available():
            proven = compare_with_aac("chain_with_proof", place)
            return figures | {f"{name}_with_proof": value for name, value in proven.items()}
        missing = "the speaker encoder is not installed"
        return figures | {"vs_aac_with_proof": missing, "peak_mb_with_proof": missing}


def compare_with_floor(folder: Path) -> dict[str, float]:
    """Return ``vs_floor`` and ``peak_mb``."""
    ratios, peaks = [], []
    for _ in range(REPEATS):
        bare = in_process("floor", folder, LINES)
        mixed = in_process("mix", folder, LINES)
        ratios.append(mixed["seconds"] / bare["seconds"])
        peaks.append(mixed["peak_mb"])
    return {"vs_floor": statistics.median(ratios), "peak_mb": max(peaks)}


def compare_with_distance(folder: Path) -> dict[str, float]:
    """Return the figures of `DISTANCES`."""
    # Imported here, so that the measured processes do not load it.
    from distance import far  # noqa: PLC0415

    from benchmarks._system import from_tests  # noqa: PLC0415

    ratios: dict[str, list[float]] = {name: [] for name in DISTANCES}
    with ExitStack() as stack:
        s3 = stack.enter_context(from_tests("s3_server").running(folder / "s3"))
        store_clips(storage_of(folder, s3))
        port = urlsplit(s3.endpoint).port
        for name, seconds in DISTANCES.items():
            there = stack.enter_context(far(port, seconds))
            bucket = replace(s3, endpoint=f"http://127.0.0.1:{there}")
            for _ in range(REPEATS):
                near = in_process("mix", folder, LINES)["seconds"]
                away = in_process("mix", folder, LINES, bucket)["seconds"]
                ratios[name].append(away / near)
    return {name: statistics.median(values) for name, values in ratios.items()}


def compare_with_pydub(folder: Path) -> float:
    """Return how many times longer pydub takes."""
    mixed = statistics.median(
        in_process("mix", folder, PYDUB_LINES)["seconds"] for _ in range(REPEATS)
    )
    return in_process("pydub", folder, PYDUB_LINES)["seconds"] / mixed


def compare_with_aac(task: str, folder: Path) -> dict[str, float]:
    """Return how many times longer the whole chain takes than its encoder alone, and its memory."""
    chain = in_process(task, folder, LINES)
    film = next((folder / "storage" / "jobs").rglob(f"{task}/dub.mp4"))
    track = folder / "track.wav"
    ffmpeg("-i", film, "-map", "0:a:0", "-c:a", "pcm_f32le", "-rf64", "auto", track)
    started = time.perf_counter()
    ffmpeg("-i", track, "-c:a", "aac", "-b:a", "192k", folder / "alone.m4a")
    alone = time.perf_counter() - started
    return {"vs_aac": chain["seconds"] / alone, "peak_mb": chain["peak_mb"]}


# Tasks, each in a fresh process, so that memory and imports are its own.


def mix(storage: Storage, output: Path, lines: int) -> None:
    """Place and mix with the production code, into a 16-bit WAV."""
    frames = round(lines * SLOT * RATE)
    mixer = Mixer(storage, clips(lines), frames=frames)
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
    """Assemble the stored job without proof of voice."""
    # Hides the package, so that the speaker encoder counts as not installed.
    sys.modules["resemblyzer"] = None  # type: ignore[assignment]
    assembled("chain", storage, output, lines)


def chain_with_proof(storage: Storage, output: Path, lines: int) -> None:
    """Assemble the stored job with proof of voice."""
    assembled("chain_with_proof", storage, output, lines)


def assembled(run: str, storage: Storage, output: Path, lines: int) -> None:
    """Assemble the stored job; its outputs are those of ``run``."""
    from dubbing.assembly.assemble import assemble  # noqa: PLC0415 - in no other process

    job = Job.model_validate_json(storage.get(Keys.job("film")))
    report = assemble(job, 1, run, gather(storage, "film", 1), storage, output.parent)
    assert len(report.lines) == lines and report.state == "completed"
    proven = any(line.similarity is not None for line in report.lines)
    assert proven == (run == "chain_with_proof")


TASKS = {task.__name__: task for task in (mix, floor, pydub, chain, chain_with_proof)}


def in_process(
    task: str, folder: Path, lines: int, s3: S3Options | None = None
) -> dict[str, float]:
    """Return the seconds that a task took in a fresh process, and its largest memory.

    s3: the server that holds the clips, unless they are in the folder.
    """
    server = json.dumps(s3 and asdict(s3))
    command = [sys.executable, __file__, task, str(folder), str(lines), server]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def in_this_process(task: str, folder: Path, lines: int, s3: S3Options | None) -> dict[str, float]:
    """Do a task and measure it; its time excludes imports and the interpreter's start."""
    output = folder / f"{task}.wav"
    storage = storage_of(folder, s3)
    started = time.perf_counter()
    TASKS[task](storage, output, lines)
    seconds = time.perf_counter() - started
    output.unlink(missing_ok=True)
    return {"seconds": seconds, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Return the peak memory of this process in MB; rusage would include its parent's."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def storage_of(folder: Path, s3: S3Options | None) -> Storage:
    """Return the storage on this server, or the one in ``folder``."""
    return Storage.at(BUCKET, s3) if s3 else Storage.at(f"{folder}/storage")


if __name__ == "__main__":
    name, place, count, server = sys.argv[1:]
    options = json.loads(server)
    s3 = S3Options(**options) if options else None
    print(json.dumps(in_this_process(name, Path(place), int(count), s3)))

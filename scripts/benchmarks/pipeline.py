"""2,000 eSpeak lines through the whole stack, beside the bare work that nobody can avoid.

- ``efficiency``: bare wall ÷ pipeline wall, the median of interleaved pairs.
- ``failed``: lines of all pairs that have no clip, in the pipeline or in the bare work.
- ``lines_per_second``, ``bare_lines_per_second`` and ``submit_seconds``: medians too.

The bare work is the same lines spoken, FLAC-encoded and stored in a folder by as many processes
as cores, which take them in chunks and by voice, without queue or ledger. The pipeline's clock
runs from the call of ``submit`` until its last line is stored and counted, which is when the job
leaves ``synthesizing``. Processes are warm on both sides, and every pair has texts of its own, so
that no clip is there before.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from pathlib import Path

from dubbing.audio import Audio, encode_flac
from dubbing.client import Client
from dubbing.engine import Line
from dubbing.engines.espeak import ESpeak
from dubbing.errors import DubbingError
from dubbing.job import Job, JobState, Output, Segment
from dubbing.keys import Keys
from dubbing.local import Stack
from dubbing.outcome import gather
from dubbing.settings import Settings
from dubbing.storage import Storage

AT_LEAST = {"efficiency": 0.70}
AT_MOST = {"failed": 0}

LINES = 2000
PAIRS = 5
CORES = os.cpu_count() or 1
LANGUAGE = "en"
SPEAKERS = 4
SLOT = 16.0
"""Seconds from one line to the next: room for each, so that each is spoken once on both sides."""
CHUNK = 32
"""Lines that a bare process takes at once."""
PATIENCE = 120.0
"""Seconds within which every child of a worker has done something."""
WORDS = (
    "after again all always another answer around away before bring brother called captain "
    "children city come could daughter day door doctor down early enough evening every father "
    "find first follow forest found garden give gone good great hand happened hear heart help "
    "here home horse hour house hundred idea inside keep knew last later leave letter light listen "
    "little long look lost made many market maybe mind minute moment money morning mother mountain "
    "must name never next night nothing number often old once only open other our paper people "
    "perhaps picture place please promise question quiet rain ready remember river road room "
    "said sea second secret ship should silence small somebody something soon station stay story "
    "street strong summer sure take talk tell thing think thousand ticket time today together "
    "tomorrow town train tree trouble true under until village wait walk want water week "
    "whole window winter with without woman wonder word work world write year yesterday young"
)


def run() -> dict[str, float]:
    """Return the figures; takes some two minutes on two cores."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        home = Path(folder)
        # The pool second: the stack forks, and the pool has threads.
        with Stack(settings(home), ["espeak"]), bare_processes(home) as bare:
            client = Client.connect(settings(home))
            warm_up(client)
            pairs = [compare(client, bare, home, number) for number in range(PAIRS)]
    return figures(pairs)


def compare(client: Client, bare: Pool, home: Path, number: int) -> dict[str, float]:
    """Speak 2,000 new lines, bare and through the stack; return seconds and failures."""
    job = make_job(f"pair-{number}", LINES)
    speakers = voices(job)
    lines = sorted(
        (
            Line(text=segment.text, language=LANGUAGE, voice=speakers[segment.speaker])
            for segment in job.segments
        ),
        key=lambda line: str(line.voice),
    )
    keys = [f"bare/{number}/{n}.flac" for n in range(LINES)]
    started = time.perf_counter()
    bare.starmap(speak, zip(keys, lines, strict=True), chunksize=CHUNK)
    bare_seconds = time.perf_counter() - started

    started = time.perf_counter()
    client.submit(job)
    submit_seconds = time.perf_counter() - started
    wait_until_spoken(client, job.name)
    pipeline_seconds = time.perf_counter() - started

    stored = {*client.storage.keys("clips"), *client.storage.keys(f"bare/{number}")}
    takes = [outcome.result.takes for outcome in gather(client.storage, job.name, 1).values()]
    return {
        "bare": bare_seconds,
        "pipeline": pipeline_seconds,
        "submit": submit_seconds,
        "failed": sum(not found or found[0].key not in stored for found in takes)
        + sum(key not in stored for key in keys),
    }


def figures(pairs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return what is reported of the pairs."""
    return {
        "efficiency": statistics.median(pair["bare"] / pair["pipeline"] for pair in pairs),
        "failed": sum(pair["failed"] for pair in pairs),
        "lines_per_second": statistics.median(LINES / pair["pipeline"] for pair in pairs),
        "bare_lines_per_second": statistics.median(LINES / pair["bare"] for pair in pairs),
        "submit_seconds": statistics.median(pair["submit"] for pair in pairs),
    }


# The pipeline.


def settings(home: Path) -> Settings:
    """Return the settings of a stack that has this folder to itself."""
    return Settings(home=home, redis_url="", storage_url="", engine="espeak", log_level="WARNING")


def warm_up(client: Client) -> None:
    """Submit jobs until every child of the worker has spoken."""
    deadline = time.monotonic() + PATIENCE
    spoken_by: set[str] = set()
    while len(spoken_by) < CORES:
        assert time.monotonic() < deadline, f"only {spoken_by} spoke"
        job = make_job(f"warm-{time.monotonic_ns()}", 300)
        client.submit(job)
        wait_until_spoken(client, job.name)
        for key in client.storage.keys(Keys.results(job.name, 1)):
            spoken_by.add(json.loads(client.storage.get(key))["worker"])


def wait_until_spoken(client: Client, job: str) -> None:
    """Watch a job until its last batch is counted."""
    for status in client.watch(job):
        if status.state not in {JobState.QUEUED, JobState.SYNTHESIZING}:
            return


# The bare work.

_engine = ESpeak()
_storages: list[Storage] = []


def bare_processes(home: Path) -> Pool:
    """Start as many processes as cores, and wait until they have eSpeak loaded."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(CORES + 1)
    pool = context.Pool(CORES, load, (str(home / "storage"), ready))
    ready.wait(PATIENCE)
    return pool


def load(storage: str, ready: Barrier) -> None:
    """Do what a process does once."""
    _storages.append(Storage.at(storage))
    _engine.load("cpu")
    _engine.synthesize([Line(text="Ready.", language=LANGUAGE, voice=ESpeak.spec.voices[0])])
    ready.wait(PATIENCE)


def speak(key: str, line: Line) -> None:
    """Speak, encode and store one line."""
    spoken = _engine.synthesize([line])[0]
    if isinstance(spoken, DubbingError):
        return
    assert isinstance(spoken, Audio)
    _storages[0].create(key, encode_flac(spoken))


# The lines.


def make_job(name: str, lines: int) -> Job:
    """Return a job of sentences of 5 to 15 words, which its name decides."""
    source, known = random.Random(name), WORDS.split()
    segments = []
    for number in range(lines):
        words = source.choices(known, k=source.randint(5, 15))
        segments.append(
            Segment(
                id=str(number + 1),
                start=number * SLOT,
                end=number * SLOT + SLOT / 2,
                speaker=f"speaker {number % SPEAKERS}",
                text=f"{' '.join(words).capitalize()}.",
            )
        )
    assert len({segment.text for segment in segments}) == lines
    output = Output(formats=("flac",))
    return Job(id=name, language=LANGUAGE, segments=tuple(segments), output=output)


def voices(job: Job) -> dict[str, str]:
    """Return the voices that the speakers are given, in the order in which they first speak."""
    speakers = dict.fromkeys(segment.speaker for segment in job.segments)
    return dict(zip(speakers, ESpeak.spec.voices, strict=False))


if __name__ == "__main__":
    print(json.dumps(run()))

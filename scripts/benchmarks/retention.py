"""A million clips and ten thousand jobs: the cost of finding and removing unneeded clips.

- ``gc_seconds``: duration of the command ``dubbing gc``; ``gc_mb``: its largest memory.
- ``removed``: number of removed clips, which should be all clips that no job names;
  ``made_seconds``: duration of making all the files.
- ``job_share``: seconds of a job alone ÷ seconds of a job of the same length while the command
  runs, the median of interleaved pairs; the engine needs all cores.

Storage is a folder. A clip is a link to one of some files: it has a name, a time and a few bytes.

Takes five minutes.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._beside import beside
from benchmarks._script import cries, make_job
from benchmarks._system import CORES, settings, until, wait_until_spoken, warm_up
from dubbing.client import Client
from dubbing.embedded.stack import Stack, dubbing_command, environment
from dubbing.engines.adapters.tone import Tone
from dubbing.job import Job, JobState, Segment
from dubbing.jobs.store import End
from dubbing.planning.casting import cast_lines
from dubbing.planning.plan import Kind, Reason, Round, plan_round, write_plan
from dubbing.planning.result import BatchResult, SegmentResult, Take
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings
from dubbing.storage import Keys, Storage

JOBS, LINES, NAMED = 10_000, 100, 80
"""Jobs, clips of each job, and clips that the results of each job still name."""
DAYS = 30 * 24 * 3600
SPOKEN, SLOT = 8000, 0.86
"""Lines of the job that is spoken during a collection, and seconds from one to the next."""
PAIRS = 5

AT_MOST = {"gc_seconds": 600.0, "gc_mb": 300.0}
AT_LEAST = {"job_share": 0.9}


def run() -> dict[str, float]:
    """Return the figures."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        own = settings(Path(folder), "tone")
        started = time.perf_counter()
        make(Path(own.storage))
        figures = {"made_seconds": time.perf_counter() - started}
        figures |= collected(own)
        with Stack(own, ["tone"]):
            client = Client.connect(own)
            warm_up(client, lambda name: job(name, 1000), CORES)
            return figures | {"job_share": share(client, own)}


def make(folder: Path) -> None:
    """Fill a storage folder with the objects of jobs that ended long ago."""
    storage = Storage.at(str(folder))
    storage.create(Keys.INSTALLATION, b"0" * 32)
    shards = [Path(Keys.clips(f"{number:02x}")) for number in range(256)]
    for shard in shards:
        (folder / shard).mkdir(parents=True)
    ago = time.time() - DAYS
    clips = {shard.name: folder.parent / f"clip-{shard.name}" for shard in shards}
    for path in clips.values():
        path.write_bytes(b"a clip")
        os.utime(path, (ago, ago))
    segments = tuple(
        Segment(id=str(n), start=3 * n, end=3 * n + 2.5, text=f"This is the line number {n}.")
        for n in range(NAMED)
    )
    made = Job(id="made", language="en", engine="tone", segments=segments)
    specs = {"tone": Tone.spec}
    batches = plan_round(cast_lines(made, made.segments, specs), "en", specs)
    plan = write_plan(Round(reason=Reason.SUBMIT, asked=1), batches)
    for number in range(JOBS):
        name = f"job-{number}"
        keys = [Keys.clip(_digest(f"{name}/{n}")) for n in range(LINES)]
        for key in keys:
            os.link(clips[key.split("/")[1]], folder / key)
        output = Keys.output(name, 1, "00000000")
        end = End(state=JobState.COMPLETED, round=1, at=ago, output=output, lines=NAMED, done=NAMED)
        documents = {
            Keys.job(name): made.model_copy(update={"id": name}).as_stored(),
            Keys.plan(name, 1): plan,
            f"{output}dub.flac": b"a sound",
            f"{output}report.json": b"{}",
            Keys.end(name, 1): end.model_dump_json().encode(),
            Keys.submitted(name, ago - number): b"",
        }
        spoken = iter(keys)
        for batch in batches:
            if batch.kind is Kind.SYNTHESIS:
                lines = tuple(_spoken(line.id, next(spoken)) for line in batch.lines)
                result = BatchResult(batch=batch.number, worker="worker", segments=lines)
                key = Keys.result(name, 1, batch.number)
                documents[key] = result.model_dump_json(exclude_defaults=True).encode()
        for key, document in documents.items():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(document)
    storage.create(Keys.INDEXED, b"")


def _spoken(id_: str, key: str) -> SegmentResult:
    take = Take(
        key=key, speed=1.0, seconds=2.345, level=-21.5, pauses=((0.8, 1.1),), digest=_digest(key)
    )
    model = _digest("model")
    return SegmentResult(id=id_, takes=(take,), engine="tone", model=model, seed=0, attempts=1)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def collected(own: Settings) -> dict[str, float]:
    """Return the cost of the first collection."""
    started = time.perf_counter()
    process = _gc(own, stdout=subprocess.PIPE)
    assert process.stdout
    told = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, told
    return {
        "gc_seconds": time.perf_counter() - started,
        "gc_mb": used.ru_maxrss * 1024 / 1e6,
        "removed": sum(one["objects"] for one in told["removed"]),
    }


def _gc(own: Settings, stdout: int) -> subprocess.Popen[bytes]:
    command = [*dubbing_command(), "gc", "--json"]
    return subprocess.Popen(command, stdout=stdout, env={**os.environ, **environment(own)})


def share(client: Client, own: Settings) -> float:
    """Return the seconds of a job alone ÷ the seconds of one during a collection."""

    def pair(number: int) -> float:
        alone = spoken_in(client, f"alone-{number}")
        with collections(own):
            until(lambda: client.storage.exists(Keys.COLLECTING), "a collection")
            return alone / spoken_in(client, f"beside-{number}")

    return statistics.median(map(pair, range(PAIRS)))


def spoken_in(client: Client, name: str) -> float:
    """Return the seconds in which a new job is spoken."""
    wanted = job(name, SPOKEN)
    started = time.perf_counter()
    client.submit(wanted)
    wait_until_spoken(client, name)
    seconds = time.perf_counter() - started
    client.cancel(name)
    return seconds


@contextmanager
def collections(own: Settings) -> Iterator[None]:
    """Run one collection after the other during the block; its end terminates the last one."""

    def collect(over: threading.Event) -> None:
        while not over.is_set():
            with _gc(own, stdout=subprocess.DEVNULL) as process:
                while process.poll() is None:
                    if over.wait(0.1):
                        process.terminate()

    try:
        with beside(collect):
            yield
    finally:
        Client.connect(own).storage.delete(Keys.COLLECTING)


def job(name: str, lines: int) -> Manifest:
    """Return a job of new lines."""
    return make_job(name, cries(name), lines, slot=SLOT, speakers=len(Tone.spec.voices))

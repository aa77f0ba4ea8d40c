"""Lines through the whole stack, compared with the unavoidable bare work.

- ``efficiency``: bare wall time ÷ pipeline wall time, for 10,000 eSpeak lines.
- ``efficiency_slow_engine``: the same for an engine that sleeps for 300 ms per line.
- ``failed``: lines of all pairs without a clip, in the pipeline or in the bare work.
- ``lines_per_second``, ``bare_lines_per_second`` and ``submit_seconds`` of eSpeak.

Each is the median of interleaved pairs. In the bare work, the same number of processes speak the
same lines, encode them as FLAC and store them in a folder, in chunks by voice, without queue or
ledger. The pipeline's clock runs from the call of ``submit`` until its last line is stored and
counted, when the job leaves ``synthesizing``. Processes are warm on both sides, and every pair has
its own texts, so that no clip exists beforehand.

Takes five minutes.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.pool import Pool
from pathlib import Path

from benchmarks._bare import bare_processes, bare_seconds
from benchmarks._script import make_job, sentences, slow_sentences
from benchmarks._system import CORES, faulty_engine, settings, wait_until_spoken, warm_up
from dubbing.client import Client
from dubbing.embedded.stack import Stack
from dubbing.planning.outcome import gather
from dubbing.script.manifest import Manifest

AT_LEAST = {"efficiency": 0.85, "efficiency_slow_engine": 0.97}
AT_MOST = {"failed": 0}

SLOT = 8.6
"""Seconds from one line to the next; enough for any line, so that all are spoken once."""
SPEAKERS = 4
Pair = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Course:
    """An engine and its task."""

    engine: str
    slots: int
    """Processes, in the pipeline and in the bare work."""
    lines: int
    pairs: int
    chunk: int
    """Lines that a bare process takes at once."""
    texts: Callable[[str], Iterator[str]]
    """Returns the texts of a job with the given name."""
    speakers: int = SPEAKERS

    def job(self, name: str, lines: int) -> Manifest:
        """Return a job of new lines."""
        return make_job(name, self.texts(name), lines, slot=SLOT, speakers=self.speakers)


FAST = Course(engine="espeak", slots=CORES, lines=10_000, pairs=3, chunk=32, texts=sentences)
SLOW = Course(engine="faulty", slots=8, lines=640, pairs=3, chunk=4, texts=slow_sentences)
"""More processes than cores: they only sleep."""


def run() -> dict[str, float]:
    """Return the figures."""
    fast = compare(FAST)
    with faulty_engine():
        slow = compare(SLOW)
    return {
        "efficiency": efficiency(fast),
        "efficiency_slow_engine": efficiency(slow),
        "failed": sum(pair["failed"] for pair in [*fast, *slow]),
        "lines_per_second": statistics.median(FAST.lines / pair["pipeline"] for pair in fast),
        "bare_lines_per_second": statistics.median(FAST.lines / pair["bare"] for pair in fast),
        "submit_seconds": statistics.median(pair["submit"] for pair in fast),
    }


def efficiency(pairs: Sequence[Pair]) -> float:
    """Return the median ratio."""
    return statistics.median(pair["bare"] / pair["pipeline"] for pair in pairs)


def compare(course: Course) -> list[Pair]:
    """Return seconds and failures of each pair."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        own = settings(Path(folder), course.engine, course.slots)
        # The stack starts first, because it forks and the pool has threads.
        with (
            Stack(own, [course.engine]),
            bare_processes(course.engine, course.slots, own.storage) as bare,
        ):
            client = Client.connect(own)
            warm_up(client, lambda name: course.job(name, 10 * course.chunk), course.slots)
            return [pair(course, client, bare, f"pair-{n}") for n in range(course.pairs)]


def pair(course: Course, client: Client, bare: Pool, name: str) -> Pair:
    """Speak new lines in the bare work and through the stack."""
    job = course.job(name, course.lines)
    bare_took = bare_seconds(bare, job, course.engine, course.chunk)

    started = time.perf_counter()
    client.submit(job)
    submitted = time.perf_counter()
    wait_until_spoken(client, name)
    ended = time.perf_counter()

    bare_stored = sum(1 for _ in client.storage.keys(f"bare/{name}"))
    stored = {*client.storage.keys("clips")}
    takes = [outcome.result.takes for outcome in gather(client.storage, name, 1).values()]
    spoken = sum(bool(of_line) and of_line[0].key in stored for of_line in takes)
    return {
        "bare": bare_took,
        "pipeline": ended - started,
        "submit": submitted - started,
        "failed": 2 * course.lines - bare_stored - spoken,
    }

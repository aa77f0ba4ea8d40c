"""A job of many lines, stored as if it had ended, but without clips."""

from __future__ import annotations

import math
import random

import numpy as np

from benchmarks._script import make_job, sentences
from dubbing.assembly.page import page_of
from dubbing.assembly.programme import place
from dubbing.assembly.report import PAGE, REPORT, Loudness, Report, ReportOutput
from dubbing.assembly.report_line import ReportLine
from dubbing.assembly.warnings import warnings
from dubbing.client import Client
from dubbing.job import JobState
from dubbing.jobs.rounds import end_round
from dubbing.jobs.store import End, load_job
from dubbing.media.samples import Audio, encode_flac
from dubbing.planning.outcome import gather
from dubbing.planning.plan import Batch, read_plan
from dubbing.planning.result import BatchResult, SegmentResult, Take
from dubbing.proof.speaker import Match
from dubbing.storage import Keys

SLOT, SPEAKERS = 3.6, 8
LOUDNESS = Loudness(
    profile="web", target=-16, ceiling=-1, gain=3.2, integrated=-16.0, true_peak=-1.3
)


def store_dubbed(client: Client, name: str, lines: int) -> str:
    """Submit a job, and write the documents that its workers would write, up to its end.

    Returns the prefix of its outputs.
    """
    storage = client.storage
    client.submit(make_job(name, sentences(name), lines, slot=SLOT, speakers=SPEAKERS))
    job, chance = load_job(storage, name), random.Random(name)
    plan = Keys.plan(name, 1)
    for batch in read_plan(storage.get(plan), plan):
        result = _spoken(batch, chance).model_dump_json()
        storage.create(Keys.result(name, 1, batch.number), result.encode())
    outcomes, output = gather(storage, name, 1), Keys.output(name, 1, "run")
    placed = place(job, job.segments, outcomes, math.inf)
    told = tuple(
        ReportLine.of(
            segment,
            outcomes[segment.id],
            placed[segment.id],
            chance.uniform(-18, -14),
            placed[segment.id].note,
            Match(similarity=chance.uniform(0.7, 0.9)),
        )
        for segment in job.segments
    )
    sound = encode_flac(Audio(samples=np.zeros(24_000, np.float32), rate=24_000))
    key = f"{output}dub.flac"
    storage.create(key, sound)
    report = Report.unmixed(job, 1, outcomes, asked=1).model_copy(
        update={
            "state": JobState.COMPLETED,
            "seconds": lines * SLOT,
            "loudness": LOUDNESS,
            "outputs": (ReportOutput(name="dub.flac", key=key, bytes=len(sound)),),
            "lines": told,
            "warnings": warnings(told, LOUDNESS),
        }
    )
    storage.create(output + PAGE, page_of(report, storage))
    storage.create(output + REPORT, report.model_dump_json(indent=1).encode())
    end = End(state=JobState.COMPLETED, round=1, output=output, lines=lines, done=lines)
    end_round(storage, client.ledger, name, end)
    return output


def _spoken(batch: Batch, chance: random.Random) -> BatchResult:
    """Return the result of a batch whose lines are shorter or longer than their time."""
    segments = tuple(
        SegmentResult(
            id=line.id,
            takes=(
                Take(
                    key=Keys.clip(chance.randbytes(32).hex()),
                    speed=1.0,
                    seconds=round(line.room * chance.triangular(0.5, 1.4, 0.8), 3),
                    level=-20.0,
                    digest=chance.randbytes(32).hex(),
                ),
            ),
            engine=batch.engine,
            model=batch.engine,
            seed=line.seed,
            attempts=1,
        )
        for line in batch.lines
    )
    return BatchResult(batch=batch.number, worker="benchmark", segments=segments)

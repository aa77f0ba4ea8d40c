"""A dry run: the work that jobs would cause, without storing or queueing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pydantic import ConfigDict

from dubbing.documents import Model
from dubbing.engines.conversion import model_over, spec_of
from dubbing.engines.published import Published
from dubbing.errors import QueueUnavailable
from dubbing.job import Job
from dubbing.job.caution import Caution
from dubbing.ledger import Ledger
from dubbing.planning.plan import Batch, CastLine, Kind, plan_round
from dubbing.storage import Storage
from dubbing.storage.parallel import each
from dubbing.submission.estimate import Estimate, Load, estimates
from dubbing.submission.submit import Checked
from dubbing.synthesis.ask import clip_key


class Speaker(Model):
    """A speaker, with engine and voice."""

    name: str
    lines: int
    """Lines that are not silent."""
    engine: str
    voice: str | None
    """The stock voice; None for a cloned one."""


class Preview(Model):
    """The result of a job's dry run."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "file": "",
                    "language": "de",
                    "lines": 412,
                    "batches": 31,
                    "clips_there": 0,
                    "seconds": 1204.5,
                    "engines": ["openai"],
                    "speakers": [
                        {"name": "Anna", "lines": 412, "engine": "openai", "voice": "alloy"}
                    ],
                    "estimate": {"ready_in": 240.0, "costs": {"CNY": 0.12}, "lacks": []},
                    "cautions": [],
                }
            ]
        }
    )

    file: str
    """The file that the job was read from; empty when there is none."""
    language: str
    lines: int
    batches: int
    clips_there: int
    """Lines whose clips are already stored; 0 for engines that no worker has published."""
    seconds: float
    """Estimated speech of the other lines, in seconds."""
    engines: tuple[str, ...]
    speakers: tuple[Speaker, ...]
    """In the order of their first lines."""
    estimate: Estimate | None = None
    """None while Redis does not answer, because only Redis holds the latest batches."""
    cautions: tuple[Caution, ...]


def previews(
    checked: Sequence[Checked],
    storage: Storage,
    engines: Mapping[str, Published],
    ledger: Ledger | None,
) -> list[Preview]:
    """Return the previews of checked jobs.

    engines: published entries.
    ledger: None while Redis does not answer.
    """
    found = [_preview(one, storage, engines) for one in checked]
    told = _estimates(ledger, [load for _, load in found])
    return [
        preview.model_copy(update={"estimate": estimate})
        for (preview, _), estimate in zip(found, told, strict=True)
    ]


def _estimates(ledger: Ledger | None, loads: Sequence[Load]) -> Sequence[Estimate | None]:
    # Redis may stop answering, or refuse the script.
    with suppress(QueueUnavailable):
        if ledger:
            return estimates(ledger, loads)
    return [None] * len(loads)


def _preview(
    checked: Checked, storage: Storage, engines: Mapping[str, Published]
) -> tuple[Preview, Load]:
    """Return the preview of a checked job, without an estimate, and its work."""
    job, specs = checked.intake.stored, checked.specs
    lines = checked.cast()
    planned = plan_round(lines, job.language, specs)
    batches = [batch for batch in planned if batch.kind is Kind.SYNTHESIS]
    load = Load(job.tenant, job.length, Counter(batch.queue for batch in planned))
    there, seconds = 0, 0.0
    for batch in batches:
        stored = _stored(batch, storage, engines)
        there += sum(stored)
        load.lines[batch.queue] += len(stored) - sum(stored)
        load.idle[batch.queue] += all(stored)
        spec = spec_of(batch.engine, specs, batch.voice.base)
        seconds += sum(
            spec.foresee(line.spoken, batch.language) / line.speed
            for line, is_there in zip(batch.lines, stored, strict=True)
            if not is_there
        )
    preview = Preview(
        file=checked.intake.manifest.source,
        language=job.language,
        lines=len(job.segments),
        batches=len(batches),
        clips_there=there,
        seconds=round(seconds, 1),
        engines=tuple(sorted({batch.engine for batch in batches})),
        speakers=_speakers(job, lines),
        cautions=tuple(checked.cautions),
    )
    return preview, load


def _speakers(job: Job, lines: Sequence[CastLine]) -> tuple[Speaker, ...]:
    """Return the speakers of a job's lines, each with the engine and voice of all its lines."""
    names = {segment.id: segment.speaker for segment in job.segments}
    spoken = Counter(names[line.line.id] for line in lines)
    by = {names[line.line.id]: line for line in lines}
    return tuple(
        Speaker(name=name, lines=count, engine=by[name].engine, voice=by[name].voice.stock)
        for name, count in spoken.items()
    )


def _published(batch: Batch, engines: Mapping[str, Published]) -> Published | None:
    """Return the published entry of a batch's engine, combined with its base if it has one."""
    engine = engines.get(batch.engine)
    if engine is None or batch.voice.base is None:
        return engine
    base = engines.get(batch.voice.base)
    if base is None:
        return None
    model = model_over(engine.model, base.spec, base.model)
    return Published(spec=engine.spec.over(base.spec), model=model)


def _stored(batch: Batch, storage: Storage, engines: Mapping[str, Published]) -> list[bool]:
    """Return whether each line's clip at its natural pace is stored."""
    engine = _published(batch, engines)
    if engine is None:
        return [False] * len(batch.lines)
    keys = [clip_key(engine.spec, engine.model, batch, line, 1.0) for line in batch.lines]
    return each(storage.exists, keys)

"""A dry run: what a job would do, without storing or queueing anything."""

from __future__ import annotations

from collections.abc import Mapping

from dubbing.documents import Model
from dubbing.engines.conversion import model_over, spec_of
from dubbing.engines.published import Published
from dubbing.job.caution import Caution
from dubbing.planning.casting import cast_lines
from dubbing.planning.plan import Batch, Kind, plan_round
from dubbing.storage import Storage
from dubbing.storage.parallel import each
from dubbing.submission.submit import Checked
from dubbing.synthesis.ask import clip_key


class Preview(Model):
    """What a job would do."""

    file: str
    """The file that the job was read from; empty when there is none."""
    language: str
    lines: int
    batches: int
    clips_there: int
    """Lines whose clips are stored already; none of an engine that no worker has published."""
    seconds: float
    """Estimated length of the speech of the other lines."""
    engines: tuple[str, ...]
    cautions: tuple[Caution, ...]


def preview(checked: Checked, storage: Storage, engines: Mapping[str, Published]) -> Preview:
    """Return what a checked job would do.

    engines: what workers published of them.
    """
    job, specs = checked.intake.stored, checked.specs
    lines = cast_lines(job, job.segments, specs, wording=checked.wording)
    batches = [b for b in plan_round(lines, job.language, specs) if b.kind is Kind.SYNTHESIS]
    there, seconds = 0, 0.0
    for batch in batches:
        stored = _stored(batch, storage, engines)
        there += sum(stored)
        spec = spec_of(batch.engine, specs, batch.voice.base)
        seconds += sum(
            spec.foresee(line.spoken, batch.language) / line.speed
            for line, is_there in zip(batch.lines, stored, strict=True)
            if not is_there
        )
    return Preview(
        file=checked.intake.manifest.source,
        language=job.language,
        lines=len(job.segments),
        batches=len(batches),
        clips_there=there,
        seconds=round(seconds, 1),
        engines=tuple(sorted({batch.engine for batch in batches})),
        cautions=tuple(checked.cautions),
    )


def _published(batch: Batch, engines: Mapping[str, Published]) -> Published | None:
    """Return a batch's engine, over its base if it has one, as its workers published it."""
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

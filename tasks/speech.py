"""Tasks of an engine's workers: lines to clips, recordings to voices."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from dubbing.errors import (
    DubbingError,
    EngineFailed,
    GivenUp,
    Permanent,
    ReportedError,
    Transient,
)
from dubbing.ledger import Address
from dubbing.outcome import load_result
from dubbing.plan import Batch, Kind
from dubbing.queue import SAY, TASKS
from dubbing.result import BatchResult
from dubbing.saying import Saying
from dubbing.synthesis import MAX_DELIVERIES, Watch, speak
from dubbing.work import Lease, failed_result
from tasks.context import Context, current


@shared_task(name=TASKS[Kind.SYNTHESIS], throws=(DubbingError,))
def synthesize(**address: Any) -> str:
    """Speak a batch."""
    context = current()
    at = Address(**address)
    return context.desk.run(at, lambda batch, lease: _speak(context, batch, lease))


@shared_task(name=TASKS[Kind.EXTRACTION], throws=(DubbingError,))
def extract(**address: Any) -> str:
    """Derive a voice; what goes wrong is told by the lines that need it, too."""
    context = current()
    at = Address(**address)
    return context.desk.run(at, lambda batch, lease: _extract(context, batch, lease))


@shared_task(name=SAY)
def say(**request: Any) -> str:
    """Speak one line at once and answer where its clip lies."""
    saying = Saying.model_validate(request)
    context = current()
    batch = Batch(
        number=0,
        kind=Kind.SYNTHESIS,
        engine=saying.engine,
        voice=saying.voice,
        language=saying.language,
        lines=(saying.line,),
        deadline=0,
    )
    try:
        voice = context.voice(saying.engine, saying.voice)
        engine = context.engine(saying.engine, saying.voice)
        (spoken,) = speak(engine, context.desk.storage, batch, voice)
        reply = spoken.model_dump(mode="json")
    except DubbingError as exc:
        reply = {"error": exc.to_record()}
    context.desk.ledger.set_reply(saying.ticket, reply)
    return saying.line.text[:60]


def _speak(context: Context, batch: Batch, lease: Lease) -> BatchResult:
    desk, job = context.desk, lease.at.job
    try:
        _check_extraction(context, batch, lease)
        voice = context.voice(batch.engine, batch.voice)
        engine = context.engine(batch.engine, batch.voice)
    except (Permanent, EngineFailed, ReportedError) as exc:
        return failed_result(batch, exc, desk.worker)
    watch = Watch(
        begin=lambda ids: desk.ledger.deliver(job, ids),
        begin_again=lease.begin_alone,
        check=lease.check,
    )
    spoken = speak(engine, desk.storage, batch, voice, watch)
    return BatchResult(batch=batch.number, worker=desk.worker, segments=tuple(spoken))


def _extract(context: Context, batch: Batch, lease: Lease) -> BatchResult:
    desk = context.desk
    name = f"extraction {batch.number}"
    try:
        if lease.begin_alone(name) >= MAX_DELIVERIES:
            raise GivenUp("the voice")
        context.voice(batch.engine, batch.voice)
    except (Permanent, EngineFailed) as exc:
        return failed_result(batch, exc, desk.worker)
    except Transient:
        # This process lives: what it hands back does not count as a death.
        desk.ledger.forgive(lease.at.job, [name])
        raise
    return BatchResult(batch=batch.number, worker=desk.worker)


def _check_extraction(context: Context, batch: Batch, lease: Lease) -> None:
    """Raise the error of the extraction that the lines waited for: it is not tried again here."""
    if batch.needs is not None:
        at = lease.at
        needed = load_result(context.desk.storage, at.job, at.round, batch.needs)
        if needed and needed.error:
            raise ReportedError(needed.error)

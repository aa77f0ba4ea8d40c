"""The tasks of engine workers: speak a batch, extract a voice, say a single line."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from celery import shared_task

from dubbing.documents import received
from dubbing.engines.holding import Holding
from dubbing.engines.usage import by_endpoint, metered
from dubbing.errors import (
    DubbingError,
    EngineAway,
    GivenUp,
    Permanent,
    Transient,
)
from dubbing.jobs.batch_work import AWAY_SECONDS, failed_result
from dubbing.jobs.counting import count_lines
from dubbing.jobs.lease import Lease
from dubbing.ledger import Address
from dubbing.planning.plan import Batch, Kind
from dubbing.planning.result import BatchResult
from dubbing.queue import SAY, TASKS
from dubbing.queue.say import SayRequest
from dubbing.synthesis.speak import MAX_DELIVERIES
from tasks.base import BatchTask, WorkerTask, asked
from tasks.context import Context, current


@shared_task(base=BatchTask, name=TASKS[Kind.SYNTHESIS], throws=(DubbingError,))
def synthesize(**address: Any) -> str:
    """Speak a batch of the queue: the named one, or one that this process has read ahead."""
    return current().pipeline.run(received(Address, address))


@shared_task(base=BatchTask, name=TASKS[Kind.EXTRACTION], throws=(DubbingError,))
def extract(**address: Any) -> str:
    """Derive the form of a voice; if that fails, the lines that need it get the error."""
    context = current()
    at = received(Address, address)
    return context.runner.run(at, lambda batch, lease: _extract(context, batch, lease))


@shared_task(base=WorkerTask, name=SAY, bind=True, throws=(DubbingError,))
def say(task: WorkerTask, **request: Any) -> str:
    """Speak one line at once and reply with its result, unless the caller has given up."""
    said, context = asked(SayRequest, request), current()
    if not context.runner.ledger.requests.asked(said.ticket):
        return "nobody waits for it"
    batch = Batch(
        number=0,
        kind=Kind.SYNTHESIS,
        engine=said.engine,
        voice=said.voice,
        language=said.language,
        lines=(said.line,),
        deadline=0,
    )
    began = time.monotonic()
    try:
        context.runner.access.check()
        speech = context.speech(batch)
        speech.run()
        (spoken,) = speech.results()
        reply = {**spoken.model_dump(mode="json"), "worker": task.request.hostname}
        failed = spoken.error is not None
        count_lines(said.engine, [spoken])
    except DubbingError as exc:
        if _others_can(context, task.request.hostname, said.engine, exc):
            context.runner.publisher.say(said.engine, request)
            time.sleep(AWAY_SECONDS)
            return "left to another process"
        reply, failed = {"error": asdict(exc.to_record())}, True
    context.runner.tally.add(int(not failed), int(failed), time.monotonic() - began)
    context.runner.ledger.requests.set_reply(said.ticket, reply)
    return said.line.spoken[:60]


def _others_can(context: Context, worker: str, engine: str, exc: DubbingError) -> bool:
    """Whether other processes may succeed: this one lacks storage or the engine.

    It lacks the engine only if another process of the worker has it.
    """
    if not isinstance(exc, EngineAway):
        return context.runner.access.lost(exc)
    return Holding.of_all(context.runner.ledger.crew.holdings(worker).values()).takes(engine)


def _extract(context: Context, batch: Batch, lease: Lease) -> BatchResult:
    runner = context.runner
    name = f"extraction {batch.number}"
    try:
        if lease.begin_alone(name) >= MAX_DELIVERIES:
            raise GivenUp("the voice")
        with metered() as uses:
            if batch.voice.digest:
                context.form(batch.engine, batch.voice.digest)
    except Permanent as exc:
        return failed_result(batch, exc, runner.worker)
    except Transient:
        # This process is alive, so the delivery does not count; the runner limits the tries.
        runner.ledger.forgive(lease.at.job, [name])
        raise
    return BatchResult(batch=batch.number, worker=runner.worker, used=by_endpoint(uses))

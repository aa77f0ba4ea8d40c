"""Interactive requests: texts that are spoken at once, and belong to no job."""

from __future__ import annotations

import secrets
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from dubbing.documents import Document, Identifier, received
from dubbing.errors import Damaged, ErrorRecord, ReportedError, Transient
from dubbing.job import Job
from dubbing.ledger import Ledger
from dubbing.media.samples import Audio
from dubbing.media.sounds import joined
from dubbing.planning.clip import load_clip
from dubbing.planning.plan import CastLine, PlannedLine
from dubbing.planning.result import SegmentResult
from dubbing.queue.publisher import Publisher, queues_of
from dubbing.storage import Storage
from dubbing.telemetry.context import request_id
from dubbing.voices.voice import VoiceRef

SAY_SECONDS = 60.0
PAUSE = 0.3
"""Seconds of silence between the lines of a text; clips have no silence at their ends."""
TURN_SECONDS = 0.05
"""Seconds between two attempts to let a request go ahead."""


class SayRequest(Document):
    """The request to a worker."""

    ticket: str
    """Identifies the reply for which the caller waits."""
    language: str
    engine: str
    voice: VoiceRef
    line: PlannedLine
    request_id: Identifier | None = None
    """Id of the HTTP request that caused it."""
    tenant: Identifier | None = None
    """Tenant of the caller; None in messages of older releases."""


@dataclass(frozen=True, kw_only=True)
class Said(Audio):
    """The sound of a text, and the workers that spoke it."""

    workers: tuple[str, ...]
    """Names of the workers, without duplicates; workers of older releases do not report theirs."""


def say(storage: Storage, ledger: Ledger, publisher: Publisher, job: Job, cast: CastLine) -> Said:
    """Have a worker speak a line ahead of all batches, and return its sound.

    job: the line's job, which is not stored.

    Raises the worker's error, or Transient when no worker answers in time.
    """
    deadline = time.monotonic() + SAY_SECONDS
    _await_turn(ledger, cast.engine, deadline)
    ticket = secrets.token_hex(8)
    asked = SayRequest(
        ticket=ticket,
        language=job.language,
        engine=cast.engine,
        voice=cast.voice,
        line=cast.line,
        request_id=request_id(),
        tenant=job.tenant,
    )
    with ledger.requests.asking(ticket):
        with uninterrupted():
            publisher.say(cast.engine, asked.model_dump())
        reply = ledger.requests.wait_reply(ticket, wait=deadline - time.monotonic())
    if reply is None:
        raise Transient(
            f"no worker answered within {SAY_SECONDS:g} s: start `dubbing worker {cast.engine}`"
        )
    if error := reply.get("error"):
        raise ReportedError(received(ErrorRecord, error))
    takes = received(SegmentResult, reply).takes
    if not takes:
        raise Damaged("the answer of a worker")
    take = takes[0]
    sound = load_clip(storage, take.key, take.digest).audio
    workers = (str(reply["worker"]),) if "worker" in reply else ()
    return Said(samples=sound.samples, rate=sound.rate, workers=workers)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay Ctrl-C until the end of the block.

    The first message imports Celery. Python drops an interrupt that arrives in a callback of the
    import system.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread receives interrupts.
        yield
        return
    came = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: came.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came.is_set():
            signal.raise_signal(signal.SIGINT)


def together(lines: Sequence[Said]) -> Said:
    """Return the lines of a text as one sound, with pauses between them."""
    whole = joined(lines, PAUSE)
    workers = dict.fromkeys(worker for one in lines for worker in one.workers)
    return Said(samples=whole.samples, rate=whole.rate, workers=tuple(workers))


def _await_turn(ledger: Ledger, engine: str, deadline: float) -> None:
    """Wait while too many requests have gone ahead of batches: batches need a turn, too."""
    while not ledger.requests.express(queues_of(engine)[0]):
        if time.monotonic() > deadline:
            raise Transient(f"{engine!r} gets more requests than it can speak: try again later")
        time.sleep(TURN_SECONDS)

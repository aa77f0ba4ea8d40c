"""A line that is spoken at once: an interactive request, which belongs to no job."""

from __future__ import annotations

import secrets
import time

from dubbing.documents import Document, received
from dubbing.errors import BadInput, Damaged, ErrorRecord, ReportedError, Transient
from dubbing.ledger import Ledger
from dubbing.media.samples import Audio
from dubbing.planning.clip import load_clip
from dubbing.planning.plan import CastLine, PlannedLine
from dubbing.planning.result import SegmentResult
from dubbing.queue.publisher import Publisher, queues_of
from dubbing.script.manifest import Manifest
from dubbing.storage import Storage
from dubbing.text.sounds import is_silent
from dubbing.voices.voice import VoiceRef

SAY_SECONDS = 60.0
TURN_SECONDS = 0.05
"""Pause between two questions whether a request may go ahead."""
LONGEST = 86_400.0
"""Seconds of the line's slot, long enough for any text."""


class SayRequest(Document):
    """The request to a worker."""

    ticket: str
    """Where the caller waits for the answer."""
    language: str
    engine: str
    voice: VoiceRef
    line: PlannedLine


def one_line(text: str, *, language: str, engine: str, voice: str) -> Manifest:
    """Return a manifest of one line, used to check and cast it.

    Raises BadInput for text without words.
    """
    manifest = Manifest.model_validate(
        {
            "language": language,
            "engine": engine,
            "segments": [{"id": "say", "start": 0, "end": LONGEST, "text": text}],
            "cast": {"speaker": {"voice": voice or None}},
            # The user of a single line wants to hear all of it.
            "speak_sounds": True,
            "speak_lyrics": True,
        }
    )
    if is_silent(manifest, manifest.segments[0]):
        raise BadInput(f"{text[:40]!r} holds nothing to speak: write words")
    return manifest


def say(
    storage: Storage, ledger: Ledger, publisher: Publisher, cast: CastLine, language: str
) -> Audio:
    """Have a line spoken ahead of all batches and return it.

    Raises the worker's error, or Transient when no worker answers in time.
    """
    deadline = time.monotonic() + SAY_SECONDS
    _await_turn(ledger, cast.engine, deadline)
    ticket = secrets.token_hex(8)
    asked = SayRequest(
        ticket=ticket, language=language, engine=cast.engine, voice=cast.voice, line=cast.line
    )
    with ledger.requests.asking(ticket):
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
    return load_clip(storage, take.key, take.digest).audio


def _await_turn(ledger: Ledger, engine: str, deadline: float) -> None:
    """Wait while too many requests have gone ahead of batches, which need their turn too."""
    while not ledger.requests.express(queues_of(engine)[0]):
        if time.monotonic() > deadline:
            raise Transient(f"{engine!r} gets more requests than it can speak: try again later")
        time.sleep(TURN_SECONDS)

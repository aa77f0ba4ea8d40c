"""Groups lines into batches, which are spoken together.

A batch holds lines of one engine, voice and language, of similar length, as many as the engine's
budget allows; if a voice shows their emotion, it is the same voice for all. A round's batches are
stored in ``plan.jsonl``, one a line. A worker reads its batch by byte range, so no worker parses a
whole plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple

from dubbing.documents import Document, Identifier, Model, stored
from dubbing.engines.conversion import spec_of
from dubbing.engines.engine import EngineSpec
from dubbing.job.emotion import Emotion
from dubbing.job.fit import SHORTEST_PAUSE
from dubbing.voices.voice import Digest, VoiceRef

CALLS = 3
"""Engine calls that a batch's deadline allows: the lines, faster takes, and retries."""
SPEED_STEP = 0.05
"""Speeds are multiples of this step, so that a repeated request finds its clip."""
PLAN = "a plan of the job"
"""The name of a plan in errors."""


class Kind(StrEnum):
    """The work of a batch; also the first part of its queue's name."""

    SYNTHESIS = "synthesis"
    EXTRACTION = "extraction"
    ASSEMBLY = "assembly"


class Reason(StrEnum):
    """The reason of a round."""

    SUBMIT = "submit"
    RETRY = "retry"
    REVISE = "revise"
    FALLBACK = "fallback"
    """Another engine speaks the lines that one engine could not."""
    REPAIR = "repair"
    """Clips that could not be read are spoken again."""


class Round(Document):
    """The description of a round, which is the first line of its plan."""

    reason: Reason
    asked: int
    """The round that a caller asked for: this one, or the one that a repair or fallback serves."""
    request: Digest | None = None
    """Digest of the revision that applies from this round on; None for the first request."""
    request_id: Identifier | None = None
    """Id of the HTTP request that asked for it; None without one."""


class PlannedLine(Model):
    """One line as a worker needs it."""

    id: str
    """The segment's id."""
    spoken: str
    """The text for the engine: without sounds, with numbers in words."""
    speed: float
    """The speaker's natural pace."""
    pitch: float = 0.0
    style: str = ""
    emotion: Emotion | None = None
    seed: int = 0
    room: float
    """Seconds available to it: its own time and the silence after it."""
    max_rate: float
    """Maximum factor by which it may be spoken faster than its natural pace."""
    min_pause: float = SHORTEST_PAUSE
    """Length to which its pauses may be shortened, in seconds."""
    refused: str = ""
    """SHA-256 of a stored clip that is not this line's, and must not be taken again."""

    @property
    def emotion_voice(self) -> str | None:
        """Digest of the stored voice that shows its emotion."""
        return self.emotion.voice if self.emotion else None


class CastLine(NamedTuple):
    """A line with the engine and voice that speak it."""

    engine: str
    voice: VoiceRef
    line: PlannedLine


class Batch(Document):
    """Lines that are spoken together, or one voice to extract."""

    number: int
    kind: Kind
    engine: str = ""
    voice: VoiceRef = VoiceRef()
    language: str = ""
    lines: tuple[PlannedLine, ...] = ()
    needs: int | None = None
    """Number of the extraction that these lines wait for."""
    deadline: float
    """Seconds after which its worker counts as hung."""

    @property
    def queue(self) -> str:
        """Name of the Celery queue."""
        return f"{self.kind}.{self.engine}"

    @property
    def emotion_voice(self) -> str | None:
        """Digest of the stored voice that shows the emotion of its lines."""
        return self.lines[0].emotion_voice if self.lines else None


@dataclass(frozen=True, kw_only=True)
class BatchRef:
    """The place of a batch in its plan; small enough to keep thousands in Redis."""

    number: int
    offset: int
    """Bytes from the start of ``plan.jsonl``."""
    length: int
    queue: str
    lines: int
    deadline: float
    needs: int | None = None

    @property
    def token(self) -> str:
        """The batch as the ledger holds it."""
        size = max(self.lines, 1)
        return f"{self.number}:{self.offset}:{self.length}:{self.deadline:g}:{size}"


def engine_of(queue: str) -> str:
    """Return the argument of a queue's workers: its engine, or ``assembly``."""
    return queue.partition(".")[2] or queue


def plan_round(
    lines: Iterable[CastLine], language: str, specs: Mapping[str, EngineSpec]
) -> list[Batch]:
    """Return the batches that speak ``lines``, each extraction before the batches that need it."""
    groups: dict[tuple[str, VoiceRef], list[PlannedLine]] = defaultdict(list)
    for engine, voice, line in lines:
        groups[engine, voice].append(line)
    batches: list[Batch] = []
    for (engine, voice), group in groups.items():
        spec = spec_of(engine, specs, voice.base)
        batches += _batches(engine, voice, group, spec, language, len(batches))
    return batches


def _batches(
    engine: str,
    voice: VoiceRef,
    lines: Iterable[PlannedLine],
    spec: EngineSpec,
    language: str,
    first: int,
) -> list[Batch]:
    """Return the batches of one voice, numbered from ``first``; extract a stored voice first."""
    common: dict[str, Any] = {"engine": engine, "voice": voice, "language": language}
    batches: list[Batch] = []
    needs = None
    if voice.digest:
        needs = first
        deadline = spec.seconds_per_call
        batches.append(Batch(number=first, kind=Kind.EXTRACTION, deadline=deadline, **common))
    for chunk in _chunks(lines, spec, language):
        batches.append(
            Batch(
                number=first + len(batches),
                kind=Kind.SYNTHESIS,
                lines=chunk,
                needs=needs,
                deadline=spec.seconds_per_call * CALLS,
                **common,
            )
        )
    return batches


def write_plan(round_: Round, batches: Iterable[Batch]) -> bytes:
    """Return ``plan.jsonl``: the round, then one batch a line."""
    lines = (model.model_dump_json(exclude_defaults=True) for model in (round_, *batches))
    return b"".join(line.encode() + b"\n" for line in lines)


def read_round(plan: bytes, where: str = PLAN) -> Round:
    """Return the round of a ``plan.jsonl``, of which the beginning is enough.

    where: its key, for the error. Raises as `stored`, as do the other readers.
    """
    return stored(Round, plan.partition(b"\n")[0], where)


def read_refs(plan: bytes, where: str = PLAN) -> list[BatchRef]:
    """Return the place of each batch in a ``plan.jsonl``."""
    read_round(plan, where)
    first, *lines = plan.splitlines(keepends=True)
    refs: list[BatchRef] = []
    offset = len(first)
    for line in lines:
        batch = stored(Batch, line, where)
        refs.append(
            BatchRef(
                number=batch.number,
                offset=offset,
                length=len(line),
                queue=batch.queue,
                lines=len(batch.lines),
                deadline=batch.deadline,
                needs=batch.needs,
            )
        )
        offset += len(line)
    return refs


def read_plan(plan: bytes, where: str = PLAN) -> list[Batch]:
    """Return the batches of a ``plan.jsonl``."""
    read_round(plan, where)
    return [stored(Batch, line, where) for line in plan.splitlines()[1:]]


def _chunks(
    lines: Iterable[PlannedLine], spec: EngineSpec, language: str
) -> Iterable[tuple[PlannedLine, ...]]:
    """Sort lines by length; cut them by the engine's budget of lines and padded seconds.

    The longest come first: workers take batches in this order, and with the shortest ones last,
    workers finish at about the same time. Lines of one chunk have the same emotion voice, or
    none.
    """
    chunk: list[PlannedLine] = []
    longest = 0.0
    foreseen = [
        (line.emotion_voice or "", -spec.foresee(line.spoken, language), line) for line in lines
    ]
    for voice, less, line in sorted(foreseen, key=itemgetter(0, 1)):
        full = len(chunk) == spec.batch_lines or longest * (len(chunk) + 1) > spec.batch_seconds
        if chunk and (full or voice != (chunk[0].emotion_voice or "")):
            yield tuple(chunk)
            chunk = []
        if not chunk:
            longest = -less
        chunk.append(line)
    if chunk:
        yield tuple(chunk)

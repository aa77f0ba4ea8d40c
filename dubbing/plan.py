"""Job and specs to batches: which lines are spoken together.

A batch holds lines of one engine, voice and language, near in length, as many as the engine's
budget allows. A round's batches lie in ``plan.jsonl``, one a line; a worker reads its own by byte
range, so that no one parses a long job again.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dubbing.engine import EngineSpec
from dubbing.errors import BadInput
from dubbing.job import Job, Model, Segment
from dubbing.voice import VoiceRef

CALLS = 3
"""Calls of the engine that a batch's deadline allows: the lines, faster takes, and tries again."""
OPEN_END = 10.0
"""Seconds that a line may run on which nothing follows; assembly knows where the film ends."""
SPEED_STEP = 0.05
"""Speeds are asked in these steps, so that a line that is asked again finds its clip."""
GAP = 0.08
"""Seconds kept free before the line that follows: two frames."""


class Kind(StrEnum):
    """What a batch asks for; also the first part of its queue's name."""

    SYNTHESIS = "synthesis"
    EXTRACTION = "extraction"
    ASSEMBLY = "assembly"


class PlannedLine(Model):
    """One line as a worker needs it."""

    id: str
    """The segment's id."""
    text: str
    speed: float
    """The speaker's natural pace."""
    pitch: float = 0.0
    style: str = ""
    seed: int = 0
    room: float
    """Seconds from its start until it would run into what follows."""
    max_rate: float
    """How much faster than its natural pace it may be spoken."""


class Batch(Model):
    """Lines that are spoken together, or one voice that is extracted."""

    number: int
    kind: Kind
    engine: str = ""
    voice: VoiceRef = VoiceRef()
    language: str = ""
    lines: tuple[PlannedLine, ...] = ()
    needs: int | None = None
    """Number of the extraction that these lines wait for."""
    deadline: float
    """Seconds after which a worker that is at it is taken to hang."""

    @property
    def queue(self) -> str:
        """Name of the Celery queue."""
        return f"{self.kind}.{self.engine}"


@dataclass(frozen=True, kw_only=True)
class BatchRef:
    """Where a batch stands in its plan; short enough to lie in Redis by the thousand."""

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
        """What the ledger holds of it."""
        return f"{self.number}:{self.offset}:{self.length}:{self.deadline:g}"


def plan_round(
    job: Job, segments: Sequence[Segment], specs: Mapping[str, EngineSpec]
) -> list[Batch]:
    """Return the batches that speak ``segments``, each extraction before what needs it.

    job: the whole job, whose timeline tells each line's room.
    segments: those to be spoken, at most all of the job's.
    """
    batches: list[Batch] = []
    for (engine, voice), lines in _by_voice(job, segments, specs).items():
        batches += _batches(engine, voice, lines, specs[engine], job.language, len(batches))
    return batches


def _by_voice(
    job: Job, segments: Sequence[Segment], specs: Mapping[str, EngineSpec]
) -> dict[tuple[str, VoiceRef], list[PlannedLine]]:
    """Return the lines to be spoken by engine and voice, in the order of the script."""
    rooms = line_rooms(job.segments)
    voices = assign_voices(job, specs)
    groups: dict[tuple[str, VoiceRef], list[PlannedLine]] = defaultdict(list)
    for segment in segments:
        role = job.role(segment.speaker)
        line = PlannedLine(
            id=segment.id,
            text=segment.text,
            speed=round(round(role.speed / SPEED_STEP) * SPEED_STEP, 2),
            pitch=role.pitch,
            style=role.style,
            seed=job.seed,
            room=rooms[segment.id],
            max_rate=job.fit.max_rate,
        )
        groups[job.engine_of(segment.speaker), voices[segment.speaker]].append(line)

    return groups


def _batches(
    engine: str,
    voice: VoiceRef,
    lines: Iterable[PlannedLine],
    spec: EngineSpec,
    language: str,
    first: int,
) -> list[Batch]:
    """Return the batches of one voice, numbered from ``first``; a stored voice's is extracted."""
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


def write_plan(batches: Iterable[Batch]) -> bytes:
    """Return ``plan.jsonl``: one batch a line."""
    lines = (batch.model_dump_json(exclude_defaults=True).encode() for batch in batches)
    return b"".join(line + b"\n" for line in lines)


def read_refs(plan: bytes) -> list[BatchRef]:
    """Return where each batch stands in a ``plan.jsonl``."""
    refs: list[BatchRef] = []
    offset = 0
    for line in plan.splitlines(keepends=True):
        batch = Batch.model_validate_json(line)
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


def read_plan(data: bytes) -> list[Batch]:
    """Return the batches of a ``plan.jsonl``."""
    return [Batch.model_validate_json(line) for line in data.splitlines()]


def line_rooms(segments: Sequence[Segment], end: float = math.inf) -> dict[str, float]:
    """Return how many seconds each line may take: its own, and the silence that follows.

    end: where the film ends, in seconds from its first frame, when that is known. A line that
    starts after it has no room, or less than none.

    Lines that overlap on purpose do not shorten each other: what follows a line is the next one
    that starts at or after its end.
    """
    starts = sorted(segment.start for segment in segments)
    rooms: dict[str, float] = {}
    for segment in segments:
        following = bisect_left(starts, segment.end)
        own = segment.end - segment.start
        free = own + OPEN_END
        if following < len(starts):
            free = max(own, starts[following] - segment.start - GAP)
        rooms[segment.id] = min(free, end - segment.start)
    return rooms


def assign_voices(job: Job, specs: Mapping[str, EngineSpec]) -> dict[str, VoiceRef]:
    """Return the voice of every speaker.

    Speakers whose role names no voice take the engine's stock voices in turn, in the order in
    which they first speak, those that the cast names left out while others are free.
    """
    speakers = job.speakers
    engines = {s: job.engine_of(s) for s in speakers}
    named = {(engines[s], job.role(s).voice) for s in speakers}
    assigned: dict[str, VoiceRef] = {}
    for engine in dict.fromkeys(engines.values()):
        stock = specs[engine].voices
        free = [voice for voice in stock if (engine, voice) not in named] or list(stock)
        turn = 0
        for speaker in (s for s in speakers if engines[s] == engine):
            role = job.role(speaker)
            if role.reference:
                assigned[speaker] = VoiceRef(digest=role.reference)
            elif role.voice:
                assigned[speaker] = VoiceRef(stock=role.voice)
            elif free:
                assigned[speaker] = VoiceRef(stock=free[turn % len(free)])
                turn += 1
            else:
                raise BadInput(
                    f"engine {engine!r} has no voices of its own: give the cast a reference",
                    where=f"speaker {speaker!r}",
                )
    return assigned


def _chunks(
    lines: Iterable[PlannedLine], spec: EngineSpec, language: str
) -> Iterable[tuple[PlannedLine, ...]]:
    """Cut lines, sorted by length, by the engine's budget of lines and padded seconds."""
    chunk: list[PlannedLine] = []
    for line in sorted(lines, key=lambda line: spec.foresee(line.text, language)):
        longest = spec.foresee(line.text, language)
        full = len(chunk) == spec.batch_lines or longest * (len(chunk) + 1) > spec.batch_seconds
        if chunk and full:
            yield tuple(chunk)
            chunk = []
        chunk.append(line)
    if chunk:
        yield tuple(chunk)

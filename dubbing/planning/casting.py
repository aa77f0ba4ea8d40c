"""The casting: which engine and voice speak each line, at first and when another stands in."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

from dubbing.engines.conversion import spec_of
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput, StorageRefused, StorageUnavailable
from dubbing.job import Job, Manner, Role, Segment
from dubbing.planning.outcome import Outcome
from dubbing.planning.plan import SPEED_STEP, CastLine, PlannedLine
from dubbing.planning.rooms import line_rooms
from dubbing.text.sounds import reading_of, voiced
from dubbing.voices.voice import VoiceRef

log = logging.getLogger(__name__)

Voices = Mapping[str, VoiceRef]
"""By speaker."""
AnyRole = TypeVar("AnyRole", bound=Manner)
STORAGE = frozenset({StorageUnavailable.code, StorageRefused.code})


def cast_lines(
    job: Job,
    segments: Sequence[Segment],
    specs: Mapping[str, EngineSpec],
    kept: Voices | None = None,
) -> list[CastLine]:
    """Return who speaks each of ``segments``, in their order; a silent line is spoken by nobody.

    job: the whole job, whose timeline tells each line's room.
    kept: voices that speakers were given before, and keep.
    """
    # Its rules are made when it is imported, and most of what knows casts casts nothing.
    from dubbing.text.wording import Wording  # noqa: PLC0415

    spoken = voiced(job)
    rooms = line_rooms(spoken.segments)
    segments = [segment for segment in segments if segment.id in rooms]
    speakers = list(dict.fromkeys(segment.speaker for segment in segments))
    voices = assign_voices(spoken, specs, kept, speakers)
    wording = Wording(job.language, job.pronunciations)
    return [
        CastLine(
            job.engine_of(segment.speaker),
            voices[segment.speaker],
            _line(job, segment, wording.spoken(reading_of(job, segment).words), rooms[segment.id]),
        )
        for segment in segments
    ]


def assign_voices(
    job: Job,
    specs: Mapping[str, EngineSpec],
    kept: Voices | None = None,
    speakers: Sequence[str] | None = None,
) -> dict[str, VoiceRef]:
    """Return the voice of every speaker.

    Speakers whose role names no voice keep theirs, or take the engine's stock voices in turn, in
    the order in which they first speak, those that nobody has while others are free.

    speakers: those who need one now, by default all; the others only keep what they have.
    Raises BadInput for an engine that is not known here, or has no voice left to give.
    """
    kept = kept or {}
    on = {s: (job.engine_of(s), _base(job, s, specs)) for s in job.speakers}
    told = {s: _told(job.role(s), on[s][1], kept.get(s)) for s in job.speakers}
    assigned = {s: ref for s, ref in told.items() if ref}
    taken = {(*on[s], ref.stock) for s, ref in assigned.items()}
    waiting: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for speaker in job.speakers if speakers is None else speakers:
        if speaker not in assigned:
            waiting[on[speaker]].append(speaker)
    for (engine, base), those in waiting.items():
        stock = spec_of(engine, specs, base).voices
        free = [voice for voice in stock if (engine, base, voice) not in taken] or list(stock)
        if not free:
            raise BadInput(
                f"engine {engine!r} has no voices of its own: give the cast a reference",
                where=f"speaker {those[0]!r}",
            )
        for turn, speaker in enumerate(those):
            stock_voice = free[turn % len(free)]
            assigned[speaker] = _in_stock_voice(job.role(speaker), base, stock_voice)
    return assigned


def _base(job: Job, speaker: str, specs: Mapping[str, EngineSpec]) -> str | None:
    """Return the engine below the one that speaks a speaker, if that is a converter."""
    spec = specs.get(job.engine_of(speaker))
    return job.role(speaker).base or (spec.base if spec else None)


def _told(role: Role, base: str | None, kept: VoiceRef | None) -> VoiceRef | None:
    """Return the voice that the cast tells, or that the speaker keeps."""
    if role.clone and not base:
        return VoiceRef(digest=role.clone)
    before = kept.stock if kept and kept.base == base else None
    stock = role.voice or before
    return _in_stock_voice(role, base, stock) if stock else None


def _in_stock_voice(role: Role, base: str | None, stock: str) -> VoiceRef:
    """Return the voice of a role in a stock voice, which a converter makes the role's own."""
    return VoiceRef(stock=stock, digest=role.clone, base=base)


def heard_voices(job: Job, outcomes: Mapping[str, Outcome]) -> dict[str, VoiceRef]:
    """Return the voice in which each speaker was heard most, of those whose role names none.

    A cloned voice that is converted was spoken in a stock voice too, and counts with it.
    """
    heard: dict[str, Counter[VoiceRef]] = defaultdict(Counter)
    for segment in job.segments:
        outcome = outcomes.get(segment.id)
        if outcome and outcome.batch.engine == job.engine_of(segment.speaker):
            heard[segment.speaker][outcome.batch.voice] += 1
    return {
        speaker: voices.most_common(1)[0][0]
        for speaker, voices in heard.items()
        if not job.role(speaker).voice
    }


def recast(
    job: Job,
    segments: Sequence[Segment],
    specs: Mapping[str, EngineSpec],
    engine: str = "",
    voice: str = "",
) -> Job:
    """Return ``job`` with those who speak ``segments`` on another engine, or in its stock voice.

    What the engine cannot do of what a role asks is left out. Raises BadInput for an engine that
    is not known here.
    """
    cast = dict(job.cast)
    for speaker in {segment.speaker for segment in segments}:
        name = engine or job.engine_of(speaker)
        spec = spec_of(name, specs, job.base_of(speaker, name))
        cast[speaker] = stand_in(job.role(speaker), spec, voice)
    return job.model_copy(update={"cast": cast})


def stand_in(role: AnyRole, spec: EngineSpec, voice: str = "") -> AnyRole:
    """Return ``role`` as another engine can play it."""
    slowest, fastest = spec.speed
    if not (spec.base or (spec.clones and not voice)):
        role = role.cloning(None)
    return role.model_copy(
        update={
            "engine": spec.name,
            "voice": voice or (role.voice if role.voice in spec.voices else None),
            "base": spec.base,
            "speed": min(max(role.speed, slowest), fastest),
            "pitch": role.pitch if "pitch" in spec.delivery else 0.0,
            "style": role.style if "style" in spec.delivery else "",
        }
    )


def fall_back(
    job: Job, outcomes: Mapping[str, Outcome], specs: Mapping[str, EngineSpec]
) -> list[CastLine]:
    """Return the lines that were not spoken and have another engine left, as that speaks them.

    What storage did to a line is no fault of its engine's.
    """
    waiting: dict[str, list[Segment]] = defaultdict(list)
    for segment in voiced(job).segments:
        error = outcomes[segment.id].result.error
        if not error or error.code in STORAGE:
            continue
        if engine := _next_engine(job, segment, outcomes[segment.id], specs):
            waiting[engine].append(segment)
    lines: list[CastLine] = []
    for engine, segments in waiting.items():
        cast = recast(job, segments, specs, engine)
        lines += cast_lines(cast, segments, specs, heard_voices(cast, outcomes))
    return lines


def _next_engine(
    job: Job, segment: Segment, outcome: Outcome, specs: Mapping[str, EngineSpec]
) -> str | None:
    """Return the engine that follows the one that failed; none for one that a retry named."""
    engines = job.engines_of(segment.speaker)
    if outcome.batch.engine not in engines:
        return None
    later = engines[engines.index(outcome.batch.engine) + 1 :]
    if unknown := [engine for engine in later if engine not in specs]:
        log.warning("%s: no worker has made %s known", job.id, " and ".join(unknown))
    return next((engine for engine in later if engine in specs), None)


def _line(job: Job, segment: Segment, spoken: str, room: float) -> PlannedLine:
    role = job.role(segment.speaker)
    return PlannedLine(
        id=segment.id,
        spoken=spoken,
        speed=round(round(role.speed / SPEED_STEP) * SPEED_STEP, 2),
        pitch=role.pitch,
        style=role.style,
        seed=job.seed,
        # To the millisecond: a line that is moved as it is remains the same line.
        room=round(room, 3),
        max_rate=job.fit.max_rate,
    )

"""Casting: the engine and voice of each line, in the first round and as a fallback."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from dubbing.engines.conversion import spec_of
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput, StorageRefused, StorageUnavailable
from dubbing.job import Job, Manner, Role, Segment
from dubbing.job.job import DIGEST
from dubbing.planning.emotions import honoured
from dubbing.planning.outcome import Outcome
from dubbing.planning.plan import SPEED_STEP, CastLine, PlannedLine
from dubbing.planning.rooms import line_rooms
from dubbing.text.sounds import utterance_of, voiced
from dubbing.voices.voice import VoiceRef

if TYPE_CHECKING:
    from dubbing.text.wording import Wording

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
    wording: Wording | None = None,
) -> list[CastLine]:
    """Return the line, engine and voice of each of ``segments``, in order, without silent ones.

    job: the whole job; its timeline gives each line's room, and its segments its text and manner.
    kept: voices that speakers got earlier and keep. wording: the job's wording, if the caller
    already has it.
    """
    # Importing it compiles its rules, which most importers of this module do not need.
    from dubbing.text.wording import Wording  # noqa: PLC0415

    spoken = voiced(job)
    rooms = line_rooms(spoken.segments, tail=job.fit.max_tail)
    wanted = {segment.id for segment in segments}
    segments = [segment for segment in spoken.segments if segment.id in wanted]
    speakers = list(dict.fromkeys(segment.speaker for segment in segments))
    voices = assign_voices(spoken, specs, kept, speakers)
    wording = wording or Wording(job.language, job.pronunciations)
    return [
        CastLine(
            job.engine_of(segment.speaker),
            _voice_of(segment, voices[segment.speaker]),
            _line(
                job, segment, wording.spoken(utterance_of(job, segment).words), rooms[segment.id]
            ),
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

    A speaker whose role names no voice keeps an earlier one. Other speakers take the engine's stock
    voices in turn, in the order in which they first speak; unused voices come first.

    speakers: the speakers who need a voice now, by default all; others only keep an earlier voice.
    Raises BadInput for an unknown engine, or one without stock voices.
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
    for (engine, base), unvoiced in waiting.items():
        stock = spec_of(engine, specs, base).stock(job.language)
        free = [voice for voice in stock if (engine, base, voice) not in taken] or list(stock)
        if not free:
            raise BadInput(
                f"engine {engine!r} has no voices of its own: give the cast a reference",
                where=f"speaker {unvoiced[0]!r}",
            )
        for turn, speaker in enumerate(unvoiced):
            stock_voice = free[turn % len(free)]
            assigned[speaker] = _in_stock_voice(job.role(speaker), base, stock_voice)
    return assigned


def _base(job: Job, speaker: str, specs: Mapping[str, EngineSpec]) -> str | None:
    """Return the base engine of a speaker's engine, if that engine is a converter."""
    spec = specs.get(job.engine_of(speaker))
    return job.role(speaker).base or (spec.base if spec else None)


def _told(role: Role, base: str | None, kept: VoiceRef | None) -> VoiceRef | None:
    """Return the voice that the role names, or that the speaker keeps."""
    if role.clone and not base:
        return VoiceRef(digest=role.clone)
    before = kept.stock if kept and kept.base == base else None
    stock = role.voice or before
    return _in_stock_voice(role, base, stock) if stock else None


def _in_stock_voice(role: Role, base: str | None, stock: str) -> VoiceRef:
    """Return a role's voice with ``stock``; a converter turns that into the cloned voice."""
    return VoiceRef(stock=stock, digest=role.clone, base=base)


def _voice_of(segment: Segment, usual: VoiceRef) -> VoiceRef:
    """Return the voice of a segment. usual: its speaker's, of which a converter keeps a part."""
    if segment.voice is None:
        return usual
    if DIGEST.fullmatch(segment.voice):
        return VoiceRef(
            stock=usual.stock if usual.base else None, digest=segment.voice, base=usual.base
        )
    return VoiceRef(
        stock=segment.voice, digest=usual.digest if usual.base else None, base=usual.base
    )


def heard_voices(job: Job, outcomes: Mapping[str, Outcome]) -> dict[str, VoiceRef]:
    """Return the most frequent voice of each speaker whose role names none.

    A converted clone and its stock voice are one voice. Lines with their own voice do not count.
    """
    heard: dict[str, Counter[VoiceRef]] = defaultdict(Counter)
    for segment in job.segments:
        outcome = outcomes.get(segment.id)
        if segment.voice or not outcome:
            continue
        if outcome.batch.engine == job.engine_of(segment.speaker):
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
    """Return ``job`` with another engine or stock voice for the speakers of ``segments``.

    Requests of a role or segment that the engine cannot meet are dropped. Raises BadInput for an
    unknown engine.
    """
    on: dict[str, EngineSpec] = {}
    for speaker in {segment.speaker for segment in segments}:
        name = engine or job.engine_of(speaker)
        on[speaker] = spec_of(name, specs, job.base_of(speaker, name))
    cast = {speaker: stand_in(job.role(speaker), spec, voice) for speaker, spec in on.items()}
    spoken = tuple(
        _stand_in_line(segment, on[segment.speaker], voice) if segment.speaker in on else segment
        for segment in job.segments
    )
    return job.model_copy(update={"cast": {**job.cast, **cast}, "segments": spoken})


def _stand_in_line(segment: Segment, spec: EngineSpec, voice: str) -> Segment:
    """Return a segment with only the requests that another engine or voice can meet."""
    if segment.emotion is None and segment.voice is None and segment.speed is None:
        return segment
    slowest, fastest = spec.speed
    kept = not voice and not own_voice_fault(segment.voice, spec)
    return segment.model_copy(
        update={
            "emotion": honoured(segment.emotion, spec),
            "voice": segment.voice if kept else None,
            "speed": segment.speed and min(max(segment.speed, slowest), fastest),
        }
    )


def own_voice_fault(voice: str | None, spec: EngineSpec) -> str | None:
    """Return why an engine cannot speak a line in a voice of the line's own, or None."""
    if voice is None or voice in spec.voices:
        return None
    if not DIGEST.fullmatch(voice):
        return f"engine {spec.name!r} has no voice {voice!r}"
    return None if spec.clones else f"engine {spec.name!r} does not clone voices"


def stand_in(role: AnyRole, spec: EngineSpec, voice: str = "") -> AnyRole:
    """Return ``role`` without the requests that another engine cannot meet."""
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
            "emotion": honoured(role.emotion, spec),
        }
    )


def fall_back(
    job: Job, outcomes: Mapping[str, Outcome], specs: Mapping[str, EngineSpec]
) -> list[CastLine]:
    """Return the failed lines that have another engine left, cast for that engine.

    Lines whose takes have wrong words count as failed. Lines that failed because of storage are
    left out: their engine is not at fault.
    """
    waiting: dict[str, list[Segment]] = defaultdict(list)
    for segment in voiced(job).segments:
        result = outcomes[segment.id].result
        blamed = result.error and result.error.code not in STORAGE
        if not blamed and not result.misspoken:
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
    """Return the next engine of the segment's speaker, or None.

    A line that a retry gave to an engine outside of the job's list has no next engine.
    """
    engines, failed = job.engines_of(segment.speaker), outcome.tried or outcome.batch.engine
    if failed not in engines:
        return None
    later = engines[engines.index(failed) + 1 :]
    if unknown := [engine for engine in later if engine not in specs]:
        log.warning("%s: no worker has made %s known", job.id, " and ".join(unknown))
    return next((engine for engine in later if engine in specs), None)


def _line(job: Job, segment: Segment, spoken: str, room: float) -> PlannedLine:
    role = job.role(segment.speaker)
    return PlannedLine(
        id=segment.id,
        spoken=spoken,
        speed=round(round((segment.speed or role.speed) / SPEED_STEP) * SPEED_STEP, 2),
        pitch=role.pitch,
        style=role.style,
        emotion=segment.emotion or role.emotion,
        seed=job.seed,
        # To the millisecond, so that shifting a cue in time leaves its line unchanged.
        room=round(room, 3),
        max_rate=job.fit.max_rate,
        min_pause=job.fit.min_pause,
    )

"""Checks of a job before anything is queued.

One error lists everything that cannot be dubbed, each line by its cue. Lines that will be dubbed
but may not sound as intended return as cautions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

import langcodes

from dubbing.documents import ENOUGH, listed, nearest
from dubbing.engines.conversion import spec_of
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput
from dubbing.job import LONGEST_PROGRAMME, Manner, Request, Segment
from dubbing.job.caution import Caution, Code
from dubbing.planning.casting import own_voice_fault, stand_in
from dubbing.planning.emotions import emotion_fault
from dubbing.planning.spoken import SpokenSegment, spoken_segments
from dubbing.text.characters import normalise, script_mismatch
from dubbing.text.sounds import voiced
from dubbing.text.wording import Wording
from dubbing.voices.names import is_digest

SHOWN = 5
"""Maximum number of cautions about sounds and lyrics of one line."""
SUGGESTED = 10
"""Maximum number of roles without a line for which a speaker is suggested."""


def check(
    job: Request,
    specs: Mapping[str, EngineSpec],
    *,
    film_seconds: float | None = None,
    voices: Sequence[str] = (),
    wording: Wording | None = None,
) -> list[Caution]:
    """Return cautions about lines that may not sound as intended.

    job: with normalised texts, an engine for roles that name none, a reference for roles that name
    a stored voice, and a digest for stored voices of emotions.
    specs: specs of all engines, by name.
    film_seconds: length of the media, if there is any.
    voices: names of the stored voices, to suggest one for a misspelled name.
    wording: the job's wording, if the caller needs it afterwards.

    Raises one BadInput that lists everything that must be changed.
    """
    spoken = voiced(job)
    known: dict[str, list[EngineSpec]] = {speaker: [] for speaker in spoken.speakers}
    lines: list[SpokenSegment] = []
    wording = wording or Wording(job.language, job.pronunciations)
    faults = chain(
        _whole(job),
        _emotions(job, voices),
        _engines(job, specs, voices, known),
        _lines(job, wording, known, film_seconds, lines, voices),
    )
    if found := list(islice(faults, ENOUGH)):
        raise BadInput(listed(found))
    return [
        *_roles(job, known),
        *_cautions(job, lines, film_seconds),
        *_overlaps(spoken.segments),
    ]


def _engines(
    job: Request,
    specs: Mapping[str, EngineSpec],
    voices: Sequence[str],
    known: dict[str, list[EngineSpec]],
) -> Iterator[str]:
    """Yield the faults of the speakers' engines and roles; add the engines' specs to ``known``."""
    for speaker, found in known.items():
        for engine in job.engines_of(speaker):
            try:
                spec = spec_of(engine, specs, job.base_of(speaker, engine))
            except BadInput as exc:
                yield f"speaker {speaker!r}: {exc}"
            else:
                found.append(spec)
                yield from _cast(job, speaker, spec, voices)


def _lines(
    job: Request,
    wording: Wording,
    known: Mapping[str, list[EngineSpec]],
    film_seconds: float | None,
    lines: list[SpokenSegment],
    voices: Sequence[str],
) -> Iterator[str]:
    """Yield the faults of the lines; add every line with its spoken words to ``lines``."""
    limits = {
        speaker: min(spec.limit(job.language) for spec in found)
        for speaker, found in known.items()
        if found
    }
    for segment, line in spoken_segments(job, limits, wording):
        if isinstance(line, str):
            yield f"{cue_name(segment)}: {line}"
            continue
        for fault in _line(line, job, known, film_seconds, voices):
            yield f"{cue_name(segment)}: {fault}"
        lines.append(line)


def _whole(job: Request) -> Iterator[str]:
    """Yield the faults of the job as a whole."""
    if not langcodes.tag_is_valid(job.language):
        yield f"language {job.language!r} is no BCP 47 tag, such as de or pt-BR"
    if not job.segments:
        yield "the job has no lines: give it a script with at least one cue"
    for id_, times in Counter(segment.id for segment in job.segments).items():
        if times > 1:
            yield f"cue {id_}: {times} lines have this id; give each its own"
    if job.cut_from_film and not job.media:
        names = " and ".join(map(repr, job.cut_from_film))
        yield f"the voice of {names} comes from the film: name the media"
    if job.media_track and not job.media:
        yield f"media_track {job.media_track!r} is a sound track of a film: name the media"
    if job.background.mode == "separate" and not job.media:
        yield "background 'separate' takes the speech out of the film's sound: name the media"
    if job.films and not job.media:
        yield f"output {' and '.join(job.films)} needs a film: name the media"


def _emotions(job: Request, voices: Sequence[str]) -> Iterator[str]:
    """Yield the emotions that name a voice which is not stored."""
    for speaker, emotion in job.emotions:
        if emotion.voice and not is_digest(emotion.voice):
            close = nearest(emotion.voice, [*voices])
            yield f"emotion of {speaker!r}: there is no stored voice {emotion.voice!r}; {close}"


def _cast(job: Request, speaker: str, spec: EngineSpec, voices: Sequence[str]) -> Iterator[str]:
    """Yield why the engine of ``spec`` cannot speak a speaker's lines."""
    who = f"speaker {speaker!r}"
    if not spec.covers(job.language):
        spoken = ", ".join(spec.languages[:20]) + (", …" if len(spec.languages) > 20 else "")
        yield f"{who}: engine {spec.name!r} does not speak {job.language!r}, but {spoken}"
    role = job.role(speaker)
    if spec.name != job.engine_of(speaker):
        role = stand_in(role, spec)
    for fault in _role(role, spec, voices):
        yield f"{who}: {fault}"


def _role(role: Manner, spec: EngineSpec, voices: Sequence[str]) -> Iterator[str]:
    engine = f"engine {spec.name!r}"
    if role.cloned and not spec.clones:
        yield f"{engine} does not clone voices: remove the reference, or name another engine"
    elif role.cloned and role.voice and not spec.base:
        yield "give the role a voice or a reference, not both"
    elif role.voice and role.voice not in spec.voices:
        known = [*voices, *spec.voices]
        yield f"{engine} has no voice {role.voice!r}; {nearest(role.voice, known)}"
    if spec.base and not role.cloned:
        yield f"{engine} converts speech into a reference's voice: give the role a reference"
    if not spec.voices and (spec.base or not spec.clones):
        speaks = spec.base or spec.name
        yield f"engine {speaks!r} has no model here, and none of its workers has run"
    elif not (role.voice or role.cloned or spec.voices):
        yield f"{engine} has no voices of its own: give the role a reference"
    slowest, fastest = spec.speed
    if not slowest <= role.speed <= fastest:
        yield f"{engine} speaks at a speed of {slowest:g} to {fastest:g}, not {role.speed:g}"
    if role.pitch and "pitch" not in spec.delivery:
        yield f"{engine} cannot change the pitch: remove it"
    if role.style and "style" not in spec.delivery:
        yield f"{engine} knows no style: remove it"
    if fault := emotion_fault(role.emotion, spec):
        yield fault


def _line(
    line: SpokenSegment,
    job: Request,
    known: Mapping[str, list[EngineSpec]],
    film_seconds: float | None,
    voices: Sequence[str],
) -> Iterator[str]:
    """Yield why a line cannot be spoken or placed."""
    segment, said = line.segment, line.said
    for spec in () if line.silent else known[segment.speaker]:
        if len(said) > (limit := spec.limit(job.language)):
            yield (
                f"{len(said)} characters{_as_spoken(line)} are more than the {limit} that "
                f"engine {spec.name!r} speaks at once: split the cue"
            )
        if spec.name == job.engine_of(segment.speaker):
            yield from _own(segment, spec, voices)
    if segment.end > LONGEST_PROGRAMME:
        # Its times are probably in milliseconds.
        yield "it ends after more than 24 hours: times are in seconds"
    elif not line.silent and film_seconds is not None and segment.start >= film_seconds:
        yield f"it starts after the film's end at {_time(film_seconds)}"


def _own(segment: Segment, spec: EngineSpec, voices: Sequence[str]) -> Iterator[str]:
    """Yield why the speaker's engine cannot meet a line's own requests."""
    if fault := emotion_fault(segment.emotion, spec):
        yield fault
    if fault := own_voice_fault(segment.voice, spec):
        named = segment.voice and not is_digest(segment.voice)
        yield (
            f"{fault}; {nearest(segment.voice or '', [*voices, *spec.voices])}" if named else fault
        )
    slowest, fastest = spec.speed
    if segment.speed and not slowest <= segment.speed <= fastest:
        yield (
            f"engine {spec.name!r} speaks at a speed of {slowest:g} to {fastest:g}, not "
            f"{segment.speed:g}"
        )


def _roles(job: Request, speaking: Iterable[str]) -> Iterator[Caution]:
    speakers = sorted({segment.speaker for segment in job.segments})
    unheard = sorted(job.cast.keys() - set(speakers))
    for name in unheard[:SUGGESTED]:
        close = nearest(name, speakers)
        yield Caution(code="role", segment=None, message=f"no line is spoken by {name!r}; {close}")
    if (more := len(unheard) - SUGGESTED) > 0:
        message = f"{more} more roles of the cast speak no line"
        yield Caution(code="role", segment=None, message=message)
    if job.cast:
        for name in sorted(speaking - job.cast.keys()):
            message = f"{name!r} is not in the cast, and gets one of the engine's voices"
            yield Caution(code="role", segment=None, message=message)


def _cautions(
    job: Request, lines: Sequence[SpokenSegment], film_seconds: float | None
) -> Iterator[Caution]:
    for line in lines:
        segment = line.segment
        yield from _asides(line)
        mismatch = None if line.silent else script_mismatch(line.utterance.words, job.language)
        if mismatch:
            words = f"it has words in {mismatch}, for {job.language!r}: its voice may not read them"
            yield _caution("script", segment, words)
        if film_seconds is not None and segment.end > film_seconds:
            words = f"it ends after the film's end at {_time(film_seconds)}"
            yield _caution("beyond_film", segment, words)


def _asides(line: SpokenSegment) -> Iterator[Caution]:
    """Yield cautions about sounds and lyrics in a line, left out or spoken, and silent lines."""
    segment, asides = line.segment, line.utterance.asides
    so = ": the line is silent" if line.silent else ""
    if line.silent and not asides:
        shown = f"{segment.text[:40]!r} holds nothing" if segment.text else "there is nothing"
        yield _caution("silent", segment, f"{shown} to speak{so}")
    for aside in asides[:SHOWN]:
        like = "a sound" if aside.kind == "sound" else "lyrics"
        became = "is spoken" if aside.spoken else f"is left unsaid{so}"
        yield _caution(aside.kind, segment, f"{aside.text[:60]!r} looks like {like} and {became}")
    if (more := len(asides) - SHOWN) > 0:
        yield _caution("sound", segment, f"{more} more of its parts look like sounds or lyrics{so}")


def _overlaps(segments: Iterable[Segment]) -> Iterator[Caution]:
    """Yield cautions about lines that begin before another line has ended."""
    own: dict[str, Segment] = {}
    # Of the lines so far: the one that ends last, and the one of other speakers that ends last.
    last: Segment | None = None
    other: Segment | None = None
    for segment in sorted(segments, key=lambda segment: segment.start):
        before = own.get(segment.speaker)
        foreign = other if last and last.speaker == segment.speaker else last
        if before and segment.start < before.end:
            yield _caution("overlap", segment, _still(before, segment))
        if foreign and segment.start < foreign.end:
            yield _caution("crosstalk", segment, _still(foreign, segment))
        if before is None or segment.end > before.end:
            own[segment.speaker] = segment
        if last is None or segment.end > last.end:
            other = last if last and last.speaker != segment.speaker else other
            last = segment
        elif segment.speaker != last.speaker and (other is None or segment.end > other.end):
            other = segment


def _still(before: Segment, segment: Segment) -> str:
    seconds = before.end - segment.start
    return f"{before.speaker} is still at cue {before.id} for {seconds:.2f} s"


def _as_spoken(line: SpokenSegment) -> str:
    """Return a hint that the counted text differs from the written one, or nothing."""
    text = normalise(line.segment.text)
    return "" if line.said == text else f", as {text[:60]!r} is spoken,"


def _caution(code: Code, segment: Segment, message: str) -> Caution:
    return Caution(code=code, segment=segment.id, message=f"{cue_name(segment)}: {message}")


def cue_name(segment: Segment) -> str:
    """Return the id of a segment and when it starts, as errors and cautions name it."""
    return f"cue {segment.id} at {_time(segment.start)}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d}:{rest:06.3f}"

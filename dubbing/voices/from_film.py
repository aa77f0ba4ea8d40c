"""Voices from the film: a speaker's own lines become the reference of that speaker's voice.

Cues that no other speaker overlaps are cut from the film's sound, and the best stretches that
together are long enough are kept. The film is decoded once for all speakers, and only those
stretches are held in memory.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from dubbing.errors import BadInput
from dubbing.job import Segment
from dubbing.media import probe as media
from dubbing.media.samples import Audio, Samples
from dubbing.voices import reference
from dubbing.voices.reference import Prepared, Recording
from dubbing.voices.voice import Voice, voice_digest

ENOUGH = 30.0
"""Most seconds of a voice, unless an engine takes less."""
LEAST = 3.0
"""Fewest seconds of a voice, unless an engine needs more."""
SHORTEST = 0.8
"""Fewest seconds of a stretch: shorter ones are shouts and parts of words."""
LONGEST = 15.0
"""Most seconds of a stretch; longer cues are cut into several."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time in which one speaker speaks alone, in frames of `media.RATE`."""

    first: int
    last: int
    speaker: str


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """The speech of one span."""

    first: int
    speech: Prepared

    @property
    def worth(self) -> float:
        """Decibels of speech over noise, capped; twice as much speech is worth 3 dB more."""
        heard = self.speech.judgement
        return min(heard.snr, 2 * reference.GOOD_SNR) + 10 * float(np.log10(heard.speech))


def cut_voices(
    film: Path,
    segments: Sequence[Segment],
    wanted: Mapping[str, tuple[float, float]],
    source: str,
    *,
    track: str | None = None,
) -> dict[str, Recording]:
    """Return the voice of each speaker in ``wanted``, cut from the film's own sound.

    wanted: the least and the most seconds that the engines of each speaker take, by speaker.
    source: the film's name in the voice's provenance. track: the sound track, as in `media.probe`.
    The same film and cues always give identical samples. Raises BadInput, naming the speaker, for
    too little clean speech.
    """
    kept: dict[str, list[Stretch]] = {speaker: [] for speaker in wanted}
    for span, sound in _sounds(film, track, spans(segments, wanted)):
        samples = soxr.resample(sound, media.RATE, reference.RATE)
        speech = reference.prepare_sound(Audio(samples=samples, rate=reference.RATE))
        if speech.audio.seconds >= SHORTEST and not reference.fault_of(speech.judgement):
            best = kept[span.speaker]
            best.append(Stretch(first=span.first, speech=speech))
            _drop_the_worst(best, wanted[span.speaker][1])
    return {
        speaker: _voice(speaker, stretches, wanted[speaker], source)
        for speaker, stretches in kept.items()
    }


def spans(segments: Sequence[Segment], speakers: Iterable[str]) -> list[Span]:
    """Return the spans in which each of ``speakers`` speaks alone, in order of time.

    A cue that another speaker's cue overlaps is left out whole: cue times are only approximate.
    """
    starts = np.array([segment.start for segment in segments])
    ends = np.array([segment.end for segment in segments])
    who = np.array([segment.speaker for segment in segments])
    alone: list[Span] = []
    for speaker in speakers:
        last = 0.0
        for cue in sorted((s for s in segments if s.speaker == speaker), key=lambda s: s.start):
            start, last = max(cue.start, last), max(cue.end, last)
            others = (starts < cue.end) & (ends > cue.start) & (who != speaker)
            if not others.any():
                alone += _pieces(start, cue.end, speaker)
    return sorted(alone, key=lambda span: span.first)


def _pieces(start: float, end: float, speaker: str) -> Iterator[Span]:
    """Yield a cue's time as spans of at most `LONGEST` seconds."""
    first, last, longest = (round(seconds * media.RATE) for seconds in (start, end, LONGEST))
    for at in range(first, last, longest):
        yield Span(first=at, last=min(at + longest, last), speaker=speaker)


def _sounds(film: Path, track: str | None, spans: Iterable[Span]) -> Iterator[tuple[Span, Samples]]:
    """Yield each span that lies wholly within the film, with its sound."""
    waiting = deque(spans)
    parts: list[Samples] = []
    at = 0
    for block in media.decode(film, 1, track=track):
        end = at + len(block)
        while waiting and waiting[0].first < end:
            span = waiting[0]
            parts.append(block[max(0, span.first - at) : span.last - at, 0].copy())
            if span.last > end:
                break
            yield span, np.concatenate(parts)
            parts = []
            waiting.popleft()
        at = end
        if not waiting:
            return


def _drop_the_worst(stretches: list[Stretch], enough: float) -> None:
    """Keep only the best stretches that are needed for ``enough`` seconds."""
    stretches.sort(key=lambda stretch: -stretch.worth)
    while _seconds(stretches[:-1]) >= enough:
        stretches.pop()


def _voice(
    speaker: str, stretches: list[Stretch], wanted: tuple[float, float], source: str
) -> Recording:
    """Return ``stretches``, sorted best first, as one voice in order of time."""
    least, most = wanted
    if (over := _seconds(stretches) - most) > 0:
        stretches = [*stretches[:-1], *_shortened(stretches[-1], over)]
    if (seconds := _seconds(stretches)) < least:
        raise BadInput(
            f"{seconds:.1f} s of clean speech are heard in the film where {speaker!r} speaks and "
            f"nobody else does, and {least:g} s are needed: give the role a reference",
            where=source,
        )
    in_time = sorted(stretches, key=lambda stretch: stretch.first)
    whole = reference.join([stretch.speech for stretch in in_time])
    sound = (np.clip(whole.audio.samples, -1, 1) * 32767).astype("<i2")
    return Recording(
        voice=Voice(
            digest=voice_digest([hashlib.sha256(sound.tobytes()).hexdigest()]),
            seconds=whole.audio.seconds,
            provenance=(f"source: {source}, speaker {speaker}",),
            judgement=whole.judgement,
        ),
        audio=whole.audio,
    )


def _shortened(stretch: Stretch, over: float) -> list[Stretch]:
    """Return the stretch without its last ``over`` seconds, or nothing if too little is left."""
    audio = stretch.speech.audio
    left = len(audio.samples) - round(over * audio.rate) - 1
    if left < SHORTEST * audio.rate:
        return []
    shorter = Audio(samples=reference.splice([audio.samples[:left]]), rate=audio.rate)
    heard = stretch.speech.judgement
    heard = heard.model_copy(update={"speech": round(min(heard.speech, shorter.seconds), 2)})
    return [Stretch(first=stretch.first, speech=Prepared(audio=shorter, judgement=heard))]


def _seconds(stretches: Sequence[Stretch]) -> float:
    return sum(stretch.speech.audio.seconds for stretch in stretches)

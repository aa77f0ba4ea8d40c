"""Prediction of lines whose text is too long for their time, before any line is spoken."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from dubbing.engines.conversion import spec_of
from dubbing.engines.engine import EngineSpec, weight
from dubbing.job import Job
from dubbing.job.caution import Caution
from dubbing.planning.check import cue_name
from dubbing.planning.overrun import characters_over, words_of
from dubbing.planning.pace import VoiceIn
from dubbing.planning.plan import CastLine
from dubbing.planning.rooms import line_rooms
from dubbing.text.sounds import voiced

Measured = Callable[[Iterable[VoiceIn]], Mapping[VoiceIn, float]]
"""Returns the measured paces of voices, like `Paces.of`."""
UNHEARD = 0.005
"""Seconds; nobody hears a shorter overlap, and the message would call it 0.00 s."""


def dense(
    job: Job,
    lines: Sequence[CastLine],
    specs: Mapping[str, EngineSpec],
    measured: Measured,
    film_seconds: float | None = None,
) -> Iterator[Caution]:
    """Yield a caution for each line that does not fit at its highest rate.

    lines: of the whole job. specs: by engine; they give the pace of voices without a measured
    pace. film_seconds: length of the media, if there is any.
    """
    segments = {segment.id: segment for segment in job.segments}
    end = math.inf if film_seconds is None else film_seconds
    rooms = line_rooms(voiced(job).segments, end, job.fit.max_tail, gap=0.0)
    voices = [VoiceIn(engine, voice.identity, job.language) for engine, voice, _ in lines]
    paces = measured(voices)
    for voice, (engine, ref, line) in zip(voices, lines, strict=True):
        pace = paces.get(voice) or spec_of(engine, specs, ref.base).pace(job.language)
        seconds = weight(line.spoken) / (pace * line.speed * line.max_rate)
        segment, room = segments[line.id], rooms[line.id]
        if seconds - room >= UNHEARD and characters_over(segment.text, seconds, room):
            words = f"{cue_name(segment)}: it may run {words_of(segment.text, seconds, room)}"
            yield Caution(code="too_dense", segment=segment.id, message=words)

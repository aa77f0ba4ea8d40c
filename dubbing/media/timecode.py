"""The time of day at which a film begins by its timecode, as studios set it: often an hour.

A Broadcast Wave says it, too, as a number of samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from dubbing.media.probe import RATE

TAG = "timecode"
"""In capitals in a Matroska file."""
SAMPLES = "time_reference"
"""The tag of a Broadcast Wave."""
_NEAR = 2e-4
"""Share by which a film's rate may miss that of its timecode, because Matroska rounds the times of
frames. The nearest two rates, 23.976 and 24, are five times further apart."""


def begins_at(film: Path) -> int:
    """Return a film's first frame by its timecode, counted from midnight at 48 kHz; 0 without one.

    A time between two samples is rounded up, because tools that count whole frames before it would
    count one less at the earlier sample.
    film: a film or sound file that `media.probe` accepts.
    """
    import av  # noqa: PLC0415 (loads slowly)

    with av.open(film) as container:
        parts = (container, *container.streams)
        told = (part.metadata.items() for part in reversed(parts))
        tags = {name.lower(): value for items in told for name, value in items}
        rates = [
            rate
            for track in container.streams.video
            for rate in (track.average_rate, track.guessed_rate)
            if rate
        ]
        sampled = next((track.rate for track in container.streams.audio), RATE)
    if TAG in tags:
        seconds = _seconds(tags[TAG], rates)
    else:
        samples = tags.get(SAMPLES, "")
        seconds = Fraction(int(samples), sampled) if samples.isdecimal() else Fraction(0)
    return math.ceil(seconds * RATE)


def _seconds(timecode: str, rates: Iterable[Fraction]) -> Fraction:
    """Return the time of a timecode; 0 for a damaged one, or for a film of a rate that has none."""
    from opentimelineio.opentime import RationalTime, from_timecode  # noqa: PLC0415 (loads slowly)

    for rate in rates:
        near = RationalTime.nearest_smpte_timecode_rate(float(rate))
        if abs(near / rate - 1) < _NEAR:
            try:
                frames: int = from_timecode(timecode, near).to_frames()
            except ValueError:
                return Fraction(0)
            return frames / Fraction(near).limit_denominator(1001)
    return Fraction(0)

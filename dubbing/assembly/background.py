"""What is heard under the speech: the film's own sound, made low or brought in, block after block.

Every change follows an envelope of straight lines, so nothing clicks, and blocks may part it
anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from dubbing.job import Background
from dubbing.media.probe import RATE
from dubbing.media.samples import Samples

FADE = 0.03
"""Seconds in which the film's own sound comes in before a missing line, and goes after it."""

Span = tuple[float, float]
"""Start and end, in seconds from the film's first frame."""


class Envelope:
    """A share that is 1 within some spans, 0 away from them, and in between on straight lines."""

    def __init__(self, spans: Iterable[Span], *, attack: float, release: float):
        """Take in the spans, in any order, and the seconds that the lines up and down take.

        In a gap too short to go down and up again the share turns where the two lines meet.
        """
        points: list[tuple[float, float]] = []
        end: float | None = None
        for start, stop in sorted(spans):
            if end is None:
                points += [(start - attack, 0.0), (start, 1.0)]
            elif start > end:
                points += [*_gap(end, start, attack, release), (start, 1.0)]
            end = max(stop, end or stop)
        if end is not None:
            points += [(end, 1.0), (end + release, 0.0)]
        self._times, self._shares = np.array(points or [(0.0, 0.0)]).T

    def at(self, first: int, frames: int) -> npt.NDArray[np.float32]:
        """Return the share at each of ``frames`` frames from ``first`` on, ``(frames, 1)``."""
        times = np.arange(first, first + frames) / RATE
        near = slice(
            max(0, int(np.searchsorted(self._times, times[0])) - 1),
            int(np.searchsorted(self._times, times[-1], side="right")) + 1,
        )
        shares = np.interp(times, self._times[near], self._shares[near])
        return np.asarray(shares[:, None], np.float32)


def duck(
    blocks: Iterable[Samples],
    spoken: Iterable[Span],
    settings: Background,
    missing: Iterable[Span] = (),
) -> Iterator[Samples]:
    """Lower the film's sound while somebody speaks, from a line's first sample to its last.

    blocks: float32 ``(n, channels)``.
    spoken: when each line is heard. The way down and up is linear in dB.
    missing: when lines would have been spoken; there the sound stays as it is, whoever else speaks.
    """
    down = Envelope(spoken, attack=settings.attack, release=settings.release)
    kept = Envelope(missing, attack=FADE, release=FADE)
    whole = np.float32(-settings.depth * np.log(10) / 20)
    first = 0
    for block in blocks:
        share = down.at(first, len(block)) * (1 - kept.at(first, len(block)))
        yield block * np.exp(share * whole)
        first += len(block)


def keep(
    under: Iterable[Samples], own: Iterable[Samples], missing: Iterable[Span]
) -> Iterator[Samples]:
    """Put the film's own sound, as it is, in place of ``under`` for the time of missing lines.

    under, own: blocks of one length, float32 ``(n, channels)``; either may end before the other,
    and is silent from there. Both may hold the same music, so the crossfade is linear.
    missing: when the lines would have been spoken.
    """
    envelope = Envelope(missing, attack=FADE, release=FADE)
    first = 0
    for bed, film in zip_longest(under, own):
        held = [block for block in (bed, film) if block is not None]
        mixed = np.zeros_like(max(held, key=len))
        share = envelope.at(first, len(mixed))
        if bed is not None:
            mixed[: len(bed)] = bed * (1 - share[: len(bed)])
        if film is not None:
            mixed[: len(film)] += film * share[: len(film)]
        first += len(mixed)
        yield mixed


def _gap(end: float, start: float, attack: float, release: float) -> Sequence[tuple[float, float]]:
    """Return the bends between two spans."""
    both = attack + release
    gap = start - end
    if gap >= both:
        return [(end, 1.0), (end + release, 0.0), (start - attack, 0.0)]
    return [(end, 1.0), (end + gap * release / both, 1 - gap / both)]

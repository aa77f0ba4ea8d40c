"""The sound under the speech: the film's own sound, ducked or faded in, block by block.

Every change follows an envelope of straight lines, so nothing clicks, and a block may begin or end
anywhere in it.
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
"""Seconds over which the film's own sound fades in before a missing line and out after it."""

Span = tuple[float, float]
"""Start and end, in seconds from the film's first frame."""


class Envelope:
    """A share that is 1 within given spans, 0 away from them, and linear in between."""

    def __init__(self, spans: Iterable[Span], *, attack: float, release: float):
        """Take spans in any order, and the seconds that each rise and fall takes.

        In a gap too short for a full fall and rise, the share turns where the two lines meet.
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
        near = slice(
            max(0, int(np.searchsorted(self._times, first / RATE)) - 1),
            int(np.searchsorted(self._times, (first + frames - 1) / RATE, side="right")) + 1,
        )
        shares = self._shares[near]
        if shares.min() == shares.max():
            # Away from every span, or within one: mostly so for missing lines.
            return np.full((frames, 1), shares[0], np.float32)
        times = np.arange(first, first + frames) / RATE
        return np.asarray(np.interp(times, self._times[near], shares)[:, None], np.float32)


def duck(
    blocks: Iterable[Samples],
    spoken: Iterable[Span],
    settings: Background,
    missing: Iterable[Span] = (),
) -> Iterator[Samples]:
    """Lower the film's sound while somebody speaks, from a line's first sample to its last.

    blocks: float32 ``(n, channels)``.
    spoken: when each line is heard. Fades are linear in dB.
    missing: when missing lines would have been heard; the sound stays unchanged there, even while
    somebody else speaks.
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
    """Replace ``under`` by the film's own sound, unchanged, for the time of missing lines.

    under, own: blocks of one length, float32 ``(n, channels)``. The one that ends first is silent
    from there on. Both may hold the same music, so the crossfade is linear.
    missing: when the missing lines would have been heard.
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

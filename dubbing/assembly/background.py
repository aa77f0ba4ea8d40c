"""The sound under the speech, block by block, with the film's own sound where lines are missing.

The fades follow an envelope of straight lines, so nothing clicks, and a block may begin or end
within a fade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from dubbing.media.probe import RATE
from dubbing.media.samples import Samples

FADE = 0.03
"""Seconds over which the film's own sound fades in before a missing line and out after it."""

Span = tuple[float, float]
"""Start and end, in seconds from the film's first frame."""


class Envelope:
    """A share that is 1 within given spans, 0 away from them, and linear over ``FADE`` between."""

    def __init__(self, spans: Iterable[Span]):
        """Take spans in any order; in a gap shorter than two fades, the share turns half-way."""
        points: list[tuple[float, float]] = []
        end: float | None = None
        for start, stop in sorted(spans):
            if end is None:
                points += [(start - FADE, 0.0), (start, 1.0)]
            elif start > end:
                points += [*_gap(end, start), (start, 1.0)]
            end = max(stop, end or stop)
        if end is not None:
            points += [(end, 1.0), (end + FADE, 0.0)]
        self._times, self._shares = np.array(points or [(0.0, 0.0)]).T

    def at(self, first: int, frames: int) -> npt.NDArray[np.float32]:
        """Return the share at each of ``frames`` frames from ``first`` on, ``(frames, 1)``."""
        near = slice(
            max(0, int(np.searchsorted(self._times, first / RATE)) - 1),
            int(np.searchsorted(self._times, (first + frames - 1) / RATE, side="right")) + 1,
        )
        shares = self._shares[near]
        if shares.min() == shares.max():
            # Away from every span, or within one, as most blocks are.
            return np.full((frames, 1), shares[0], np.float32)
        times = np.arange(first, first + frames) / RATE
        return np.asarray(np.interp(times, self._times[near], shares)[:, None], np.float32)


def keep(
    under: Iterable[Samples], own: Iterable[Samples], missing: Iterable[Span]
) -> Iterator[Samples]:
    """Replace ``under`` by the film's own sound, unchanged, for the time of missing lines.

    under, own: blocks of one length, float32 ``(n, channels)``. The one that ends first is silent
    from there on. Both may hold the same music, so the crossfade is linear.
    missing: the spans in which the missing lines would have been heard.
    """
    envelope = Envelope(missing)
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


def _gap(end: float, start: float) -> Sequence[tuple[float, float]]:
    """Return the bends between two spans."""
    gap = start - end
    if gap >= 2 * FADE:
        return [(end, 1.0), (end + FADE, 0.0), (start - FADE, 0.0)]
    return [(end, 1.0), (end + gap / 2, 1 - gap / (2 * FADE))]

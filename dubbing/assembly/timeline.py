"""Fits the lines of a speaker to their time.

A line first takes the silence after it, then the engine's faster take, then time-stretch. Native
speed and stretch together are the line's **rate**: seconds of its natural take ÷ seconds in the
film. A speaker's rates are the smallest that meet every line's need and change little from line to
line, so a line before a hurried one is hurried a little too. No word is ever cut: a line that still
does not fit overlaps the next one, and is reported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dubbing.job import Fit
from dubbing.media.probe import RATE
from dubbing.planning.result import Take

TOLERANCE = 0.01
"""A take this close to its target, as a share, is not stretched: nobody hears the difference."""


@dataclass(frozen=True, kw_only=True)
class FitLine:
    """A spoken line, and the time it has."""

    id: str
    start: float
    """Seconds from the film's first frame."""
    room: float
    """Seconds until the next line or the film's end; 0 or less when it starts after the film."""
    text: str
    takes: tuple[Take, ...]
    """The first is at the natural pace; a second one is faster."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The place of a line on the timeline."""

    id: str
    start: float
    """Seconds from the film's first frame; the start of the cue."""
    take: int
    """Index of the take to use."""
    stretch: float
    """Time-stretch of that take: above 1 is faster, exactly 1 leaves it unchanged."""
    seconds: float
    """Its length in the film."""
    rate: float
    """Seconds of the natural take ÷ ``seconds``."""
    overflow: float
    """Seconds by which it runs over its room."""
    characters_over: int
    """Characters by which the text is too long; 0 when it fits within ``TOLERANCE``."""
    note: str
    """Why it is faster than its time requires, or does not fit; empty when nothing is unusual."""

    @property
    def frame(self) -> int:
        """Frame of the programme at which it starts."""
        return round(self.start * RATE)

    @property
    def end(self) -> float:
        """Seconds from the film's first frame."""
        return self.start + self.seconds


def fit(lines: Sequence[FitLine], bounds: Fit) -> list[Placement]:
    """Return the placement of each line of one speaker.

    lines: all of the speaker's lines, in time order.
    """
    needs = [_need(line, bounds.max_rate) for line in lines]
    planned = smooth(needs, bounds.max_change)
    placements: list[Placement] = []
    before: float | None = None
    for index, line in enumerate(lines):
        after = planned[index + 1] if index + 1 < len(lines) else None
        take = _nearest(line.takes, _natural(line) / planned[index])
        rate = _natural(line) / line.takes[take].seconds
        near = abs(rate / planned[index] - 1) <= TOLERANCE
        if not (near and _follows(before, rate, bounds) and _follows(rate, after, bounds)):
            rate = planned[index]
        placements.append(_placement(line, take, rate, needs[index]))
        before = rate
    return placements


def smooth(needs: Sequence[float], max_change: float) -> list[float]:
    """Return the smallest rates that meet ``needs`` and change by at most ``max_change``.

    The change is a share of the previous rate. A forward sweep limits how quickly the pace slows
    down after a hurried line; a backward sweep speeds up in time before one.
    """
    rates = list(needs)
    for index in range(1, len(rates)):
        rates[index] = max(rates[index], rates[index - 1] * (1 - max_change))
    for index in range(len(rates) - 2, -1, -1):
        rates[index] = max(rates[index], rates[index + 1] / (1 + max_change))
    return rates


def _need(line: FitLine, max_rate: float) -> float:
    """Return the rate at which the line would fit, between 1 and ``max_rate``."""
    needed = _natural(line) / line.room if line.room > 0 else math.inf
    if needed <= 1 + TOLERANCE:
        return 1.0
    return min(needed, max_rate)


def _natural(line: FitLine) -> float:
    return line.takes[0].seconds


def _nearest(takes: Sequence[Take], target: float) -> int:
    """Return the index of the take that needs the least stretch to last ``target`` seconds."""
    return min(range(len(takes)), key=lambda index: abs(math.log(takes[index].seconds / target)))


def _follows(before: float | None, after: float | None, bounds: Fit) -> bool:
    """Whether a line at rate ``after`` may follow a line at rate ``before``."""
    if before is None or after is None:
        return True
    return before * (1 - bounds.max_change) <= after <= before * (1 + bounds.max_change)


def _placement(line: FitLine, take: int, rate: float, need: float) -> Placement:
    seconds = _natural(line) / rate
    overflow = max(0.0, round(seconds - line.room, 6))
    over = 0
    if overflow > TOLERANCE * max(line.room, 0.0):
        over = math.ceil(len(line.text) * (1 - max(line.room, 0.0) / seconds))
    stretch = line.takes[take].seconds / seconds
    return Placement(
        id=line.id,
        start=line.start,
        take=take,
        stretch=1.0 if math.isclose(stretch, 1.0, rel_tol=1e-9) else stretch,
        seconds=seconds,
        rate=rate,
        overflow=overflow,
        characters_over=over,
        note=_note(rate, need, overflow, over),
    )


def _note(rate: float, need: float, overflow: float, over: int) -> str:
    if over:
        return f"runs {overflow:.2f} s over its time: the text is {over} characters too long"
    if rate > need * (1 + TOLERANCE):
        return "faster than its time requires, so that the pace changes smoothly"
    return ""

"""Fits the lines of a speaker to their time.

A line that is too long is fitted in this order, each step only as far as needed: it takes the
silence after it; it is cut, first the decay at its end, then its pauses; it takes the gap before
the next line; it starts earlier, if the job allows that; it is spoken faster, by the engine's
faster take or by time-stretch.

Native speed and stretch together are the line's **rate**: seconds of its natural take after cuts,
÷ seconds in the film. A speaker's rates are the smallest that meet every line's need, and change
little from one line to the next one soon after it, so a line before a hurried one is hurried a
little too. No word is ever cut: a line that still does not fit overlaps the next one, and is
reported.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dubbing.job import Fit
from dubbing.media.probe import RATE
from dubbing.planning.overrun import characters_over, words_of
from dubbing.planning.pauses import Span, cuts, spare
from dubbing.planning.result import Take

TOLERANCE = 0.01
"""Share by which a take may miss its target without being stretched, because nobody hears it.
A take that runs into the next line is stretched."""
UNHEARD = 0.01
"""Seconds by which a line may run into the next one, which is inaudible."""
NEAR = 10.0
"""Seconds of silence after which nobody hears that a speaker's pace has changed."""


@dataclass(frozen=True, kw_only=True)
class FitLine:
    """A spoken line, and the time it has."""

    id: str
    start: float
    """Seconds from the film's first frame."""
    room: float
    """Seconds until the next line or the film's end; 0 or less when it starts after the film."""
    gap: float = 0.0
    """Seconds between its room and the next line, which are kept free if possible."""
    silence: float = 0.0
    """Seconds before its start in which nobody speaks."""
    text: str
    takes: tuple[Take, ...]
    """The first is at the natural pace; a second one is faster."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The place of a line on the timeline."""

    id: str
    start: float
    """Seconds from the film's first frame; the start of its cue, or a little earlier."""
    take: int
    """Index of the take to use."""
    cuts: tuple[Span, ...]
    """Parts of that take's pauses and of its decay, to be cut before it is stretched."""
    stretch: float
    """Time-stretch of that take: above 1 is faster, exactly 1 leaves it unchanged."""
    seconds: float
    """Its length in the film."""
    rate: float
    """Seconds of the natural take after cuts, ÷ ``seconds``."""
    overflow: float
    """Seconds by which it exceeds its room."""
    characters_over: int
    """Characters by which the text is too long; 0 when it fits within ``TOLERANCE``."""
    note: str
    """Why it is faster than its time requires, or does not fit; empty for a usual line."""

    @property
    def frame(self) -> int:
        """Frame of the programme at which it starts."""
        return round(self.start * RATE)

    @property
    def end(self) -> float:
        """Seconds from the film's first frame."""
        return self.start + self.seconds


@dataclass(frozen=True, kw_only=True)
class _Need:
    """The needed and the available time of a line."""

    early: float
    """Seconds by which it starts before its cue."""
    room: float
    """Seconds that it may take from there."""
    gap: float
    """Free seconds after its room and before the next line."""
    speech: float
    """Seconds of its natural take after cuts."""
    rate: float
    """The rate at which it would fit, between 1 and `Fit.max_rate`."""


def fit(lines: Sequence[FitLine], bounds: Fit) -> list[Placement]:
    """Return the placement of each line of one speaker.

    lines: all of the speaker's lines, in time order.
    """
    return [placed for run in _runs(lines) for placed in _fit_run(run, bounds)]


def _runs(lines: Sequence[FitLine]) -> Iterator[Sequence[FitLine]]:
    """Yield the lines in groups, each more than `NEAR` after the one before."""
    first = 0
    for index, (line, after) in enumerate(itertools.pairwise(lines), start=1):
        if after.start - line.start - line.takes[0].seconds > NEAR:
            yield lines[first:index]
            first = index
    yield lines[first:]


def _fit_run(lines: Sequence[FitLine], bounds: Fit) -> Iterator[Placement]:
    """Yield the placement of each of a speaker's lines that follow one another closely."""
    needs = [_need(line, bounds) for line in lines]
    planned = smooth([need.rate for need in needs], bounds.max_change)
    before: float | None = None
    for index, (line, need) in enumerate(zip(lines, needs, strict=True)):
        after = planned[index + 1] if index + 1 < len(lines) else None
        lengths = _lengths(line, need, bounds)
        take = _nearest(lengths, need.speech / planned[index])
        rate = need.speech / lengths[take]
        near = abs(rate / planned[index] - 1) <= TOLERANCE
        near = near and (rate >= planned[index] or _fits(lengths[take], need.room, need.gap))
        if not (near and _follows(before, rate, bounds) and _follows(rate, after, bounds)):
            rate = planned[index]
        yield _placement(line, need, take, lengths[take], rate, bounds)
        before = rate


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


def _need(line: FitLine, bounds: Fit) -> _Need:
    """Return what a line needs.

    Cuts come first, then the gap before the next line, an earlier start, a higher rate.
    """
    room, gap, early = line.room, line.gap, 0.0
    speech = _shortened(line.takes[0], room, gap, bounds)
    if not _fits(speech, room, gap):
        taken = min(gap, speech - room)
        room, gap = room + taken, gap - taken
    if not _fits(speech, room, gap):
        early = min(bounds.max_early, line.silence, speech - room)
        room += early
    rate = 1.0
    if not _fits(speech, room, gap):
        rate = min(speech / room, bounds.max_rate) if room > 0 else bounds.max_rate
    return _Need(early=early, room=room, gap=gap, speech=speech, rate=rate)


def _lengths(line: FitLine, need: _Need, bounds: Fit) -> list[float]:
    """Return the seconds of each take, cut as far as the line needs it."""
    faster = [_shortened(take, need.room, need.gap, bounds) for take in line.takes[1:]]
    return [need.speech, *faster]


def _shortened(take: Take, room: float, gap: float, bounds: Fit) -> float:
    """Return the seconds of a take after the cuts that it needs, as far as it can be cut."""
    if _fits(take.seconds, room, gap):
        return take.seconds
    most = take.decay + spare(take.pauses, bounds.min_pause)
    return take.seconds - min(most, take.seconds - room)


def _cuts(take: Take, seconds: float, bounds: Fit) -> tuple[Span, ...]:
    """Return the parts of a take to cut, ``seconds`` in all: of its decay, then of its pauses."""
    ending = min(seconds, take.decay)
    inside = cuts(take.pauses, bounds.min_pause, seconds - ending)
    return (*inside, (take.seconds - ending, take.seconds)) if ending else inside


def _fits(seconds: float, room: float, gap: float) -> bool:
    """Whether a take fits its room. gap: free seconds after the room."""
    room = max(room, 0.0)
    return seconds <= room + min(TOLERANCE * room, gap + UNHEARD)


def _nearest(lengths: Sequence[float], target: float) -> int:
    """Return the index of the take whose length needs the least stretch to ``target`` seconds."""
    return min(range(len(lengths)), key=lambda index: abs(math.log(lengths[index] / target)))


def _follows(before: float | None, after: float | None, bounds: Fit) -> bool:
    """Whether a line at rate ``after`` may follow a line at rate ``before``."""
    if before is None or after is None:
        return True
    return before * (1 - bounds.max_change) <= after <= before * (1 + bounds.max_change)


def _placement(
    line: FitLine, need: _Need, take: int, length: float, rate: float, bounds: Fit
) -> Placement:
    """Return the placement of a line. length: seconds of the take after its cuts."""
    chosen = line.takes[take]
    seconds = need.speech / rate
    overflow = max(0.0, round(seconds - need.room, 6))
    fits = _fits(seconds, need.room, need.gap)
    over = 0 if fits else characters_over(line.text, seconds, need.room)
    stretch = length / seconds
    return Placement(
        id=line.id,
        start=line.start - need.early,
        take=take,
        cuts=_cuts(chosen, chosen.seconds - length, bounds),
        stretch=1.0 if math.isclose(stretch, 1.0, rel_tol=1e-9) else stretch,
        seconds=seconds,
        rate=rate,
        overflow=overflow,
        characters_over=over,
        note=_note(line, need, rate, seconds, over),
    )


def _note(line: FitLine, need: _Need, rate: float, seconds: float, over: int) -> str:
    if over:
        return f"runs {words_of(line.text, seconds, need.room)}"
    if rate > need.rate * (1 + TOLERANCE):
        return "faster than its time requires, so that the pace changes smoothly"
    return ""

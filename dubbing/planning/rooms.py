"""The time available to a line: its own, and the silence that follows it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

from dubbing.job import Segment

OPEN_END = 10.0
"""Seconds that a line may run on when nothing follows; assembly knows the end of the film."""


GAP = 0.08
"""Seconds kept free before the next line: two frames."""


def line_rooms(
    segments: Sequence[Segment],
    end: float = math.inf,
    tail: float | None = None,
    gap: float = GAP,
) -> dict[str, float]:
    """Return the seconds available to each line: its own time, and the silence that follows.

    end: the end of the film in seconds from its first frame, when known. A line that starts after
    it has a room of 0 or less. tail: maximum seconds of that silence, as `Fit.max_tail`.
    gap: seconds kept free before the next line.

    Lines that overlap on purpose do not shorten each other: only a line that starts at or after
    the end of another one follows it.
    """
    starts = sorted(segment.start for segment in segments)
    rooms: dict[str, float] = {}
    for segment in segments:
        following = bisect_left(starts, segment.end)
        own = segment.end - segment.start
        free = own + OPEN_END
        if following < len(starts):
            free = max(own, starts[following] - segment.start - gap)
        if tail is not None:
            free = min(free, own + tail)
        rooms[segment.id] = min(free, end - segment.start)
    return rooms


def silences_before(spans: Sequence[tuple[float, float]]) -> list[float]:
    """Return the seconds of silence of all lines before each start, less `GAP`; at least 0.

    spans: the start and the latest possible end of every line, in seconds, in order of start.
    """
    silences: list[float] = []
    last = -GAP
    for start, end in spans:
        silences.append(max(0.0, start - GAP - last))
        last = max(last, end)
    return silences

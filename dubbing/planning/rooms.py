"""How much time a line has: its own, and the silence that follows it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

from dubbing.job import Segment

OPEN_END = 10.0
"""Seconds that a line may run on which nothing follows; assembly knows where the film ends."""


GAP = 0.08
"""Seconds kept free before the line that follows: two frames."""


def line_rooms(segments: Sequence[Segment], end: float = math.inf) -> dict[str, float]:
    """Return how many seconds each line may take: its own, and the silence that follows.

    end: where the film ends, in seconds from its first frame, when that is known. A line that
    starts after it has no room, or less than none.

    Lines that overlap on purpose do not shorten each other: what follows a line is the next one
    that starts at or after its end.
    """
    starts = sorted(segment.start for segment in segments)
    rooms: dict[str, float] = {}
    for segment in segments:
        following = bisect_left(starts, segment.end)
        own = segment.end - segment.start
        free = own + OPEN_END
        if following < len(starts):
            free = max(own, starts[following] - segment.start - GAP)
        rooms[segment.id] = min(free, end - segment.start)
    return rooms

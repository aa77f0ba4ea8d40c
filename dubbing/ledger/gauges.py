"""What Redis tells of the system as a whole: how long work waits, and how much was done of late."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

MINUTES = 60
"""Minutes that the counts cover, as `complete.lua` has it."""


@dataclass(frozen=True)
class Hour:
    """The lines of batches that were done in each minute of the last hour."""

    since: int
    """When the first minute began, in seconds since 1970."""
    done: Sequence[int]
    """Lines that have a clip, by minute; the last minute is not over."""
    failed: Sequence[int]
    """Lines that have none, by minute."""


class Gauges:
    """Figures of one Redis. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def waits(self, queues: Sequence[str]) -> dict[str, float]:
        """Return for how many seconds the oldest published batch of each queue has waited.

        A queue in which none waits is left out. Batches that were not published yet, as the queues
        are kept short, and requests without a job do not count.
        """
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            pipe.time()
            for queue in queues:
                pipe.zrange(f"{PREFIX}published:{queue}", 0, 0, withscores=True)
            now, *first = pipe.execute()
        found = zip(queues, first, strict=True)
        return {queue: max(0.0, _seconds(now) - one[0][1]) for queue, one in found if one}

    def hour(self) -> Hour:
        """Return the lines of the last hour; those that Redis has lost are 0."""
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.hvals(f"{PREFIX}hour")
            now, entries = pipe.execute()
        last = int(_seconds(now) // 60)
        counts = dict(map(_counts, entries))
        minutes = range(last - MINUTES + 1, last + 1)
        done, failed = zip(*(counts.get(minute, (0, 0)) for minute in minutes), strict=True)
        return Hour(since=minutes[0] * 60, done=done, failed=failed)


def _counts(entry: str) -> tuple[int, tuple[int, int]]:
    """Return the minute of an entry and its counts; minute 0 of one that somebody has spoilt."""
    known = re.fullmatch(r"(\d+)\|(\d+)\|(\d+)", entry)
    minute, done, failed = map(int, known.groups()) if known else (0, 0, 0)
    return minute, (done, failed)


def _seconds(time: Any) -> float:
    return float(time[0] + time[1] / 1e6)

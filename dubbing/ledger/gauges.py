"""Figures of the whole system from Redis: waiting work, and recently finished work."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dubbing.ledger.backlog import Backlog, read_backlog
from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

MINUTES = 60
"""Minutes that the counts cover, as in `complete.lua`."""


@dataclass(frozen=True)
class Hour:
    """The lines of finished batches in each minute of the last hour."""

    since: int
    """Start of the first minute, in seconds since 1970."""
    done: Sequence[int]
    """Lines with a clip, by minute; the last minute is not over."""
    failed: Sequence[int]
    """Lines without a clip, by minute."""


@dataclass(frozen=True)
class Pace:
    """The mean of recent batches of one queue."""

    seconds: float
    """Seconds of a slot for a batch."""
    lines: float
    """Lines of a batch."""


class Gauges:
    """Figures of one Redis. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def waits(self, queues: Sequence[str]) -> dict[str, float]:
        """Return the seconds that the oldest published batch of each queue has waited.

        Queues without a published batch are omitted. Batches that are not published yet, and
        requests without a job, do not count.
        """
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            pipe.time()
            for queue in queues:
                pipe.zrange(f"{PREFIX}published:{queue}", 0, 0, withscores=True)
            now, *first = pipe.execute()
        found = zip(queues, first, strict=True)
        return {queue: max(0.0, _seconds(now) - one[0][1]) for queue, one in found if one}

    def backlog(self) -> tuple[dict[str, Backlog], Counter[str]]:
        """Return the work on each non-empty queue, and the number of open jobs in each state.

        Batches that wait for their turn or for a voice count, too; requests without a job do not.
        """
        return read_backlog(self._server)

    def paces(self, queues: Sequence[str]) -> dict[str, Pace]:
        """Return the mean of recent batches of each queue, without queues that have none."""
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.hmget(f"{PREFIX}pace:{queue}", "seconds", "lines")
            found = zip(queues, pipe.execute(), strict=True)
        return {queue: pace for queue, fields in found if (pace := _pace(*fields))}

    def hour(self) -> Hour:
        """Return the lines of the last hour; minutes that Redis has lost are 0."""
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
    """Return the minute and the counts of an entry; minute 0 for a malformed entry."""
    known = re.fullmatch(r"(\d+)\|(\d+)\|(\d+)", entry)
    minute, done, failed = map(int, known.groups()) if known else (0, 0, 0)
    return minute, (done, failed)


def _pace(seconds: str | None, lines: str | None) -> Pace | None:
    """Return a mean; None if Redis lacks a part of it."""
    try:
        pace = Pace(float(seconds or ""), float(lines or ""))
    except ValueError:
        return None
    return pace if pace.seconds > 0 and pace.lines > 0 else None


def _seconds(time: Any) -> float:
    return float(time[0] + time[1] / 1e6)

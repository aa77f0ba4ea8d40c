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


@dataclass(frozen=True)
class Pace:
    """The mean of recent batches of one queue."""

    seconds: float
    """Seconds that a batch took a slot."""
    lines: float
    """Lines of a batch."""


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

    def backlog(self) -> tuple[dict[str, Backlog], Counter[str]]:
        """Return the work on each non-empty queue, and the number of open jobs in each state.

        It counts what waits for its turn or for a voice, too. Requests without a job do not count.
        """
        return read_backlog(self._server)

    def paces(self, queues: Sequence[str]) -> dict[str, Pace]:
        """Return the mean of recent batches of each queue; without those that have done none."""
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.hmget(f"{PREFIX}pace:{queue}", "seconds", "lines")
            found = zip(queues, pipe.execute(), strict=True)
        return {queue: pace for queue, fields in found if (pace := _pace(*fields))}

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


def _pace(seconds: str | None, lines: str | None) -> Pace | None:
    """Return a mean; None unless Redis knows all of it."""
    try:
        pace = Pace(float(seconds or ""), float(lines or ""))
    except ValueError:
        return None
    return pace if pace.seconds > 0 and pace.lines > 0 else None


def _seconds(time: Any) -> float:
    return float(time[0] + time[1] / 1e6)

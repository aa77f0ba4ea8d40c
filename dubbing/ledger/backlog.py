"""The waiting work of all jobs on all queues; the queues themselves are kept short.

The scripts keep the remaining lines of each job. This module adds them up with plain commands, so
Redis serves others meanwhile, however many jobs there are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from dubbing.job import JobState
from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

FIELD = re.compile(r"([^|]+)\|([^|]+)")
"""Queue and job of an entry."""
LEFT = re.compile(r"([\d.]+)\|(\d+)")
"""Time since when the job has work on the queue, and its remaining lines."""
LEASED = re.compile(r"([^|]+)\|\d+\|(?:\d+:\d+:\d+:[^:|]+:(\d+).*|assembly)")
"""Job and lines of a batch that is leased; a film counts as one."""
RESTS = "-|"
"""Prefix of the owner of a returned batch that rests."""


@dataclass(frozen=True)
class Backlog:
    """The work of one queue: lines, or voices, or films."""

    waiting: int = 0
    """Lines of open batches of all jobs that wait for a worker."""
    running: int = 0
    """Lines of batches that are being worked on."""
    oldest: float = 0.0
    """Seconds since the first of the jobs with waiting lines had work on this queue."""


@dataclass(frozen=True)
class Left:
    """The remaining work of one job on one queue."""

    queue: str
    job: str
    since: float
    lines: int


def read_backlog(server: Server) -> tuple[dict[str, Backlog], Counter[str]]:
    """Return the work on each non-empty queue, and the number of open jobs in each state."""
    with server.commands() as redis, redis.pipeline(transaction=False) as pipe:
        pipe.time()
        pipe.hgetall(f"{PREFIX}backlog")
        (seconds, microseconds), entries = pipe.execute()
        left = list(_read(entries))
        queues = sorted({one.queue for one in left})
        jobs = sorted({one.job for one in left})
        for queue in queues:
            pipe.zrange(f"{PREFIX}leases:{queue}", 0, -1)
        for job in jobs:
            pipe.hget(f"{PREFIX}job:{job}", "state")
        found = pipe.execute()
        leased, states = found[: len(queues)], dict(zip(jobs, found[len(queues) :], strict=True))
        batches = [*chain.from_iterable(leased)]
        owners: Any = redis.hmget(f"{PREFIX}owners", batches) if batches else []
    begun = {batch for batch, owner in zip(batches, owners, strict=True) if _works(owner)}
    # Redis may have lost a job, or the list of its queues, but not these entries.
    open_ = {job: state for job, state in states.items() if _is_open(state)}
    now = seconds + microseconds / 1e6
    backlog = {
        queue: _sum(
            [one for one in left if one.queue == queue and one.job in open_],
            _lines(batch for batch in of_queue if batch in begun),
            now,
        )
        for queue, of_queue in zip(queues, leased, strict=True)
    }
    return {q: of for q, of in backlog.items() if of != Backlog()}, Counter(open_.values())


def _read(entries: Mapping[str, str]) -> Iterable[Left]:
    """Yield the valid entries."""
    for field, value in entries.items():
        whose, left = FIELD.fullmatch(field), LEFT.fullmatch(value)
        if whose and left:
            yield Left(whose[1], whose[2], float(left[1]), int(left[2]))


def _works(owner: str | None) -> bool:
    return owner is not None and not owner.startswith(RESTS)


def _is_open(state: str | None) -> bool:
    return state is not None and not (state in [*JobState] and JobState(state).ended)


def _lines(batches: Iterable[str]) -> Counter[str]:
    """Return the number of lines of each job in these batches."""
    lines: Counter[str] = Counter()
    for batch in batches:
        if found := LEASED.fullmatch(batch):
            lines[found[1]] += int(found[2] or 1)
    return lines


def _sum(left: Iterable[Left], begun: Mapping[str, int], now: float) -> Backlog:
    """Return the work of one queue. begun: the lines of each job that are being worked on."""
    waiting, running, oldest = 0, 0, 0.0
    for one in left:
        at_work = min(one.lines, begun[one.job])
        running += at_work
        if one.lines > at_work:
            waiting += one.lines - at_work
            oldest = max(oldest, now - one.since)
    return Backlog(waiting, running, oldest)

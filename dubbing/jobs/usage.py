"""The usage of tenants: seconds of engines and lines in a month, and bytes of kept outputs.

Storage holds a mark of each round that ended, whose name ends with the amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from dubbing.engines.remote.pool import month_of
from dubbing.job import Job
from dubbing.jobs.store import End, load_round
from dubbing.planning.outcome import load_result
from dubbing.storage import Keys, Storage, each

MILLISECONDS = 1000


def account(storage: Storage, job: Job, end: End) -> None:
    """Mark the usage of an ended round, and the size of its outputs; a second call changes nothing.

    The usage of earlier rounds without an end is included.
    """
    asked = load_round(storage, job.id, end.round).asked
    made = [_made(storage, job.id, round_) for round_ in range(asked, end.round + 1)]
    month = month_of(datetime.fromtimestamp(end.at, UTC))
    if amount := round(sum(one.seconds for one in made) * MILLISECONDS):
        storage.create(f"{Keys.used(job.tenant, month)}{job.id}-{end.round}-{amount}", b"")
    if lines := sum(one.lines for one in made):
        storage.create(f"{Keys.spoken(job.tenant, month)}{job.id}-{end.round}-{lines}", b"")
    if end.output:
        kept = sum(storage.sizes(end.output).values())
        storage.create(f"{Keys.kept(job.tenant, job.id)}{end.round}-{kept}", b"")


def seconds_used(storage: Storage, tenant: str, month: str) -> float:
    """Return the seconds that engines spoke for a tenant's rounds that ended in a month.

    month: as `month_of` names it.
    """
    return sum(_amounts(storage.keys(Keys.used(tenant, month)))) / MILLISECONDS


def bytes_kept(storage: Storage, tenant: str) -> int:
    """Return the bytes of the outputs of a tenant's jobs."""
    return sum(_amounts(storage.keys(Keys.kept(tenant))))


class _Made(NamedTuple):
    """The usage in the results of a round."""

    seconds: float
    """Seconds of engines."""
    lines: int
    """Lines with a take, spoken or from a stored clip."""


def _made(storage: Storage, job_id: str, round_: int) -> _Made:
    """Return the usage of a round."""

    def of_result(number: int) -> _Made:
        result = load_result(storage, job_id, round_, number)
        if result is None:
            return _Made(0.0, 0)
        lines = len(result.segments) - result.failed
        return _Made(sum(use.seconds for use in result.used), lines)

    found = each(of_result, _numbers(storage.keys(Keys.results(job_id, round_))))
    return _Made(sum(one.seconds for one in found), sum(one.lines for one in found))


def _numbers(keys: Iterable[str]) -> Iterator[int]:
    """Yield the numbers of results, from their keys."""
    for key in keys:
        with suppress(ValueError):
            yield int(key.rpartition("/")[2].removesuffix(".json"))


def _amounts(marks: Iterable[str]) -> Iterator[int]:
    # Other programs put files beside the marks.
    amounts = (mark.rpartition("-")[2] for mark in marks)
    return (int(amount) for amount in amounts if amount.isdecimal())

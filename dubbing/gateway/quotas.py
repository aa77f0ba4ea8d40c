"""The quotas of tenants over HTTP: open jobs, lines, seconds of engines, and storage."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from limits import RateLimitItemPerDay
from limits.errors import StorageError

from dubbing.engines.remote.pool import month_of
from dubbing.errors import DubbingError
from dubbing.gateway.facts import Facts
from dubbing.gateway.limits import Counter
from dubbing.gateway.refusals import LimitReached
from dubbing.jobs.store import open_ids
from dubbing.jobs.usage import bytes_kept, seconds_used
from dubbing.kept import Kept
from dubbing.settings import Quota, Settings
from dubbing.storage import Storage, each
from dubbing.submission.uploads import Uploads

log = logging.getLogger(__name__)

Amount = TypeVar("Amount", int, float)

OTHERS = "*"
"""The name for all tenants that the settings do not list."""
OPEN_SECONDS = 30
"""Seconds until a retry of a tenant with too many open jobs."""
FULL_SECONDS = 3600
"""The same for a tenant that has to delete data first."""
KNOWN_SECONDS = 2.0
"""Time for which a tenant's usage is cached: it is the sum of many marks in storage."""
GB = 1e9


@dataclass(frozen=True)
class Used:
    """A tenant's usage of its quota."""

    open_jobs: int
    lines_today: int | None
    """None without a quota: they are not counted then."""
    engine_seconds_this_month: float
    """Of rounds that have ended."""
    storage_gb: float


class Quotas:
    """The quotas of all tenants. Its calls block."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        facts: Facts,
        counter: Counter,
        uploads: Uploads,
    ) -> None:
        """Take the quotas of the settings."""
        self._quotas = settings.quotas
        self._storage = storage
        self._uploads = uploads
        self._seconds: dict[str, Kept[float]] = {}
        self._bytes: dict[str, Kept[int]] = {}
        self._facts = facts
        self._counter = counter
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Take the event loop of the gateway, on which lines are counted."""
        self._loop = asyncio.get_running_loop()

    def of(self, tenant: str) -> Quota:
        """Return the quota of a tenant."""
        return self._quotas.get(tenant) or self._quotas.get(OTHERS) or Quota()

    def charge(self, tenant: str, lines: int) -> None:
        """Count a job that a tenant submits, and its lines; raises LimitReached."""
        quota = self.of(tenant)
        if quota.open_jobs is not None and self._open_jobs(tenant) >= quota.open_jobs:
            raise LimitReached(
                f"{tenant!r} has {quota.open_jobs} open jobs, its quota: wait until one has ended",
                retry_after=OPEN_SECONDS,
            )
        self.check_storage(tenant)
        self.charge_lines(tenant, lines)

    def charge_lines(self, tenant: str, lines: int) -> None:
        """Count lines to be spoken for a tenant; raises LimitReached, but not for 0 lines."""
        if not lines:
            return
        quota = self.of(tenant)
        self._check_seconds(tenant)
        if quota.lines_a_day is None or not self._loop:
            return
        most = RateLimitItemPerDay(quota.lines_a_day)
        counting = self._counter.count(most, "lines", tenant, by=lines)
        try:
            fits, left = asyncio.run_coroutine_threadsafe(counting, self._loop).result()
        except StorageError as exc:
            log.warning("lines are not counted: %s", exc)
            return
        if not fits:
            raise LimitReached(
                f"{tenant!r} may have {quota.lines_a_day} lines spoken a day, and {left.left} are "
                f"left: the request has {lines}",
                retry_after=left.reset,
            )

    def _check_seconds(self, tenant: str) -> None:
        """Raise LimitReached when the seconds of engines for a tenant reach its quota."""
        most = self.of(tenant).engine_seconds_a_month
        if most is not None and self._seconds_used(tenant) >= most:
            now = datetime.now(UTC)
            raise LimitReached(
                f"engines have spoken {most:g} s for {tenant!r} in {now:%B %Y}, as long as they "
                "quota: wait for the next month",
                retry_after=_seconds_to_next_month(now),
            )

    def check_storage(self, tenant: str, more: int = 0) -> None:
        """Raise LimitReached when a tenant's storage, with ``more`` bytes, exceeds its quota."""
        most = self.of(tenant).storage_gb
        if most is None:
            return
        kept = self._bytes_kept(tenant)
        if kept >= most * GB or kept + more > most * GB:
            raise LimitReached(
                f"{tenant!r} keeps {kept / GB:.3g} GB of {most:g}: delete uploads or jobs",
                retry_after=FULL_SECONDS,
            )

    def used(self, tenant: str) -> Used:
        """Return a tenant's usage."""
        quota, lines = self.of(tenant), None
        if quota.lines_a_day is not None and self._loop:
            asked = self._counter.left(RateLimitItemPerDay(quota.lines_a_day), "lines", tenant)
            try:
                left = asyncio.run_coroutine_threadsafe(asked, self._loop).result()
                lines = left.most - left.left
            except StorageError as exc:
                log.warning("lines are not counted: %s", exc)
        return Used(
            self._open_jobs(tenant),
            lines,
            engine_seconds_this_month=round(self._seconds_used(tenant), 3),
            storage_gb=self._bytes_kept(tenant) / GB,
        )

    def _seconds_used(self, tenant: str) -> float:
        def ask() -> float:
            return seconds_used(self._storage, tenant, month_of(datetime.now(UTC)))

        return _known(self._seconds, tenant, ask)

    def _bytes_kept(self, tenant: str) -> int:
        def ask() -> int:
            return bytes_kept(self._storage, tenant) + self._uploads.bytes_kept(tenant)

        return _known(self._bytes, tenant, ask)

    def _open_jobs(self, tenant: str) -> int:
        def is_its(job: str) -> bool:
            try:
                return self._facts.of(job, 1).tenant == tenant
            except DubbingError:
                return False

        return sum(each(is_its, open_ids(self._storage)))


def _known(kept: dict[str, Kept[Amount]], tenant: str, ask: Callable[[], Amount]) -> Amount:
    """Return a cached amount of a tenant, and sum it up again when it is old."""
    return kept.setdefault(tenant, Kept(ask, KNOWN_SECONDS)).get()


def _seconds_to_next_month(now: datetime) -> float:
    following = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return (following - now).total_seconds()

"""What a tenant may ask for over HTTP: jobs that are open, and lines a day."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from limits import RateLimitItemPerDay
from limits.errors import StorageError

from dubbing.errors import DubbingError
from dubbing.gateway.facts import Facts
from dubbing.gateway.limits import Counter
from dubbing.gateway.refusals import LimitReached
from dubbing.jobs.store import open_ids
from dubbing.settings import Quota, Settings
from dubbing.storage import Storage, each

log = logging.getLogger(__name__)

OTHERS = "*"
"""Stands for the tenants that the settings do not name."""
OPEN_SECONDS = 30
"""After which a tenant whose jobs are all open may come again."""


@dataclass(frozen=True)
class Used:
    """What a tenant has used of its quota."""

    open_jobs: int
    lines_today: int | None
    """None without a quota: they are not counted then."""


class Quotas:
    """The quotas of all tenants. Its calls block."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        facts: Facts,
        counter: Counter,
    ) -> None:
        """Take the quotas of the settings."""
        self._quotas = settings.quotas
        self._storage = storage
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
                f"{tenant!r} has {quota.open_jobs} open jobs, as many as it may have: wait until "
                "one has ended",
                retry_after=OPEN_SECONDS,
            )
        self.charge_lines(tenant, lines)

    def charge_lines(self, tenant: str, lines: int) -> None:
        """Count lines that a tenant has spoken; raises LimitReached."""
        quota = self.of(tenant)
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

    def used(self, tenant: str) -> Used:
        """Return what a tenant has used."""
        quota, lines = self.of(tenant), None
        if quota.lines_a_day is not None and self._loop:
            asked = self._counter.left(RateLimitItemPerDay(quota.lines_a_day), "lines", tenant)
            try:
                left = asyncio.run_coroutine_threadsafe(asked, self._loop).result()
                lines = left.most - left.left
            except StorageError as exc:
                log.warning("lines are not counted: %s", exc)
        return Used(self._open_jobs(tenant), lines)

    def _open_jobs(self, tenant: str) -> int:
        def is_its(job: str) -> bool:
            try:
                return self._facts.of(job, 1).tenant == tenant
            except DubbingError:
                return False

        return sum(each(is_its, open_ids(self._storage)))

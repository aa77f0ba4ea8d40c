"""A cache of the facts of jobs."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from dubbing.documents import is_identifier
from dubbing.errors import NotFound
from dubbing.gateway.callers import Caller
from dubbing.jobs.facts import JobFacts, facts_of
from dubbing.jobs.store import load_job
from dubbing.storage import Keys, Storage

KEPT = 5000
"""Number of jobs whose facts are cached."""


class Facts:
    """The facts of jobs, read once per round. Safe to use from several threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._kept: OrderedDict[tuple[str, int], JobFacts] = OrderedDict()
        self._lock = Lock()

    def of(self, job_id: str, round_: int) -> JobFacts:
        """Return the facts of a job; raises NotFound, Damaged and NewerRelease.

        round_: its known round; 0 before the first one.
        """
        asked = job_id, round_
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return self._kept[asked]
        job = load_job(self._storage, job_id, round_ or 1)
        found = facts_of(job, self._storage.modified(Keys.job(job_id)))
        with self._lock:
            self._kept[asked] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def first(self, job_id: str) -> JobFacts:
        """Return the facts of a job as it was submitted; raises as `of` does.

        Facts of a job that any gateway deleted are dropped, also if another job was submitted under
        its id, perhaps by another tenant.
        """
        found = self.of(job_id, 1)
        if self._storage.modified(Keys.job(job_id)) == found.created:
            return found
        with self._lock:
            for asked in [asked for asked in self._kept if asked[0] == job_id]:
                del self._kept[asked]
        return self.of(job_id, 1)

    def check(self, caller: Caller, job_id: str) -> JobFacts:
        """Return the facts of a caller's job; raises NotFound for one of another tenant."""
        unknown = NotFound(f"there is no job {job_id!r}")
        if not is_identifier(job_id):
            raise unknown
        found = self.first(job_id)
        if not caller.sees(found.tenant):
            raise unknown
        return found

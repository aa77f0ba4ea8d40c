"""The reading part of a client: status, events and outputs of jobs."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dubbing.client.connection import Connection
from dubbing.documents import is_identifier
from dubbing.errors import Conflict, NotFound, QueueRefused, QueueUnavailable
from dubbing.job import JobState
from dubbing.jobs.status import (
    Status,
    collection_statuses,
    job_status,
    list_statuses,
    status_if_readable,
)
from dubbing.jobs.store import load_job, load_jobs
from dubbing.ledger import Ledger
from dubbing.storage import Storage

if TYPE_CHECKING:
    from dubbing.jobs.facts import JobFacts
    from dubbing.jobs.history import Event

WATCH_SECONDS = 2.0
"""Longest wait of a watcher for an event before it reads the status without one."""
AWAY_SECONDS = 600.0
"""How long a watcher waits for a Redis that was there and does not answer any more."""
Look = Callable[[Storage, Ledger | None], Sequence[Status]]
"""Reads statuses; without the ledger, from storage alone."""


class Reader(Connection):
    """A client that reads jobs, and changes nothing."""

    def status(self, job_id: str, *, readable: bool = True) -> Status:
        """Return the status of a job; raises NotFound.

        readable: whether an unreadable job raises Damaged or NewerRelease; otherwise its state is
        ``unreadable``. If Redis is away, a job that has ended is read from storage, and any other
        one raises QueueUnavailable.
        """
        check_name(job_id)
        look = job_status if readable else status_if_readable

        def ended(storage: Storage, ledger: Ledger | None) -> Sequence[Status]:
            found = look(storage, ledger, job_id)
            return [found] if ledger or found.state.ended else []

        return self._read(ended)[0]

    def history(self, job_id: str) -> list[Event]:
        """Return the events of a job, in order; raises NotFound. Needs no Redis."""
        from dubbing.jobs.history import history

        check_name(job_id)
        return history(self.storage, job_id)

    def why(self, job_id: str, *, remedy: str = "") -> tuple[Status, list[str]]:
        """Return the status of a job, and its reasons in words; raises NotFound.

        remedy: advice for a missing worker, with ``{}`` for the argument of its start.
        """
        from dubbing.jobs.reasons import reasons

        status = self.status(job_id, readable=False)
        ledger = None if status.redis_away else self.ledger
        return status, [*reasons(self.storage, ledger, status, remedy=remedy)]

    def watch(self, job_id: str) -> Iterator[Status]:
        """Yield a job's status at each change and every few seconds, until the job has ended.

        While Redis is away, yields the last status with ``redis_away`` set. Raises QueueUnavailable
        when Redis stays away for `AWAY_SECONDS`, or was never there.
        """
        known: Status | None = None
        last, heard = "", time.monotonic()
        while known is None or not known.state.ended:
            try:
                last = self._news(job_id, last)
                known, heard = self.status(job_id), time.monotonic()
            except QueueRefused:
                raise
            except QueueUnavailable as exc:
                if known is None or time.monotonic() - heard > AWAY_SECONDS:
                    # Raises the same unless the job has ended.
                    known = self.status(job_id)
                else:
                    known = known.model_copy(update={"redis_away": str(exc)})
                    time.sleep(WATCH_SECONDS)
            yield known

    def _news(self, job_id: str, last: str) -> str:
        """Wait for an event after ``last``; return the last event, also if there was no other.

        last: ``""`` returns the newest event at once.
        """
        events = self.ledger.events
        if not last:
            return events.last(job_id)
        news = events.news({job_id: last}, wait=WATCH_SECONDS)
        return news[job_id][-1][0] if news else last

    def wait(self, job_id: str) -> Status:
        """Wait until a job has ended and return its status."""
        return deque(self.watch(job_id), maxlen=1).pop()

    def jobs(
        self,
        *,
        states: Collection[JobState] = (),
        since: float = 0.0,
        limit: int | None = None,
    ) -> list[Status]:
        """Return the stored jobs, the last submitted first; from storage if Redis is away.

        states: only jobs in these states; by default, in any. since: only jobs submitted after
        this time, in seconds since 1970. limit: the most jobs to return; by default, all.
        """
        return self._read(
            lambda storage, ledger: list_statuses(
                storage, ledger, states=states, since=since, limit=limit
            )
        )

    def collection(self, name: str) -> list[Status]:
        """Return the jobs of a collection, by id; raises NotFound when there are none.

        If Redis is away, they are read from storage.
        """
        return self._read(lambda storage, ledger: collection_statuses(storage, ledger, name))

    def ended(
        self,
        *,
        states: Collection[JobState] = (),
        collection: str | None = None,
        tenant: str | None = None,
        before: float | None = None,
    ) -> list[str]:
        """Return the ids of the ended jobs that match all conditions.

        states: only these states; by default, all.
        collection, tenant: only these.
        before: only jobs that ended before this time, in seconds since 1970. Raises NotFound for a
        collection without jobs.
        """
        from dubbing.jobs.removal import ended

        return ended(
            *self._both, states=states, collection=collection, tenant=tenant, before=before
        )

    def facts(self, job_ids: Sequence[str]) -> dict[str, JobFacts]:
        """Return the name, the tenant and other facts of each job that can be read.

        Needs no Redis.
        """
        from dubbing.jobs.facts import load_facts

        return load_facts(self.storage, job_ids)

    def file_names(self, job_ids: Sequence[str]) -> dict[str, str]:
        """Return, for each job, a distinct prefix of its files' names."""
        from dubbing.jobs.fetch import distinct

        return {id_: id_ for id_ in job_ids} | distinct(load_jobs(self.storage, job_ids))

    def fetch(
        self, job_id: str, folder: Path, *, name: str | None = None, replace: bool = False
    ) -> list[Path]:
        """Write a job's outputs and report into ``folder``; return their paths.

        name: beginning of the files' names; by default, the job's ``output.name``.
        replace: whether files of the same names that were fetched for another job may be replaced.
        Raises Conflict while there is nothing to fetch, and for a file in the way that no earlier
        fetch of the job wrote; then nothing is written.
        """
        from dubbing.jobs.fetch import fetch_output

        status = self.status(job_id)
        if status.output is None:
            raise Conflict(
                f"job {job_id!r} is {status.state.value}: it has no output to fetch, but perhaps "
                "lines, with --partial"
            )
        named = self._name(job_id, name)
        return fetch_output(self.storage, status.output, folder, named, replace=replace)

    def fetch_partial(self, job_id: str, folder: Path, *, name: str | None = None) -> list[Path]:
        """Write the clips of a job's newest round into ``folder``; return the paths.

        Each clip becomes ``lines/<id>.flac``; a report covers every line. Raises Conflict for a
        file in the way that no earlier fetch of the job wrote.
        name: as in `fetch`.
        """
        from dubbing.jobs.fetch import fetch_lines

        status = self.status(job_id)
        return fetch_lines(self.storage, status, folder, self._name(job_id, name))

    def _read(self, look: Look) -> list[Status]:
        """Return the found statuses, from storage alone if Redis is away.

        Raises QueueUnavailable when Redis is away and storage alone has none.
        """
        try:
            return [*look(*self._met)]
        except QueueRefused:
            raise
        except QueueUnavailable as exc:
            if found := look(self.storage, None):
                return [one.model_copy(update={"redis_away": str(exc)}) for one in found]
            raise

    @cached_property
    def _met(self) -> tuple[Storage, Ledger]:
        """Storage and ledger, which belong together."""
        both = self._both
        self._system.installation.compare()
        return both

    def _name(self, job_id: str, name: str | None) -> str:
        return (load_job(self.storage, job_id).output.name or "") if name is None else name


def check_name(job_id: str) -> None:
    """Raise NotFound for a string that cannot be an id, before it becomes part of a path."""
    if not is_identifier(job_id):
        raise NotFound(f"there is no job {job_id!r}")


def by_state(statuses: Sequence[Status]) -> dict[str, int]:
    """Return the number of jobs in each state."""
    return dict(Counter(status.state.value for status in statuses))

"""The reading part of a client: status, events and outputs of jobs."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dubbing.client.connection import Connection
from dubbing.documents import is_identifier
from dubbing.errors import Conflict, NotFound
from dubbing.job import JobState
from dubbing.jobs.status import (
    Status,
    collection_statuses,
    job_status,
    list_statuses,
    status_if_readable,
)
from dubbing.jobs.store import load_job, load_jobs

if TYPE_CHECKING:
    from dubbing.jobs.history import Event

WATCH_SECONDS = 2.0
"""Longest wait of a watcher for an event before it reads the status without one."""


class Reader(Connection):
    """A client that reads jobs, and changes nothing."""

    def status(self, job_id: str, *, readable: bool = True) -> Status:
        """Return the status of a job; raises NotFound.

        readable: whether an unreadable job raises Damaged or NewerRelease; otherwise its state is
        ``unreadable``.
        """
        check_name(job_id)
        look = job_status if readable else status_if_readable
        return look(*self._both, job_id)

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
        return status, [*reasons(self.storage, self.ledger, status, remedy=remedy)]

    def watch(self, job_id: str) -> Iterator[Status]:
        """Yield a job's status at each change and every few seconds, until the job has ended."""
        last = self.ledger.events.last(job_id)
        yield (status := self.status(job_id))
        while not status.state.ended:
            news = self.ledger.events.news({job_id: last}, wait=WATCH_SECONDS)
            last = news[job_id][-1][0] if news else last
            yield (status := self.status(job_id))

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
        """Return the stored jobs, the last submitted first.

        states: only jobs in these states; by default, in any. since: only jobs submitted after
        this time, in seconds since 1970. limit: the most jobs to return; by default, all.
        """
        return list_statuses(*self._both, states=states, since=since, limit=limit)

    def collection(self, name: str) -> list[Status]:
        """Return the jobs of a collection, by id; raises NotFound when there are none."""
        return collection_statuses(*self._both, name)

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

    def _name(self, job_id: str, name: str | None) -> str:
        return (load_job(self.storage, job_id).output.name or "") if name is None else name


def check_name(job_id: str) -> None:
    """Raise NotFound for a string that cannot be an id, before it becomes part of a path."""
    if not is_identifier(job_id):
        raise NotFound(f"there is no job {job_id!r}")


def by_state(statuses: Sequence[Status]) -> dict[str, int]:
    """Return the number of jobs in each state."""
    return dict(Counter(status.state.value for status in statuses))

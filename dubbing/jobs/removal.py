"""Removing a job for good: its documents and outputs, its marks, and its keys in Redis.

Clips, media and voices stay, because jobs share them, until a collection of garbage finds that no
job needs them (`dubbing.retention`).

A removal may die between any two steps. Until the last step the job has an end in storage, so no
process starts it, and it can be removed again:

1. The next round ends before it was planned. So a retry that begins now fails.
2. The marks are removed: no list shows the job.
3. All other objects of the job are removed, except its request and the ends of its rounds.
4. The request is removed: the job no longer exists.
5. Redis forgets the job.
6. The ends are removed, and any object that a worker on the job has written meanwhile.

A job that is submitted under the same id before the last step may be removed with it.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from dubbing.errors import Conflict, Damaged, NewerRelease, NotFound
from dubbing.job import JobState
from dubbing.jobs.status import Status, collection_statuses, list_statuses, status_if_readable
from dubbing.jobs.store import load_end, load_job
from dubbing.ledger import Ledger
from dubbing.storage import Keys, Storage, each


def ended(
    storage: Storage,
    ledger: Ledger,
    *,
    states: Collection[JobState] = (),
    collection: str | None = None,
    tenant: str | None = None,
    before: float | None = None,
) -> list[str]:
    """Return the ended jobs that match; see `Client.ended`."""
    found = (
        list_statuses(storage, ledger)
        if collection is None
        else collection_statuses(storage, ledger, collection)
    )

    def fits(status: Status) -> bool:
        if not status.state.ended or (states and status.state not in states):
            return False
        end = load_end(storage, status.id, status.round) if before is not None else None
        if before is not None and (end is None or end.at >= before):
            return False
        return tenant is None or load_job(storage, status.id, 1).tenant == tenant

    return [status.id for status, fit in zip(found, each(fits, found), strict=True) if fit]


def remove(storage: Storage, ledger: Ledger, job_id: str) -> None:
    """Remove a job that has ended; raises NotFound, and Conflict while the job is at work."""
    now = status_if_readable(storage, ledger, job_id)
    if not now.state.ended:
        raise Conflict(f"job {job_id!r} is {now.state.value}: cancel it first")
    end = now.as_end(JobState.CANCELLED, now.round + 1)
    storage.create(Keys.end(job_id, end.round), end.model_dump_json().encode())
    each(storage.delete, _marks(storage, job_id))
    request, folder = Keys.job(job_id), Keys.job_folder(job_id)
    kept = {request, *(Keys.end(job_id, n) for n in range(1, end.round + 1))}
    each(storage.delete, [key for key in storage.keys(folder) if key not in kept])
    storage.delete(request)
    ledger.forget(job_id)
    each(storage.delete, list(storage.keys(folder)))


def _marks(storage: Storage, job_id: str) -> list[str]:
    """Return the keys by which lists find a job, and the marks of its outputs' size."""
    marks = [Keys.open(job_id)]
    if (time := storage.modified(Keys.job(job_id))) is not None:
        marks.append(Keys.submitted(job_id, time))
    with suppress(NotFound, Damaged, NewerRelease):
        # No round changes the collection, or the tenant.
        job = load_job(storage, job_id, 1)
        marks += storage.keys(Keys.kept(job.tenant, job_id))
        if job.collection:
            marks.append(Keys.collection(job.collection, job_id))
    return marks

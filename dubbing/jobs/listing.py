"""Which jobs there are: all, the newest, those of a state, or those of a collection."""

from __future__ import annotations

from collections.abc import Collection

from dubbing.errors import NotFound
from dubbing.job import JobState, is_identifier
from dubbing.jobs.status import Status, job_status
from dubbing.ledger import Ledger
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.storage.parallel import each


def list_jobs(
    storage: Storage,
    ledger: Ledger,
    *,
    states: Collection[JobState] = (),
    since: float = 0.0,
    limit: int | None = None,
) -> list[Status]:
    """Return jobs, the one that was handed in last first; see `Client.jobs`."""
    ids = storage.folders(Keys.JOBS)
    times = each(storage.modified, map(Keys.job, ids))
    dated = [(time, id_) for time, id_ in zip(times, ids, strict=True) if time is not None]
    found = [id_ for time, id_ in sorted(dated, reverse=True) if time >= since]
    if not states:
        # Where a job stands takes several calls, and those of no other job are needed.
        found = found[:limit]
    statuses = each(lambda id_: job_status(storage, ledger, id_), found)
    return [status for status in statuses if not states or status.state in states][:limit]


def collection_ids(storage: Storage, name: str) -> list[str]:
    """Return the ids of a collection's jobs, sorted; raises NotFound when there are none."""
    found: list[str] = []
    if is_identifier(name):
        prefix = Keys.batch_name(name)
        marked = sorted(key.removeprefix(prefix) for key in storage.keys(prefix))
        found = [id_ for id_ in marked if storage.exists(Keys.job(id_))]
    if not found:
        raise NotFound(f"there is no collection {name!r}")
    return found

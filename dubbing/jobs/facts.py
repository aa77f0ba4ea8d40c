"""The facts of a job that do not change within a round: its name, its tenant and its notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dubbing.errors import Damaged, NewerRelease, NotFound
from dubbing.job import Job
from dubbing.jobs.store import load_job
from dubbing.storage import Keys, Storage, each


@dataclass(frozen=True)
class JobFacts:
    """Facts of one job."""

    tenant: str
    collection: str | None
    language: str
    name: str
    """Beginning of the names of its files; its id if it has none."""
    metadata: dict[str, str]
    created: float | None
    """Seconds since 1970."""


def facts_of(job: Job, created: float | None) -> JobFacts:
    """Return the facts of a job. created: when it was stored, in seconds since 1970."""
    return JobFacts(
        tenant=job.tenant,
        collection=job.collection,
        language=job.language,
        name=job.output.name or job.id,
        metadata=dict(job.metadata),
        created=created,
    )


def load_facts(storage: Storage, ids: Sequence[str]) -> dict[str, JobFacts]:
    """Return the facts of jobs by id; unreadable and removed jobs are left out."""

    def load(id_: str) -> JobFacts | None:
        try:
            return facts_of(load_job(storage, id_), storage.modified(Keys.job(id_)))
        except (Damaged, NewerRelease, NotFound):
            return None

    return {id_: one for id_, one in zip(ids, each(load, ids), strict=True) if one}

"""Stored jobs: their requests, their rounds, the ends of rounds, and their collections."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, StringConstraints

from dubbing.documents import Document, is_identifier, stored
from dubbing.engines.usage import Use
from dubbing.errors import Damaged, ErrorRecord, NewerRelease, NotFound
from dubbing.job import Job, JobState
from dubbing.planning.outcome import round_numbers
from dubbing.planning.plan import (
    Reason,
    Round,
    read_round,
)
from dubbing.storage import Keys, Storage, each

OUTPUT = r"^jobs/[A-Za-z0-9][A-Za-z0-9._-]{0,99}/output/[0-9]+/[A-Za-z0-9]+/$"
"""The storage prefix of an output."""
HEAD = 4096
"""Bytes that hold the first line of any plan."""


class End(Document):
    """The end of a round: ``jobs/<job>/rounds/<n>/end.json``. The first stored end counts."""

    state: JobState
    round: int
    at: float = Field(default_factory=time.time)
    """Seconds since 1970."""
    output: Annotated[str, StringConstraints(pattern=OUTPUT)] | None = None
    """Storage prefix of the valid output; None when cancelled."""
    error: ErrorRecord | None = None
    lines: int = 0
    """Lines of the job."""
    done: int = 0
    """Lines that were finished, including failed ones."""
    failed: int = 0
    """Lines that could not be spoken."""
    used: tuple[Use, ...] = ()
    """Usage of engines in all rounds up to this one; only of a round with a report."""


def load_job(storage: Storage, job_id: str, round_: int | None = None) -> Job:
    """Return the request of a round, by default the newest; raises NotFound and Damaged."""
    round_ = latest_round(storage, job_id) if round_ is None else round_
    revision = load_round(storage, job_id, round_).request
    key = Keys.revision(job_id, revision) if revision else Keys.job(job_id)
    try:
        job = stored(Job, storage.get(key), key)
    except NotFound as exc:
        if revision:
            raise Damaged(key, "it is missing") from exc
        raise NotFound(f"there is no job {job_id!r}") from exc
    if job.id != job_id:
        raise Damaged(key, f"it is of another job, {job.id!r}")
    return job


def load_jobs(storage: Storage, ids: Iterable[str]) -> list[Job]:
    """Return the newest request of each readable job."""

    def load(id_: str) -> Job | None:
        try:
            return load_job(storage, id_)
        except (Damaged, NewerRelease):
            return None

    return [job for job in each(load, ids) if job]


def load_round(storage: Storage, job_id: str, round_: int) -> Round:
    """Return a round's header; a round that was never planned counts as a first submission."""
    key = Keys.plan(job_id, round_)
    try:
        return read_round(storage.get_range(key, 0, HEAD), key)
    except NotFound:
        return Round(reason=Reason.SUBMIT, asked=1)


def latest_round(storage: Storage, job_id: str) -> int:
    """Return the number of the newest round; 0 when there is none.

    An interrupted write may leave an empty folder, which is not a round.
    """
    for number in reversed(round_numbers(storage, job_id)):
        if storage.exists(Keys.plan(job_id, number)) or storage.exists(Keys.end(job_id, number)):
            return number
    return 0


def newest_round(storage: Storage, job_id: str) -> tuple[int, End | None]:
    """Return the number of the newest round and its end; 0 and None without a round."""
    for number in reversed(round_numbers(storage, job_id)):
        if end := load_end(storage, job_id, number):
            return number, end
        if storage.exists(Keys.plan(job_id, number)):
            return number, None
    return 0, None


def load_end(storage: Storage, job_id: str, round_: int) -> End | None:
    """Return the end of a round, or None if it has not ended."""
    key = Keys.end(job_id, round_)
    try:
        return stored(End, storage.get(key), key)
    except NotFound:
        return None


def collection_ids(storage: Storage, name: str) -> list[str]:
    """Return the ids of a collection's jobs, sorted; some may not be stored yet."""
    if not is_identifier(name):
        return []
    prefix = Keys.collection(name)
    return sorted(filter(is_identifier, (key.removeprefix(prefix) for key in storage.keys(prefix))))


def open_ids(storage: Storage) -> set[str]:
    """Return the ids of the jobs that are marked as open; some may not be stored."""
    return {
        id_ for key in storage.keys(Keys.OPEN) if is_identifier(id_ := key.removeprefix(Keys.OPEN))
    }

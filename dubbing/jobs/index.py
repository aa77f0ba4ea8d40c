"""The index of all jobs by the time of their submission.

Each job has a mark whose key begins with the time left until a moment in the far future. So a
listing begins with the latest jobs, and the cost of a page does not depend on the number of jobs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dubbing.documents import is_identifier
from dubbing.errors import BadInput
from dubbing.storage import Keys, Storage, each

CURSOR = re.compile(r"[0-9]{13}-[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def enter(storage: Storage, job_id: str) -> None:
    """Add a stored job. All callers write the same mark, so a repeated call is harmless."""
    time = storage.modified(Keys.job(job_id))
    if time is not None:
        storage.create(Keys.submitted(job_id, time), b"")


def submitted_before(
    storage: Storage, cursor: str | None, *, since: float = 0.0
) -> Iterator[tuple[str, str]]:
    """Yield a cursor and the id of each job that was submitted since a time, the latest first.

    cursor: cursor of the last seen job; None begins with the latest job. Raises BadInput for an
    invalid cursor.
    """
    if cursor is not None and not CURSOR.fullmatch(cursor):
        raise BadInput(f"{cursor[:40]!r} is no cursor of a page of jobs", where="cursor")
    for mark, id_ in _submitted(storage, since):
        place = mark.removeprefix(Keys.SUBMITTED)
        if cursor is None or place > cursor:
            yield place, id_


def _submitted(storage: Storage, since: float) -> Iterator[tuple[str, str]]:
    """Yield the mark and the id of each job that was submitted since a time, the latest first."""
    marks: Iterator[str] = storage.keys(Keys.SUBMITTED)
    if storage.path("") is not None:
        # Only a bucket lists its keys in order, page by page.
        marks = iter(sorted(marks))
    first = next(marks, "")
    if first != Keys.INDEXED:
        entered = [first, *marks]
        marks = iter(sorted([*entered, *_missing(storage, entered)]))
    seen: set[str] = set()
    for mark, id_, time in _read(marks):
        if time < since:
            return
        # A job has two marks when its documents were copied and a round was opened since.
        if id_ not in seen:
            seen.add(id_)
            yield mark, id_


def complete(storage: Storage) -> None:
    """Add the jobs without a mark, which clients of an earlier release submitted."""
    missing = _missing(storage, storage.keys(Keys.SUBMITTED))
    each(lambda mark: storage.create(mark, b""), missing)
    storage.create(Keys.INDEXED, b"")


def _missing(storage: Storage, marks: Iterable[str]) -> list[str]:
    """Return the missing marks; ``marks``: all existing ones."""
    entered = {id_ for _, id_, _ in _read(marks)}
    ids = [id_ for id_ in storage.folders(Keys.JOBS) if is_identifier(id_) and id_ not in entered]
    times = each(storage.modified, map(Keys.job, ids))
    return [
        Keys.submitted(id_, time) for id_, time in zip(ids, times, strict=True) if time is not None
    ]


def _read(marks: Iterable[str]) -> Iterator[tuple[str, str, float]]:
    """Yield each mark with its job and time; skip keys that are not marks."""
    for mark in marks:
        try:
            id_, time = Keys.submission(mark)
        except ValueError:
            continue
        if is_identifier(id_):
            yield mark, id_, time

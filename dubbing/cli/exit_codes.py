"""The exit codes, and the table that maps errors to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dubbing.errors import (
    BadInput,
    Conflict,
    Damaged,
    DubbingError,
    EngineMissing,
    NewerRelease,
    NotFound,
    QueueRefused,
    QueueUnavailable,
    StorageRefused,
    StorageUnavailable,
    WrongInstallation,
)
from dubbing.job import JobState

if TYPE_CHECKING:
    from dubbing.jobs.status import Status

DONE = 0
FAILED = 1
REFUSED = 2
"""The caller must change something."""
AWAY = 3
"""Redis or storage does not answer: nothing is known of the job, whose work may go on."""
INTERRUPTED = 130
"""Stopped by Ctrl-C; shells use the same code."""

BY_ERROR: Mapping[type[DubbingError], int] = {
    BadInput: REFUSED,
    Conflict: REFUSED,
    Damaged: REFUSED,
    NotFound: REFUSED,
    WrongInstallation: REFUSED,
    EngineMissing: REFUSED,
    NewerRelease: REFUSED,
    QueueRefused: REFUSED,
    StorageRefused: REFUSED,
    QueueUnavailable: AWAY,
    StorageUnavailable: AWAY,
    DubbingError: FAILED,
}
"""An error has the code of its nearest base class in this table."""


def of_error(exc: DubbingError) -> int:
    """Return the exit code of a command that ends with an error."""
    return next(BY_ERROR[kind] for kind in type(exc).__mro__ if kind in BY_ERROR)


def of_jobs(statuses: Iterable[Status]) -> int:
    """Return the exit code of a command that waited for jobs: 0 if all of them are completed."""
    return DONE if all(s.state is JobState.COMPLETED for s in statuses) else FAILED

"""Cancelling a job."""

from __future__ import annotations

from dubbing.job import JobState
from dubbing.jobs.rounds import end_round
from dubbing.jobs.status import Status, status_if_readable
from dubbing.jobs.store import latest_round
from dubbing.ledger import Ledger
from dubbing.storage import Storage


def cancel(storage: Storage, ledger: Ledger, job_id: str) -> Status:
    """Cancel a job, unless it has ended; return its end. The job need not be readable."""
    while not (now := status_if_readable(storage, ledger, job_id)).state.ended:
        # A job without a plan is in round 0; an end of round 1 prevents its planning. A repair may
        # have opened a round that the ledger does not know yet.
        round_ = max(1, now.round, latest_round(storage, job_id))
        end_round(storage, ledger, job_id, now.as_end(JobState.CANCELLED, round_))
    return now

"""The last step of a round: assemble, and say once and for all how it ended."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

from dubbing.assembly import assemble
from dubbing.errors import ClipUnreadable, DubbingError, MediaError, Permanent, Transient
from dubbing.job import Job, JobState
from dubbing.keys import Keys
from dubbing.rounds import (
    End,
    create_round,
    end_round,
    latest_round,
    load_end,
    load_job,
    put_to_work,
)
from dubbing.status import job_status
from dubbing.synthesis import MAX_DELIVERIES
from dubbing.work import Desk, Lease

DELIVERY = "the assembly"
"""Stands for the assembly among the ids of lines whose deliveries are counted."""
MAX_REPAIRS = 3
"""Rounds that only replace unreadable clips, before the storage is taken to be broken."""


def finish(desk: Desk, lease: Lease) -> str:
    """Assemble the round of ``lease`` and end it; return its state.

    When clips cannot be read, a round that speaks them again is opened instead.
    """
    job = load_job(desk.storage, lease.at.job)
    round_ = lease.at.round
    if ended := load_end(desk.storage, job.name, round_):
        return end_round(desk.storage, desk.ledger, job.name, ended).state.value
    if latest_round(desk.storage, job.name) != round_:
        return _give_way(desk, job)
    run = secrets.token_hex(4)
    try:
        _count_delivery(desk, job)
        with tempfile.TemporaryDirectory(prefix="dubbing-") as folder:
            report = assemble(job, round_, run, desk.storage, Path(folder), check=lease.check)
    except ClipUnreadable as exc:
        if _repairs(desk, job, round_) < MAX_REPAIRS:
            return _repair(desk, job, round_, exc)
        return _fail(desk, job, round_, exc)
    except Permanent as exc:
        return _fail(desk, job, round_, exc)
    except Transient:
        # This process lives: what it hands back does not count as a death.
        desk.ledger.forgive(job.name, [DELIVERY])
        raise
    lease.check()
    end = End(
        state=report.state,
        round=round_,
        output=Keys.output(job.name, round_, run),
        **_counts(desk, job, round_),
    )
    return end_round(desk.storage, desk.ledger, job.name, end).state.value


def _count_delivery(desk: Desk, job: Job) -> None:
    before = desk.ledger.deliver_again(job.name, DELIVERY)
    if before >= MAX_DELIVERIES:
        raise MediaError(
            f"assembly was begun {before} times and never finished: see its workers' logs"
        )


def _repairs(desk: Desk, job: Job, round_: int) -> int:
    """Return how many of the rounds before this one never ended: a repair followed each."""
    return sum(1 for n in range(1, round_) if load_end(desk.storage, job.name, n) is None)


def _repair(desk: Desk, job: Job, round_: int, exc: ClipUnreadable) -> str:
    damaged = set(exc.segments)
    again = [segment for segment in job.segments if segment.id in damaged]
    if latest_round(desk.storage, job.name) == round_:
        create_round(desk.storage, job, round_ + 1, again)
    if ended := load_end(desk.storage, job.name, round_):
        # It was cancelled while the clips were looked through: so is the repair.
        end = ended.model_copy(update={"round": round_ + 1})
        return end_round(desk.storage, desk.ledger, job.name, end).state.value
    return _give_way(desk, job)


def _give_way(desk: Desk, job: Job) -> str:
    """Put the newer round of a job to work."""
    desk.publisher.fill(sorted(put_to_work(desk.storage, desk.ledger, job)))
    return "a newer round goes on"


def _fail(desk: Desk, job: Job, round_: int, exc: DubbingError) -> str:
    end = End(
        state=JobState.FAILED,
        round=round_,
        error=exc.to_record(),
        **_counts(desk, job, round_),
    )
    return end_round(desk.storage, desk.ledger, job.name, end).state.value


def _counts(desk: Desk, job: Job, round_: int) -> dict[str, int]:
    now = job_status(desk.storage, desk.ledger, job.name)
    if now.round != round_:
        return {}
    return {"lines": now.lines, "done": now.done, "failed": now.failed}

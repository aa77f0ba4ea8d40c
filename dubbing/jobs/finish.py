"""The last step of a round: assemble, and record how the round ended."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from dubbing.assembly.assemble import assemble
from dubbing.assembly.demucs import NONE, Separator
from dubbing.assembly.report import Report
from dubbing.engines.published import published_specs
from dubbing.engines.usage import EndpointUse, by_engine
from dubbing.errors import (
    ClipUnreadable,
    DubbingError,
    GivenUp,
    Permanent,
    ResultUnreadable,
    Stopped,
    StorageUnavailable,
    Transient,
    WorkerEnds,
)
from dubbing.job import Job, JobState
from dubbing.jobs.batch_work import BatchRunner, bound_of
from dubbing.jobs.counting import count_error
from dubbing.jobs.lease import Lease
from dubbing.jobs.rounds import create_round, end_round, start
from dubbing.jobs.status import job_status
from dubbing.jobs.store import End, latest_round, load_end, load_job, load_round
from dubbing.media.scratch import scratch
from dubbing.planning.casting import cast_lines, fall_back, heard_voices
from dubbing.planning.outcome import History, Outcome, history
from dubbing.planning.pace import keep_paces
from dubbing.planning.plan import CastLine, Kind, Reason
from dubbing.storage.keys import Keys
from dubbing.synthesis.speak import MAX_DELIVERIES
from dubbing.telemetry.metrics import PROGRAMME
from dubbing.text.sounds import voiced

DELIVERY = "the assembly"
"""Id of the assembly among the ids of lines whose deliveries are counted."""
LATE_RESULTS = (0.5, 1.5, 3.0)
"""Pauses in seconds before further tries to read counted results."""
MAX_REPAIRS = 3
"""Maximum number of repair rounds per request: the need for more shows broken storage."""


def finish(
    runner: BatchRunner,
    lease: Lease,
    check: Callable[[], None] = lambda: None,
    separator: Separator = NONE,
) -> str:
    """Assemble the round of ``lease`` and end it; return its state.

    When failed lines have another engine left, or when clips or results cannot be read, another
    round is opened instead.

    check: called every few seconds of the programme; raises WorkerEnds to stop the work.
    separator: this worker's.
    """
    round_ = lease.at.round
    job = load_job(runner.storage, lease.at.job, round_)
    if ended := load_end(runner.storage, job.id, round_):
        return end_round(runner.storage, runner.ledger, job.id, ended).state.value
    if latest_round(runner.storage, job.id) != round_:
        return _give_way(runner, job)
    try:
        return _advance(runner, lease, job, check, separator)
    except Permanent as exc:
        return _fail(runner, lease, exc)
    except WorkerEnds:
        runner.ledger.forgive(job.id, [DELIVERY])
        raise
    except Stopped:
        raise
    except Transient as exc:
        # This process is alive, so the returned batch does not count as a death.
        runner.ledger.forgive(job.id, [DELIVERY])
        bound = bound_of(exc)
        if bound is None or lease.set_back(exc) < bound:
            raise
        return _fail(runner, lease, exc)


def _advance(
    runner: BatchRunner, lease: Lease, job: Job, check: Callable[[], None], separator: Separator
) -> str:
    round_, run = lease.at.round, secrets.token_hex(4)
    _count_delivery(lease)
    outcomes, used = _history(runner, lease)
    if lost := [outcome for outcome in outcomes.values() if outcome.lost]:
        unreadable = ResultUnreadable([outcome.line.id for outcome in lost])
        return _repair(runner, lease, job, map(_asked_again, lost), unreadable)
    if unplanned := [line for line in voiced(job).segments if line.id not in outcomes]:
        # Retention removed the plans of earlier rounds while this round was opened.
        unreadable = ResultUnreadable([line.id for line in unplanned])
        specs = published_specs(runner.storage)
        again = cast_lines(job, unplanned, specs, heard_voices(job, outcomes))
        return _repair(runner, lease, job, again, unreadable)
    if lines := fall_back(job, outcomes, published_specs(runner.storage)):
        return _go_on(runner, lease, job, Reason.FALLBACK, lines)
    keep_paces(runner.storage, outcomes.values())
    try:
        report = _assemble(runner, lease, job, outcomes, run, check, used, separator)
    except ClipUnreadable as exc:
        lines = [_asked_again(outcomes[id_], exc.found.get(id_, "")) for id_ in exc.segments]
        return _repair(runner, lease, job, lines, exc)
    runner.check_in_charge(lease)
    PROGRAMME.add(by=report.seconds or 0.0)
    end = End(
        state=report.state,
        round=round_,
        output=Keys.output(job.id, round_, run),
        lines=len(report.lines),
        done=len(report.lines),
        failed=sum(1 for line in report.lines if line.error),
        used=by_engine(used),
    )
    return end_round(runner.storage, runner.ledger, job.id, end).state.value


def _history(runner: BatchRunner, lease: Lease) -> History:
    """Return the history; wait for results that storage does not show yet."""
    found = history(runner.storage, lease.at.job, lease.at.round)
    for pause in LATE_RESULTS:
        if not any(outcome.lost for outcome in found.outcomes.values()):
            break
        time.sleep(pause)
        lease.check()
        found = history(runner.storage, lease.at.job, lease.at.round)
    return found


def _count_delivery(lease: Lease) -> None:
    if lease.begin_alone(DELIVERY) >= MAX_DELIVERIES:
        raise GivenUp("assembly")


def _assemble(
    runner: BatchRunner,
    lease: Lease,
    job: Job,
    outcomes: Mapping[str, Outcome],
    run: str,
    check: Callable[[], None],
    used: Sequence[EndpointUse],
    separator: Separator,
) -> Report:
    round_ = lease.at.round
    planned = load_round(runner.storage, job.id, round_)

    def go_on() -> None:
        check()
        lease.check()

    with scratch() as folder:
        return assemble(
            job,
            round_,
            run,
            outcomes,
            runner.storage,
            folder,
            asked=planned.asked,
            request_id=planned.request_id,
            used=used,
            separator=separator,
            check=go_on,
        )


def _repair(
    runner: BatchRunner, lease: Lease, job: Job, lines: Iterable[CastLine], exc: Permanent
) -> str:
    if _repairs(runner, job, lease.at.round) >= MAX_REPAIRS:
        return _fail(runner, lease, exc)
    return _go_on(runner, lease, job, Reason.REPAIR, list(lines))


def _asked_again(lost: Outcome, refused: str = "") -> CastLine:
    """Return a line as it was requested.

    refused: SHA-256 of the clip under its key, which must not be taken again.
    """
    line = lost.line.model_copy(update={"refused": refused})
    return CastLine(lost.batch.engine, lost.batch.voice, line)


def _repairs(runner: BatchRunner, job: Job, round_: int) -> int:
    """Return the number of repair rounds since the last requested round."""
    first = load_round(runner.storage, job.id, round_).asked
    rounds = (load_round(runner.storage, job.id, n) for n in range(first, round_ + 1))
    return sum(1 for planned in rounds if planned.reason is Reason.REPAIR)


def _go_on(
    runner: BatchRunner, lease: Lease, job: Job, reason: Reason, lines: Sequence[CastLine]
) -> str:
    """Open a round that speaks ``lines``; the current round then gets no end."""
    runner.check_in_charge(lease)
    round_ = lease.at.round
    now = load_round(runner.storage, job.id, round_)
    if latest_round(runner.storage, job.id) == round_:
        following = now.model_copy(update={"reason": reason})
        create_round(runner.storage, job, round_ + 1, following, lines)
    ended = load_end(runner.storage, job.id, round_)
    if ended and load_round(runner.storage, job.id, round_ + 1).asked == now.asked:
        # The job was cancelled during assembly, so the new round ends as cancelled too.
        end = ended.model_copy(update={"round": round_ + 1})
        return end_round(runner.storage, runner.ledger, job.id, end).state.value
    return _give_way(runner, job)


def _give_way(runner: BatchRunner, job: Job) -> str:
    """Start the newer round of a job."""
    start(runner.storage, runner.ledger, runner.publisher, job)
    return "a newer round goes on"


def _fail(runner: BatchRunner, lease: Lease, exc: DubbingError) -> str:
    runner.check_in_charge(lease)
    job_id = lease.at.job
    now = job_status(runner.storage, runner.ledger, job_id)
    end = now.as_end(JobState.FAILED, lease.at.round, exc)
    count_error(Kind.ASSEMBLY.value, end.error)
    try:
        return end_round(runner.storage, runner.ledger, job_id, end).state.value
    except StorageUnavailable:
        lease.forget_setbacks()
        raise

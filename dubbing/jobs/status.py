"""The status of jobs, from the ledger, or from storage when a job has ended or Redis lost it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Any

from pydantic import Field

from dubbing.documents import Model
from dubbing.engines.usage import Use
from dubbing.errors import Damaged, DubbingError, ErrorRecord, NewerRelease, NotFound
from dubbing.job import JobState
from dubbing.jobs.index import submitted_before
from dubbing.jobs.store import End, collection_ids, load_end, load_job, newest_round, open_ids
from dubbing.ledger import Ledger, Snapshot, SnapshotResult, Standing, WorkerRecord
from dubbing.planning.plan import Kind, engine_of, read_refs
from dubbing.storage import Keys, Storage, each

OPEN = {JobState.QUEUED, JobState.SYNTHESIZING, JobState.ASSEMBLING, JobState.UNKNOWN}
"""States of a job that is marked as open."""
PAGE = 200
"""Number of jobs to read together."""


class Status(Model):
    """The status of a job."""

    id: str
    state: JobState
    round: int
    lines: int
    """Lines of the job."""
    done: int = 0
    """Lines that are finished, including failed ones and those that this round leaves unchanged."""
    failed: int = 0
    """Lines that could not be spoken; until the round has ended, those of this round."""
    output: str | None = None
    """Storage prefix of the output; until a later round is complete, that of the round before."""
    error: ErrorRecord | None = None
    """Why the job failed, if its lines are not the cause."""
    place: int | None = None
    """Number of batches before its next one; None if none of its batches waits."""
    seconds_left: float | None = None
    """Estimated seconds until its end, by the recent pace; None while unknown.

    Assembly counts as nothing until one was done.
    """
    lacks: tuple[str, ...] = ()
    """Engines, or ``assembly``, that it needs and for which no online worker takes work."""
    unable: dict[str, str] = Field(default_factory=dict)
    """Engines of ``lacks`` that online workers could not load, and why."""
    faults: dict[str, str] = Field(default_factory=dict)
    """Engines of ``lacks``, or ``assembly``, whose online workers take no work for now, and why."""
    loading: tuple[str, ...] = ()
    """Engines that it needs, and that all online workers for them are still loading."""
    used: tuple[Use, ...] = ()
    """Usage of engines in all its rounds; known when a round ends with a report."""
    redis_away: str = ""
    """Why Redis could not be asked. Storage holds the ends of rounds and the spoken lines, but not
    the work under way."""

    def as_end(self, state: JobState, round_: int, error: DubbingError | None = None) -> End:
        """Return the end of a round, now."""
        return End(
            state=state,
            round=round_,
            error=error.to_record() if error else None,
            lines=self.lines,
            done=self.done,
            failed=self.failed,
        )


def job_status(storage: Storage, ledger: Ledger | None, job_id: str) -> Status:
    """Return the status of a job; raises NotFound, Damaged and NewerRelease.

    ledger: None if Redis is away; then storage alone is read.
    """
    if ledger is None:
        return _status(storage, job_id, None, None)
    return _status(storage, job_id, ledger.standings.snapshot(job_id), ledger.crew.workers)


def status_if_readable(storage: Storage, ledger: Ledger | None, job_id: str) -> Status:
    """Like `job_status`, but a damaged job, or one of a newer release, is ``unreadable``."""
    try:
        return job_status(storage, ledger, job_id)
    except (Damaged, NewerRelease) as exc:
        return _unreadable(job_id, exc)


def statuses_of(storage: Storage, ledger: Ledger | None, ids: Sequence[str]) -> list[Status]:
    """Return the status of jobs, in the order of ``ids``, with one call to the ledger.

    A job that cannot be read is unreadable; a job that was removed meanwhile is left out.
    ledger: as in `job_status`.
    """
    snapshots: Sequence[SnapshotResult] = (
        ledger.standings.snapshots(ids) if ledger else [None] * len(ids)
    )
    active = any(isinstance(known, Snapshot) and not known.state.ended for known in snapshots)
    with ThreadPoolExecutor(1, thread_name_prefix="workers") as pool:
        # The answer arrives while storage is read for jobs that have ended.
        workers = pool.submit(ledger.crew.workers if ledger and active else list).result

        def status_of(asked: tuple[str, SnapshotResult]) -> Status | None:
            id_, known = asked
            try:
                if isinstance(known, NewerRelease):
                    raise known
                return _status(storage, id_, known, workers if ledger else None)
            except NotFound:
                return None
            except (Damaged, NewerRelease) as exc:
                return _unreadable(id_, exc)

        found = each(status_of, zip(ids, snapshots, strict=True))
    return [status for status in found if status]


def collection_statuses(storage: Storage, ledger: Ledger | None, name: str) -> list[Status]:
    """Return the status of a collection's jobs, by id; raises NotFound when there are none."""
    found = statuses_of(storage, ledger, collection_ids(storage, name))
    if not found:
        raise NotFound(f"there is no collection {name!r}")
    return found


def list_statuses(
    storage: Storage,
    ledger: Ledger | None,
    *,
    states: Collection[JobState] = (),
    since: float = 0.0,
    limit: int | None = None,
) -> list[Status]:
    """Return the status of jobs, the last submitted first; see `Client.jobs`."""
    marks = candidates(storage, states, submitted_before(storage, None, since=since))
    ids = (id_ for _, id_ in marks)
    # By state, only one of many jobs may match.
    page = PAGE if states or limit is None else limit
    # Without Redis, a job that has not ended may be in any of its states.
    wanted = {*states, JobState.UNKNOWN} if OPEN.intersection(states) else states
    found: list[Status] = []
    while (limit is None or len(found) < limit) and (some := list(islice(ids, page))):
        statuses = statuses_of(storage, ledger, some)
        found += [status for status in statuses if not states or status.state in wanted]
    return found[:limit]


def candidates(
    storage: Storage, states: Collection[JobState], marks: Iterator[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield the marks of the jobs that may be in one of the states; no states: any.

    marks: as of `submitted_before`.
    """
    if not states or not OPEN.issuperset(states):
        yield from marks
        return
    marked = open_ids(storage)
    while marked and (mark := next(marks, None)):
        if mark[1] in marked:
            marked.remove(mark[1])
            yield mark


def _status(
    storage: Storage,
    job_id: str,
    known: Snapshot | None,
    workers: Callable[[], Sequence[WorkerRecord]] | None,
) -> Status:
    """Return the status of a job; raises as `job_status` does.

    known: the ledger's entry.
    workers: returns the workers of the ledger; None if Redis is away.
    """
    if workers is None:
        status = _stored_status(storage, job_id, JobState.UNKNOWN)
    elif known is None or known.state.ended:
        status = _stored_status(storage, job_id, JobState.QUEUED)
    else:
        status = _live_status(job_id, known, workers)
    if status.round > 1 and status.state is not JobState.COMPLETED:
        kept = _kept_output(storage, job_id, status.round)
        status = status.model_copy(update={"output": kept or status.output})
    return status


def _unreadable(job_id: str, exc: DubbingError) -> Status:
    state, error = JobState.UNREADABLE, exc.to_record()
    return Status(id=job_id, state=state, round=0, lines=0, error=error)


def _live_status(
    job_id: str, known: Snapshot, workers: Callable[[], Sequence[WorkerRecord]]
) -> Status:
    outlook = _outlook(known.standings)
    # Workers matter only to a job that waits, or that lacks some.
    if outlook["lacks"] or known.state is JobState.QUEUED:
        outlook |= _hindrances(known.standings, outlook["lacks"], workers())
    return Status(
        id=job_id,
        state=known.state,
        round=known.round,
        lines=known.lines,
        done=known.done,
        failed=known.failed,
        **outlook,
    )


def _outlook(standings: Sequence[Standing]) -> dict[str, Any]:
    """Return the place, the time and the lacks of a job."""
    ahead = [standing.ahead for standing in standings if standing.ahead is not None]
    return {
        "place": min(ahead, default=None),
        "seconds_left": seconds_left(standings),
        "lacks": lacks_of(standings),
    }


def lacks_of(standings: Iterable[Standing]) -> tuple[str, ...]:
    """Return the engines, or ``assembly``, for which no online worker takes work."""
    return tuple(sorted({engine_of(at.queue) for at in standings if not at.slots}))


def _hindrances(
    standings: Sequence[Standing], lacks: Sequence[str], workers: Sequence[WorkerRecord]
) -> dict[str, Any]:
    """Return why online workers take no work that a job lacks: failed loads, faults, loading."""
    online = [worker for worker in workers if worker.online]
    unable = {
        engine: why
        for worker in online
        for engine, why in worker.holding.resting.items()
        if why and engine in lacks
    }
    faults = {
        name: worker.holding.fault
        for worker in online
        for name in worker.engines
        if worker.holding.fault and name in lacks
    }
    faults |= {
        name: why for worker in online for name, why in worker.holding.away.items() if name in lacks
    }
    begun = {queue for worker in online if worker.holding.begun for queue in worker.queues}
    taken = {queue for worker in online for queue in worker.queues}
    loading = {engine_of(at.queue) for at in standings if at.queue in taken - begun}
    return {"unable": unable, "faults": faults, "loading": tuple(sorted(loading))}


def seconds_left(standings: Sequence[Standing]) -> float | None:
    """Return the time of the slowest engine, and of assembly after it; None while unknown."""
    if not all(standing.slots for standing in standings):
        return None
    engines: dict[str, float] = defaultdict(float)
    assembly = 0.0
    for standing in standings:
        if standing.queue == Kind.ASSEMBLY:
            assembly = standing.seconds or 0.0
        elif standing.seconds is None:
            return None
        else:
            engines[engine_of(standing.queue)] += standing.seconds
    left = max(engines.values(), default=0.0) + assembly
    return round(left, 1) if left else None


def ended_status(storage: Storage, job_id: str, round_: int) -> Status:
    """Return the status of a job at the end of a round; raises NotFound if it has not ended."""
    end = load_end(storage, job_id, round_)
    if end is None:
        raise NotFound(f"round {round_} of job {job_id!r} has not ended")
    return _of_end(job_id, end)


def _of_end(job_id: str, end: End) -> Status:
    return Status(id=job_id, **end.model_dump(exclude={"at", "format"}))


def _stored_status(storage: Storage, job_id: str, unended: JobState) -> Status:
    """Return the status of a job in storage. unended: its state if it has not ended."""
    round_, end = newest_round(storage, job_id)
    if end:
        return _of_end(job_id, end)
    lines = len(load_job(storage, job_id, round_ or 1).segments)
    left = _left(storage, job_id, round_) if round_ else lines
    return Status(id=job_id, state=unended, round=round_, lines=lines, done=lines - left)


def _kept_output(storage: Storage, job_id: str, round_: int) -> str | None:
    """Return the output of the last completed round before this one, if it is readable."""
    for before in range(round_ - 1, 0, -1):
        with suppress(Damaged, NewerRelease):
            end = load_end(storage, job_id, before)
            if end and end.state is JobState.COMPLETED:
                return end.output
    return None


def _left(storage: Storage, job_id: str, round_: int) -> int:
    """Return the number of lines of a round without a result."""
    plan = Keys.plan(job_id, round_)
    refs = read_refs(storage.get(plan), plan)
    stored = set(storage.keys(Keys.results(job_id, round_)))
    return sum(r.lines for r in refs if Keys.result(job_id, round_, r.number) not in stored)

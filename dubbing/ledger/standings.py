"""The standings of jobs: their progress, and the batches before their next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

from dubbing.errors import NewerRelease
from dubbing.job import JobState
from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

AT_ONCE = 50
"""Jobs in one call of the script, during which Redis serves nobody else: some milliseconds."""
COUNTS = ("round", "lines", "done", "failed", "closed")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The state and progress of a job in the ledger."""

    round: int
    state: JobState
    lines: int
    """Lines of the job."""
    done: int
    """Lines that the round leaves unchanged, and all lines of counted batches, even failed ones."""
    failed: int
    closed: int
    """Batches counted so far."""
    standings: Sequence[Standing] = ()
    """The standing of an active job on each queue with work for it, always including that of
    assembly."""


SnapshotResult: TypeAlias = "Snapshot | NewerRelease | None"
"""A snapshot; an error for a state of a newer release; None for an unknown job."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The standing of a job on one queue, or its future standing on that of assembly."""

    queue: str
    ahead: int | None
    """Batches that come before the job's next one; None if no batch of the job waits."""
    work: float
    """Batches up to and including the job's last one; a batch in progress counts half."""
    slots: int
    """Simultaneous batches of all online workers."""
    pace: float | None
    """Seconds of a slot for such a batch, by recent batches; None if none was done."""

    @property
    def seconds(self) -> float | None:
        """Seconds until the job's last batch is done; None while unknown."""
        if not self.slots or self.pace is None:
            return None
        if not self.work:
            return 0.0
        # When the last batch ends, the other slots are halfway through batches that follow it.
        share = (self.work + (self.slots - 1) / 2) / self.slots
        return self.pace * max(share, min(self.work, 1.0))


@dataclass(frozen=True, kw_only=True)
class Prospect(Standing):
    """The prospect of jobs on one queue, if they were submitted now."""

    costs: Mapping[str, float]
    """Mean cost of a line in recent batches, in millionths, by currency."""


class Standings:
    """The standings of all jobs. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def snapshot(self, job: str) -> Snapshot | None:
        """Return the snapshot of a job, or None for an unknown job.

        Raises NewerRelease for a state that only a newer release knows.
        """
        (known,) = self.snapshots([job])
        if isinstance(known, NewerRelease):
            raise known
        return known

    def snapshots(self, jobs: Sequence[str]) -> list[SnapshotResult]:
        """Return the snapshots of jobs, in one round trip."""
        calls = [("snapshots", jobs[n : n + AT_ONCE]) for n in range(0, len(jobs), AT_ONCE)]
        answers = chain.from_iterable(self._server.run_all(calls))
        return [_snapshot(job, *answer) for job, answer in zip(jobs, answers, strict=True)]

    def foresee(self, tenant: str, batches: Mapping[str, int]) -> list[Prospect]:
        """Return the prospects of a tenant's jobs, taken together, if they were submitted now.

        batches: number of their batches on each queue.
        The last prospect is that of assembly, for one second of a programme.
        """
        answers = self._server.run("foresee", tenant, *chain.from_iterable(batches.items()))
        return [_prospect(*answer) for answer in answers]

    def states(self, jobs: Sequence[str]) -> list[tuple[str, str]]:
        """Return the tenant and the state of each known job, as Redis has them.

        This costs less than `snapshots`.
        """
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.hmget(f"{PREFIX}job:{job}", "tenant", "state")
            found = pipe.execute()
        return [(tenant, state) for tenant, state in found if tenant and state]


def _snapshot(
    job: str, fields: Sequence[str | None], standings: Sequence[Sequence[Any]]
) -> SnapshotResult:
    """Return an answer of the script ``snapshots``."""
    state, *counts = (field or "" for field in fields)
    try:
        numbers = dict(zip(COUNTS, map(int, counts), strict=True))
    except ValueError:
        # Redis lost a part or all of it; storage has it.
        return None
    if not state:
        return None
    places = [_standing(*standing) for standing in standings]
    try:
        return Snapshot(state=JobState(state), standings=places, **numbers)
    except ValueError:
        return NewerRelease(f"the state of job {job!r}, {state!r},")


def _prospect(queue: str, work: str, slots: int, pace: str, costs: Sequence[str]) -> Prospect:
    """Return an answer of the script ``foresee``."""
    return Prospect(
        queue=queue,
        ahead=None,
        work=float(work),
        slots=slots,
        pace=float(pace) if pace else None,
        costs=dict(zip(costs[::2], map(float, costs[1::2]), strict=True)),
    )


def _standing(queue: str, ahead: str | int, work: str, slots: int, pace: str) -> Standing:
    return Standing(
        queue=queue,
        ahead=None if ahead == "" else int(ahead),
        work=float(work),
        slots=slots,
        pace=float(pace) if pace else None,
    )

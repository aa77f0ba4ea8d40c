"""The standings of jobs: how far each has come, and what comes before its next batch."""

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
"""Jobs whose standings Redis tells in one go: it serves nobody else for some milliseconds."""
COUNTS = ("round", "lines", "done", "failed", "closed")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The snapshot of a job in the ledger."""

    round: int
    state: JobState
    lines: int
    """Lines of the job."""
    done: int
    """Lines that the round leaves unchanged, and all lines of closed batches, also failed ones."""
    failed: int
    closed: int
    """Batches counted so far."""
    standings: Sequence[Standing] = ()
    """The standing of an active job on each queue with work for it; assembly is one of them from
    the start."""


SnapshotResult: TypeAlias = "Snapshot | NewerRelease | None"
"""What the ledger knows of a job: an error for a state of a newer release, None for no such job."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The standing of a job on one queue, or its future standing on that of assembly."""

    queue: str
    ahead: int | None
    """Batches that are begun before the job's next one; None when no batch of the job waits."""
    work: float
    """Batches until the job's last one is done, including it; a batch in progress counts half."""
    slots: int
    """Batches that the online workers do at once."""
    pace: float | None
    """Seconds that a slot needs for such a batch, by recent ones; None when none was done."""

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
    """What a line cost in the mean of recent batches, in millionths, by currency."""


class Standings:
    """The standings of all jobs. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def snapshot(self, job: str) -> Snapshot | None:
        """Return the snapshot of a job, or None when the ledger does not know it.

        Raises NewerRelease when a newer release gave it a state that this one does not know.
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
        """Return where jobs of a tenant would stand, taken as one, if they were submitted now.

        batches: how many they would have on each queue.
        The last prospect is that of assembly, for one second of a programme.
        """
        answers = self._server.run("foresee", tenant, *chain.from_iterable(batches.items()))
        return [_prospect(*answer) for answer in answers]

    def states(self, jobs: Sequence[str]) -> list[tuple[str, str]]:
        """Return the tenant and the state of each job that the ledger knows, as they are written.

        It costs less than `snapshots`, which tell more.
        """
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.hmget(f"{PREFIX}job:{job}", "tenant", "state")
            found = pipe.execute()
        return [(tenant, state) for tenant, state in found if tenant and state]


def _snapshot(
    job: str, fields: Sequence[str | None], standings: Sequence[Sequence[Any]]
) -> SnapshotResult:
    """Return what the script ``snapshots`` tells of a job."""
    state, *counts = (field or "" for field in fields)
    try:
        numbers = dict(zip(COUNTS, map(int, counts), strict=True))
    except ValueError:
        # Redis lost some of it or all of it; storage knows.
        return None
    if not state:
        return None
    places = [_standing(*standing) for standing in standings]
    try:
        return Snapshot(state=JobState(state), standings=places, **numbers)
    except ValueError:
        return NewerRelease(f"the state of job {job!r}, {state!r},")


def _prospect(queue: str, work: str, slots: int, pace: str, costs: Sequence[str]) -> Prospect:
    """Return what the script ``foresee`` tells of a queue."""
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

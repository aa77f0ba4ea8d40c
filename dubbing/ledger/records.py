"""Arguments and answers of the ledger: addresses, claims, snapshots, heartbeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import Field, StringConstraints

from dubbing.documents import Identifier, Model
from dubbing.engines.holding import Holding
from dubbing.errors import NewerRelease
from dubbing.job import JobState
from dubbing.ledger.vitals import Vitals, Work
from dubbing.planning.plan import Kind

PREFIX = "dubbing:"
"""Prefix of every key."""
ASSEMBLY_TOKEN = "assembly"  # noqa: S105 - a batch's token, not a password
BATCH_PATTERN = (
    r"^(assembly|[0-9]{1,9}:[0-9]{1,15}:[0-9]{1,15}:[0-9]{1,9}(\.[0-9]{1,9})?(e\+[0-9]{1,2})?"
    r":[0-9]{1,9}(:.*)?)$"
)
"""Number, offset, length, deadline and lines of a batch; a newer release may add to them."""
ASSEMBLY_DEADLINE = 6 * 3600.0
"""Seconds after which an assembly counts as hung."""
COUNTS = ("round", "lines", "done", "failed", "closed")
OFFLINE_SECONDS = 30.0
"""A worker without a heartbeat for this long is offline; the scripts do not count its slots."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A batch as a message names it."""

    job: Identifier
    round: Annotated[int, Field(ge=1)]
    token: Annotated[str, StringConstraints(pattern=BATCH_PATTERN)]
    queue: Annotated[str, StringConstraints(min_length=1)]
    late: bool = field(default=False, compare=False)
    """Whether it was sent before; if so, it goes ahead of new batches."""
    request_id: Identifier | None = field(default=None, compare=False)
    """Id of the request over HTTP that asked for its round."""
    tenant: Identifier | None = field(default=None, compare=False)
    """Whose job it is; an older release does not tell."""

    @property
    def number(self) -> int | None:
        """The batch's number, or None for an assembly."""
        return None if self.token == ASSEMBLY_TOKEN else int(self.token.split(":")[0])

    @property
    def span(self) -> tuple[int, int]:
        """Offset and length of the batch in ``plan.jsonl``, in bytes."""
        _, offset, length, *_ = self.token.split(":")
        return int(offset), int(length)

    @property
    def deadline(self) -> float:
        """Seconds that a worker may take for the batch."""
        return ASSEMBLY_DEADLINE if self.number is None else float(self.token.split(":")[3])

    @property
    def work(self) -> str:
        """The argument of the batch's workers: its engine, or ``assembly``."""
        return self.queue.partition(".")[2] or self.queue

    @property
    def context(self) -> dict[str, object]:
        """Job, round, batch, request and tenant, for the lines of a log."""
        batch = Kind.ASSEMBLY.value if self.number is None else self.number
        return {
            "job": self.job,
            "round": self.round,
            "batch": batch,
            "request": self.request_id,
            "tenant": self.tenant,
        }

    def __str__(self) -> str:
        """Return job, round and batch as messages name them: ``e01.de/1/0``."""
        return f"{self.job}/{self.round}/{self.context['batch']}"

    @property
    def kind(self) -> Kind:
        """What the batch asks for."""
        return Kind(self.queue.split(".")[0])


class Claim(StrEnum):
    """The answer to a worker that claims a batch."""

    RUN = "run"
    CLOSED = "closed"
    BUSY = "busy"
    OVER = "over"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What follows when a worker begins a batch."""

    counts: Mapping[str, int] | None
    """How often each of its lines was begun before and not finished; None when the batch is not the
    worker's any more."""
    send: Sequence[Address]
    """Batches to publish."""
    following: Address | None
    """The next batch, reserved for this worker."""


class Audit(StrEnum):
    """Whether the entries of a job add up to the batches that it lacks."""

    SOUND = "sound"
    BROKEN = "broken"
    """Redis lost some of them."""
    UNKNOWN = "unknown"
    OVER = "over"
    """The ledger's round has ended."""


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


def read_snapshot(
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


def read_prospect(queue: str, work: str, slots: int, pace: str, costs: Sequence[str]) -> Prospect:
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


class WorkerState(StrEnum):
    """The state of a worker."""

    STANDBY = "standby"
    """Online, but takes no work until an order to load."""
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    ERROR = "error"
    """At least one of its processes could not load an engine, cannot use storage, or was given work
    of a newer release."""
    OFFLINE = "offline"
    """Its last heartbeat is too long ago."""
    UNKNOWN = "unknown"
    """A newer release names another state, or its heartbeat cannot be read."""

    @classmethod
    def _missing_(cls, value: object) -> WorkerState:
        return cls.UNKNOWN


class WorkerRecord(Model):
    """A worker as its heartbeat describes it."""

    name: str
    engines: tuple[str, ...]
    """The engines that it was started for, or ``assembly``."""
    queues: tuple[str, ...]
    """Queues that it takes work from."""
    slots: int
    """Batches that it does at once."""
    state: WorkerState
    since: float = 0.0
    """When it started, in seconds since 1970."""
    holding: Holding = Holding()
    """What its processes hold together."""
    errors: tuple[str, ...] = ()
    """Why any of its processes takes no work, or none for an engine or for ``assembly``."""
    active: int = 0
    """Batches in progress at its last heartbeat."""
    work: Work = Work()
    """Its finished work since its start."""
    vitals: Vitals = Vitals()
    age: float = 0.0
    """Seconds since its last heartbeat, as the ledger tells."""

    @property
    def online(self) -> bool:
        """Whether the worker has sent a heartbeat lately."""
        return self.state is not WorkerState.OFFLINE

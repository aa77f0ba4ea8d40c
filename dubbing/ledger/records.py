"""Arguments and answers of the ledger: addresses, claims, heartbeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from dubbing.documents import Identifier, Model
from dubbing.engines.holding import Holding
from dubbing.ledger.vitals import Vitals, Work
from dubbing.planning.plan import Kind, engine_of

PREFIX = "dubbing:"
"""Prefix of every key."""
SCANNED_AT_ONCE = 10_000
"""Number of keys to scan in one call, which blocks Redis for some milliseconds."""
ASSEMBLY_TOKEN = "assembly"  # noqa: S105 - a batch's token, not a password
BATCH_PATTERN = (
    r"^(assembly|[0-9]{1,9}:[0-9]{1,15}:[0-9]{1,15}:[0-9]{1,9}(\.[0-9]{1,9})?(e\+[0-9]{1,2})?"
    r":[0-9]{1,9}(:.*)?)$"
)
"""Number, offset, length, deadline and lines of a batch; a newer release may append to them."""
ASSEMBLY_DEADLINE = 6 * 3600.0
"""Seconds after which an assembly counts as hanging."""
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
    """Whether it was sent before, and so goes ahead of new batches."""
    request_id: Identifier | None = field(default=None, compare=False)
    """Id of the request over HTTP that asked for its round."""
    tenant: Identifier | None = field(default=None, compare=False)
    """Tenant of its job; None in messages of an older release."""

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
        return engine_of(self.queue)

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
    """The answer to a worker that begins a batch."""

    counts: Mapping[str, int] | None
    """How often each of its lines was begun before and not finished; None if the batch no longer
    belongs to the worker."""
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


class WorkerState(StrEnum):
    """The state of a worker."""

    STANDBY = "standby"
    """Online, but without work until an order to load."""
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    ERROR = "error"
    """At least one of its processes could not load an engine, cannot use storage, or was given work
    of a newer release."""
    OFFLINE = "offline"
    """Its last heartbeat is too long ago."""
    UNKNOWN = "unknown"
    """A state of a newer release, or a heartbeat that cannot be read."""

    @classmethod
    def _missing_(cls, value: object) -> WorkerState:
        return cls.UNKNOWN


class WorkerRecord(Model):
    """A worker as its heartbeat describes it."""

    name: str
    engines: tuple[str, ...]
    """The engines for which it was started, or ``assembly``."""
    queues: tuple[str, ...]
    """Queues that it takes work from."""
    slots: int
    """Its simultaneous batches."""
    state: WorkerState
    since: float = 0.0
    """When it started, in seconds since 1970."""
    holding: Holding = Holding()
    """The engines of all its processes together."""
    errors: tuple[str, ...] = ()
    """Reasons why a process of it takes no work, or no work for an engine or for ``assembly``."""
    active: int = 0
    """Batches in progress at its last heartbeat."""
    work: Work = Work()
    """Its finished work since its start."""
    vitals: Vitals = Vitals()
    age: float = 0.0
    """Seconds since its last heartbeat, by the clock of Redis."""

    @property
    def online(self) -> bool:
        """Whether the worker has sent a heartbeat lately."""
        return self.state is not WorkerState.OFFLINE

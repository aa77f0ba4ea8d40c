"""What the ledger is asked and what it answers: addresses, claims, snapshots, heartbeats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import Field

from dubbing.job import JobState, Model
from dubbing.planning.plan import Kind

ASSEMBLY_TOKEN = "assembly"  # noqa: S105 - a batch's token, not a password
ASSEMBLY_DEADLINE = 6 * 3600.0
"""Seconds after which an assembly is taken to hang."""
OFFLINE_SECONDS = 30.0
"""A worker that was not heard of for so long is offline; the scripts count its slots no more."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A batch as a message names it."""

    job: str
    round: int
    token: str
    queue: str
    late: bool = field(default=False, compare=False)
    """Whether it was sent before: then it goes ahead of what is new."""

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
        """Seconds that a worker may take for it."""
        return ASSEMBLY_DEADLINE if self.number is None else float(self.token.split(":")[3])

    @property
    def kind(self) -> Kind:
        """What the batch asks for."""
        return Kind(self.queue.split(".")[0])


class Claim(StrEnum):
    """What a worker is told that begins a batch."""

    RUN = "run"
    CLOSED = "closed"
    BUSY = "busy"
    OVER = "over"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Where a job stands, by the ledger."""

    round: int
    state: JobState
    lines: int
    """Lines of the job."""
    done: int
    """Lines that the round leaves as they are, and those of closed batches, failed ones too."""
    failed: int
    closed: int
    """Batches that are counted."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a job stands on one queue, or will stand when it comes to be assembled."""

    queue: str
    ahead: int | None
    """Batches that are begun before the job's next one; None when none of its own waits."""
    work: float
    """Batches until the job's last one is done, it too; one that is worked on counts half."""
    slots: int
    """Batches done at once by the workers that are online."""
    pace: float | None
    """Seconds that a slot needs for such a batch, by those of late; None when none was done."""

    @property
    def seconds(self) -> float | None:
        """Seconds until the job's last batch is done; None while nothing tells."""
        if not self.slots or self.pace is None:
            return None
        # When the last one ends, the other slots are half through what comes after it.
        share = (self.work + (self.slots - 1) / 2) / self.slots
        return self.pace * max(share, min(self.work, 1.0))


class WorkerState(StrEnum):
    """What a worker is about."""

    STANDBY = "standby"
    """There, and takes no work until it is told to load."""
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    ERROR = "error"
    """An engine could not be loaded, by one of its processes at least."""
    OFFLINE = "offline"
    """Not heard of since its last heartbeat."""


class Holding(Model):
    """What a worker's process has in memory, by its own word; or all processes of a worker."""

    loaded: tuple[str, ...] = ()
    """Engines, the one used last at the end."""
    loading: str = ""
    begun: bool = False
    """Whether the process has loaded what it begins with, and takes work."""
    resting: dict[str, str] = Field(default_factory=dict)
    """Engines for which no work is taken: why one could not be loaded, ``""`` for one that was told
    to rest."""

    @property
    def errors(self) -> list[str]:
        """Why engines could not be loaded."""
        return [why for why in self.resting.values() if why]

    def takes(self, engine: str) -> bool:
        """Whether the process is there for the batches of an engine."""
        return self.begun and engine not in self.resting

    @classmethod
    def of_all(cls, processes: Iterable[Holding]) -> Holding:
        """Return what a worker holds: what one process has is there, what all rest is at rest."""
        all_ = list(processes)
        rest = [process.resting for process in all_]
        resting = {
            engine: next((of[engine] for of in rest if of[engine]), "")
            for engine in (rest[0] if rest else {})
            if all(engine in of for of in rest)
        }
        return cls(
            loaded=tuple(dict.fromkeys(name for process in all_ for name in process.loaded)),
            loading=next((process.loading for process in all_ if process.loading), ""),
            begun=any(process.begun for process in all_),
            resting=resting,
        )


class WorkerRecord(Model):
    """A worker as its heartbeat shows it."""

    name: str
    engines: tuple[str, ...]
    """What it was started for: engines, or ``assembly``."""
    queues: tuple[str, ...]
    """What it takes work from."""
    slots: int
    """Batches at once."""
    state: WorkerState
    since: float = 0.0
    """When it started, in seconds since 1970."""
    holding: Holding = Holding()
    """What its processes hold together."""
    errors: tuple[str, ...] = ()
    """Why engines could not be loaded, by any of its processes."""

    @property
    def online(self) -> bool:
        """Whether it was heard of lately."""
        return self.state is not WorkerState.OFFLINE

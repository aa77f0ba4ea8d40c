"""The whole system at a glance."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from dubbing.client import Client
from dubbing.documents import Model
from dubbing.engines.engine import EngineSpec
from dubbing.errors import DubbingError
from dubbing.gateway.announcements import Announcement, Announcements
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Caller
from dubbing.gateway.node import NodeBody
from dubbing.gateway.roster import Roster
from dubbing.jobs.store import open_ids
from dubbing.kept import Kept
from dubbing.ledger import WorkerState
from dubbing.ledger.gauges import Hour
from dubbing.queue.fleet import Fleet

LOOK_SECONDS = 1.0
"""Time for which one reading serves all requests."""
HEALTH_SECONDS = 2.0
"""The same for the state of the parts, which needs no key."""
JOBS_SECONDS = 10.0
"""Time for which the list of open jobs is cached."""
ENGINES_SECONDS = 60.0
"""The same for the engines, whose queues are counted."""
AT_ONCE = 1000
"""Jobs whose states are read in one round trip to Redis."""
WORKING = frozenset({WorkerState.READY, WorkerState.BUSY})


class EngineStatusBody(Model):
    """The nodes of an engine."""

    available: bool
    """Whether a node takes work for it now."""
    node_count: int
    """Nodes that are online."""


class ThroughputBody(Model):
    """The lines of all jobs in each minute of the last hour.

    Redis holds the counts. It may lose them, and then they are 0.
    """

    since: datetime
    """When the first minute began."""
    done: list[int]
    """Lines that were spoken, by minute; the last minute is not over."""
    failed: list[int]
    """Lines that could not be spoken, by minute."""


class StatusBody(Model):
    """The system at a glance."""

    model_config = example(
        version="0.2.0",
        uptime_seconds=86400.0,
        jobs={"synthesizing": 3, "assembling": 1},
        nodes={"ready": 2, "busy": 4},
        queues={"synthesis.xtts": 6, "assembly": 0},
        oldest={"synthesis.xtts": 4.2},
        engines={"xtts": {"available": True, "node_count": 6}},
        online_nodes=6,
        total_nodes=6,
        total_requests=18400,
        current_concurrent=4,
        throughput={"since": "2026-11-30T08:31:00Z", "done": [0] * 57 + [40, 72, 8]}
        | {"failed": [0] * 58 + [1, 0]},
        announcements=[],
    )

    version: str
    uptime_seconds: float
    """Of the gateway that answers."""
    jobs: dict[str, int]
    """Jobs of the caller's tenant that have not ended, by state; for an admin, of all tenants."""
    nodes: dict[str, int]
    """Nodes by status."""
    queues: dict[str, int]
    """Batches and requests that wait, by queue."""
    oldest: dict[str, float]
    """Age of the oldest batch in each queue, in seconds; empty queues are left out."""
    engines: dict[str, EngineStatusBody]
    """Engines that a node was started for; ``assembly`` makes films from clips."""
    online_nodes: int
    total_nodes: int
    """Nodes, with those that went offline within the hour."""
    total_requests: int
    """Lines, voices and films that the nodes have done, failed ones too."""
    current_concurrent: int
    """Batches and requests in progress."""
    throughput: ThroughputBody
    announcements: list[Announcement]
    """Those that hold, the last one first."""


@dataclass(frozen=True)
class Look:
    """The system at one moment."""

    nodes: Sequence[NodeBody]
    queues: Mapping[str, int]
    oldest: Mapping[str, float]
    jobs: Mapping[tuple[str, str], int]
    """The number of open jobs by tenant and state."""
    hour: Hour
    announcements: Sequence[Announcement]
    uptime: float

    def as_seen_by(self, caller: Caller) -> StatusBody:
        """Return the part that a caller may see."""
        jobs: Counter[str] = Counter()
        for (tenant, state), count in self.jobs.items():
            if caller.sees(tenant):
                jobs[state] += count
        return StatusBody(
            version=version("dubbing"),
            uptime_seconds=round(self.uptime, 1),
            jobs=jobs,
            nodes=Counter(node.status.value for node in self.nodes),
            queues=dict(self.queues),
            oldest={queue: round(seconds, 1) for queue, seconds in self.oldest.items()},
            engines=self._engines(),
            online_nodes=sum(node.online for node in self.nodes),
            total_nodes=len(self.nodes),
            total_requests=sum(node.request_count for node in self.nodes),
            current_concurrent=sum(node.current_load for node in self.nodes),
            throughput=ThroughputBody(
                since=datetime.fromtimestamp(self.hour.since, UTC),
                done=list(self.hour.done),
                failed=list(self.hour.failed),
            ),
            announcements=list(self.announcements),
        )

    def _engines(self) -> dict[str, EngineStatusBody]:
        found: dict[str, list[NodeBody]] = defaultdict(list)
        for node in self.nodes:
            for engine in node.engines:
                found[engine].append(node)
        return {
            engine: EngineStatusBody(
                available=any(node.status in WORKING for node in nodes),
                node_count=sum(node.online for node in nodes),
            )
            for engine, nodes in sorted(found.items())
        }


class Overview:
    """Reads the state of the system, seldom, for all requests. Safe to use from several threads."""

    def __init__(self, client: Client, roster: Roster, announcements: Announcements) -> None:
        self._client = client
        self._roster = roster
        self._announcements = announcements
        self._began = time.monotonic()
        self._engines: Kept[dict[str, EngineSpec]] = Kept(client.specs, ENGINES_SECONDS)
        self._jobs = Kept(self._open_jobs, JOBS_SECONDS)
        self._looks = Kept(self._look, LOOK_SECONDS)
        self._health = Kept(self._components, HEALTH_SECONDS)

    @property
    def uptime(self) -> float:
        """Seconds since the gateway started."""
        return time.monotonic() - self._began

    def components(self) -> dict[str, str]:
        """Return ``ok`` or the fault of Redis, storage and workers, some seconds old."""
        return self._health.get()

    def look(self) -> Look:
        """Return the system at this moment; raises QueueUnavailable and StorageUnavailable."""
        return self._looks.get()

    def _look(self) -> Look:
        client = self._client
        fleet = Fleet(client.ledger, client.publisher, self._engines.get)
        return Look(
            nodes=self._roster.nodes(),
            queues=fleet.depths(),
            oldest=fleet.waits(),
            hour=client.ledger.gauges.hour(),
            jobs=self._jobs.get(),
            announcements=self._announcements.current(),
            uptime=self.uptime,
        )

    def _components(self) -> dict[str, str]:
        client = self._client
        greet = partial(client.ledger.greet, patient=False)
        found = {"redis": fault_in(greet), "storage": fault_in(client.storage.greet)}
        if found["redis"] != "ok":
            return {**found, "workers": "unknown"}
        online = [worker for worker in client.fleet.workers() if worker.online]
        if not online:
            return {**found, "workers": "none is online"}
        ill = sum(worker.state is WorkerState.ERROR for worker in online)
        return {**found, "workers": f"{ill} of {len(online)} have an error" if ill else "ok"}

    def _open_jobs(self) -> Counter[tuple[str, str]]:
        ids, jobs = list(open_ids(self._client.storage)), Counter[tuple[str, str]]()
        for n in range(0, len(ids), AT_ONCE):
            jobs.update(self._client.ledger.standings.states(ids[n : n + AT_ONCE]))
        return jobs


def fault_in(ask: Callable[[], object]) -> str:
    """Return ``ok`` if a part of the system answers, or else the code of its error."""
    try:
        ask()
    except DubbingError as exc:
        return exc.code
    return "ok"

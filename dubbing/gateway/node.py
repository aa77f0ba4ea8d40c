"""A node, as callers see it: a worker of ours, or a registered server of an engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from dubbing.engines.remote.pool import Endpoint
from dubbing.gateway.bodies import example
from dubbing.ledger import WorkerRecord, WorkerState
from dubbing.ledger.servers import ServerBeat, id_of, state_of
from dubbing.ledger.vitals import Vitals


class NodeBody(Vitals):
    """A worker, or a remote server to which workers send lines."""

    model_config = example(
        node_id="xtts.5f1c9a@gpu-1",
        kind="worker",
        engines=["xtts"],
        engine="xtts",
        engine_type="xtts",
        host="gpu-1",
        port=None,
        url=None,
        status="busy",
        slots=1,
        max_concurrent=1,
        current_load=1,
        current_concurrent=1,
        loaded=["xtts"],
        loading="",
        resting={},
        model_loaded=True,
        errors=[],
        registered_at="2026-11-30T09:00:00Z",
        last_heartbeat="2026-11-30T09:30:00Z",
        heartbeat_age=2.4,
        request_count=1840,
        error_count=2,
        avg_response_time=0.81,
        cpu_percent=31.0,
        memory_percent=42.5,
        memory_used_mb=54310.2,
        worker_cpu_percent=104.2,
        worker_memory_mb=6120.4,
        gpu_percent=97.0,
        gpu_memory_percent=38.1,
        gpu_memory_used_mb=9362.0,
    )

    node_id: str
    kind: Literal["worker", "server"]
    engines: list[str]
    """The engines that it was started for; ``assembly`` makes films from clips."""
    engine: str
    """The first of them."""
    engine_type: str
    """The same."""
    host: str
    port: int | None
    """The address of a server; workers open no port."""
    url: str | None
    status: WorkerState
    slots: int
    """Simultaneous batches of a worker, or simultaneous lines of a server."""
    max_concurrent: int
    """The same."""
    current_load: int
    """Batches or lines in progress at its last heartbeat."""
    current_concurrent: int
    """The same."""
    loaded: list[str]
    """Engines in memory."""
    loading: str
    """The engine that is being loaded, or empty."""
    resting: dict[str, str]
    """Engines for which it takes no work, each with the reason if it could not be loaded."""
    model_loaded: bool
    """Whether there are any."""
    errors: list[str]
    registered_at: datetime | None
    last_heartbeat: datetime | None
    """Null for a server that sends none: workers find out themselves whether it answers."""
    heartbeat_age: float | None
    """Seconds since then."""
    request_count: int
    """Lines that were spoken, and voices and films that were made, failed ones too."""
    error_count: int
    avg_response_time: float | None
    """Seconds that each of them took, in the mean."""

    @property
    def online(self) -> bool:
        """Whether it is online."""
        return self.status is not WorkerState.OFFLINE


def worker_node(worker: WorkerRecord, now: datetime) -> NodeBody:
    """Return a worker as a node."""
    work, loaded = worker.work, list(worker.holding.loaded)
    return NodeBody(
        node_id=worker.name,
        kind="worker",
        engines=list(worker.engines),
        engine=next(iter(worker.engines), ""),
        engine_type=next(iter(worker.engines), ""),
        host=worker.name.rpartition("@")[2],
        port=None,
        url=None,
        status=worker.state,
        slots=worker.slots,
        max_concurrent=worker.slots,
        current_load=worker.active,
        current_concurrent=worker.active,
        loaded=loaded,
        loading=worker.holding.loading,
        resting=dict(worker.holding.resting),
        model_loaded=bool(loaded),
        errors=list(worker.errors),
        registered_at=datetime.fromtimestamp(worker.since, UTC) if worker.since else None,
        last_heartbeat=now - timedelta(seconds=worker.age),
        heartbeat_age=round(worker.age, 1),
        request_count=work.done + work.failed,
        error_count=work.failed,
        avg_response_time=work.mean_seconds,
        **worker.vitals.model_dump(),
    )


def server_node(
    engine: str, endpoint: Endpoint, beat: ServerBeat | None, now: datetime
) -> NodeBody:
    """Return a registered server as a node. beat: its last heartbeat, if it sends any."""
    parts = urlsplit(endpoint.url)
    age = beat.age(now.timestamp()) if beat else None
    status = state_of(endpoint, beat, now.timestamp())
    load = (beat and beat.active) or 0
    loaded = [] if status is WorkerState.STANDBY else [engine]
    return NodeBody(
        node_id=id_of(engine, endpoint),
        kind="server",
        engines=[engine],
        engine=engine,
        engine_type=engine,
        host=parts.hostname or "",
        port=parts.port,
        url=endpoint.url,
        status=status,
        slots=endpoint.slots,
        max_concurrent=endpoint.slots,
        current_load=load,
        current_concurrent=load,
        loaded=loaded,
        loading="",
        resting={engine: ""} if status is WorkerState.STANDBY else {},
        model_loaded=bool(loaded),
        errors=[],
        registered_at=datetime.fromtimestamp(endpoint.since, UTC) if endpoint.since else None,
        last_heartbeat=datetime.fromtimestamp(beat.at, UTC) if beat else None,
        heartbeat_age=None if age is None else round(age, 1),
        request_count=beat.requests if beat else 0,
        error_count=beat.errors if beat else 0,
        avg_response_time=beat.mean_seconds if beat else None,
        **(beat.vitals if beat else Vitals()).model_dump(),
    )

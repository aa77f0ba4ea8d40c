"""`/health`, `/ready` and `/api/health`, for load balancers and people."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from dubbing.documents import Model
from dubbing.gateway.office import office_of
from dubbing.gateway.overview import fault_in

router = APIRouter(tags=["health"])


class HealthBody(Model):
    """The gateway is alive."""

    status: Literal["healthy"] = "healthy"
    version: str
    uptime_seconds: float


class ReadyBody(Model):
    """Whether the gateway can work."""

    ready: bool
    redis: str
    """``ok``, or the fault."""
    storage: str


class HealthCheckBody(Model):
    """The health of the system."""

    status: Literal["healthy", "degraded", "unhealthy"]
    """Degraded: no worker is online, or one has an error. Unhealthy: it takes no jobs."""
    version: str
    uptime_seconds: float
    """Of the gateway that answers."""
    timestamp: datetime
    components: dict[str, str]
    """``ok`` for redis, storage and workers, or the fault."""


@router.get("/health")
async def health(request: Request) -> HealthBody:
    """Tell whether the gateway is alive. Needs no key."""
    return HealthBody(version=version("dubbing"), uptime_seconds=_uptime(request))


@router.get("/ready", responses={503: {"model": ReadyBody}})
async def ready(request: Request, response: Response) -> ReadyBody:
    """Tell whether Redis and storage answer: 200, or 503. Needs no key."""
    office = office_of(request)
    greet = partial(office.client.ledger.greet, patient=False)
    redis = await run_in_threadpool(fault_in, greet)
    storage = await run_in_threadpool(fault_in, office.client.storage.greet)
    well = redis == storage == "ok"
    response.status_code = 200 if well else 503
    return ReadyBody(ready=well, redis=redis, storage=storage)


@router.get("/api/health", responses={503: {"model": HealthCheckBody}})
async def check(request: Request, response: Response) -> HealthCheckBody:
    """Return the health of the system: 503 when it takes no jobs. Needs no key."""
    office = office_of(request)
    components = await run_in_threadpool(office.overview.components)
    well = components["redis"] == components["storage"] == "ok"
    degraded = "healthy" if components["workers"] == "ok" else "degraded"
    response.status_code = 200 if well else 503
    return HealthCheckBody(
        status=degraded if well else "unhealthy",
        version=version("dubbing"),
        uptime_seconds=_uptime(request),
        timestamp=datetime.now(UTC),
        components=components,
    )


def _uptime(request: Request) -> float:
    return round(office_of(request).overview.uptime, 1)

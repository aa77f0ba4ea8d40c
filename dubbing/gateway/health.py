"""`/health` and `/ready`: for load balancers."""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from dubbing.documents import Model
from dubbing.errors import DubbingError
from dubbing.gateway.office import office_of

router = APIRouter(tags=["health"])


class HealthBody(Model):
    """Whether the gateway lives."""

    status: Literal["ok"] = "ok"
    version: str


class ReadyBody(Model):
    """Whether the gateway can work."""

    ready: bool
    redis: str
    """``ok``, or what is wrong."""
    storage: str


@router.get("/health")
async def health() -> HealthBody:
    """Whether the gateway lives. It needs no key."""
    return HealthBody(version=version("dubbing"))


@router.get("/ready", responses={503: {"model": ReadyBody}})
async def ready(request: Request, response: Response) -> ReadyBody:
    """Whether Redis and storage answer: 200, or 503. It needs no key."""
    office = office_of(request)
    redis = await run_in_threadpool(_fault, office.client.ledger.ping)
    storage = await run_in_threadpool(_fault, office.client.storage.greet)
    well = redis == storage == "ok"
    response.status_code = 200 if well else 503
    return ReadyBody(ready=well, redis=redis, storage=storage)


def _fault(ask: object) -> str:
    try:
        ask()  # type: ignore[operator]
    except DubbingError as exc:
        return exc.code
    return "ok"

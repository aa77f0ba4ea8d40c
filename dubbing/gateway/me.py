"""`/v1/me`: the rights of a caller, and the usage of its tenant."""

from __future__ import annotations

from fastapi import APIRouter, Request

from dubbing.documents import Model
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Reader
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import documented
from dubbing.keyring import Scope
from dubbing.settings import Quota

router = APIRouter(tags=["keys"])


class MeBody(Model):
    """The caller."""

    model_config = example(
        key="5f1c9a03b2d4",
        tenant="acme",
        scopes=["read", "submit"],
        granted=["s3://films/acme"],
        requests_per_minute=100,
        quota={
            "open_jobs": 20,
            "lines_a_day": 50000,
            "engine_seconds_a_month": 360000,
            "storage_gb": 500,
        },
        open_jobs=3,
        lines_today=1250,
        engine_seconds_this_month=5210.4,
        storage_gb=12.7,
    )

    key: str
    """Id of the key; empty for a caller without one."""
    tenant: str
    scopes: list[Scope]
    granted: list[str]
    """Where jobs may read media and write results beside uploads."""
    requests_per_minute: int
    """Of the key, or of an address."""
    quota: Quota
    """The limits of the tenant; null: no limit."""
    open_jobs: int
    lines_today: int | None
    """Lines of the last 24 hours; null where they are not counted."""
    engine_seconds_this_month: float
    """Seconds that engines spoke for its jobs, of rounds that have ended."""
    storage_gb: float
    """Gigabytes of its uploads and of the outputs of its jobs."""


@router.get("/v1/me", responses=documented())
def me(request: Request, caller: Reader) -> MeBody:
    """Return the caller's rights, and its tenant's usage."""
    office = office_of(request)
    used = office.quotas.used(caller.tenant)
    anybody = office.settings.requests_per_minute_per_address
    return MeBody(
        key=caller.key,
        tenant=caller.tenant,
        scopes=sorted(caller.rights),
        granted=list(caller.granted),
        requests_per_minute=min(anybody, caller.requests_per_minute or anybody),
        quota=office.quotas.of(caller.tenant),
        open_jobs=used.open_jobs,
        lines_today=used.lines_today,
        engine_seconds_this_month=used.engine_seconds_this_month,
        storage_gb=used.storage_gb,
    )

"""`/metrics`: the metrics of the whole installation for Prometheus, and the gateway's counts."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from dubbing.gateway.callers import Admin
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import documented
from dubbing.telemetry.exposition import written

router = APIRouter(tags=["system"])


@router.get("/metrics", response_class=Response, responses=documented())
def metrics(request: Request, caller: Admin) -> Response:
    """Return the metrics of the installation; any gateway returns the same."""
    data, form = written(office_of(request).metrics, request.headers.get("accept", ""))
    return Response(data, media_type=form)

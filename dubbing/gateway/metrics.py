"""`/metrics`: the metrics of the whole installation for Prometheus, and the gateway's counts."""

from __future__ import annotations

import asyncio
import logging

from fastapi import APIRouter, Request, Response

from dubbing.errors import DubbingError
from dubbing.gateway.callers import Admin
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import documented
from dubbing.ledger import Ledger
from dubbing.telemetry.counts import REPORT_SECONDS
from dubbing.telemetry.exposition import written

log = logging.getLogger(__name__)

router = APIRouter(tags=["system"])


@router.get("/metrics", response_class=Response, responses=documented())
def metrics(request: Request, caller: Admin) -> Response:
    """Tell the metrics of the installation, whichever gateway is asked."""
    data, form = written(office_of(request).metrics, request.headers.get("accept", ""))
    return Response(data, media_type=form)


class Reporter:
    """Reports to the ledger, which adds up what all processes count, what this gateway counts."""

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger. `begin` starts to report."""
        self._ledger = ledger
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Report every two seconds, on the event loop of the gateway."""
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Report for the last time."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._report()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            await self._report()

    async def _report(self) -> None:
        try:
            await asyncio.to_thread(self._ledger.totals.report)
        except DubbingError as exc:
            log.debug("requests are reported later: %s", exc)

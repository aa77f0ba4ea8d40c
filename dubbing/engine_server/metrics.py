"""`/metrics`: the counts of this server, and the state of its engines, for Prometheus."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence

from fastapi import APIRouter, Request, Response
from prometheus_client.core import GaugeMetricFamily, Metric

from dubbing.engine_server.booth import Booth, State
from dubbing.telemetry.counts import counts
from dubbing.telemetry.exposition import counted, registry_of, written

router = APIRouter()


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Return the counts of the server, and the state of its engines, for Prometheus."""
    own: Metrics = request.app.state.metrics
    data, form = written(own.registry, request.headers.get("accept", ""))
    return Response(data, media_type=form)


class Metrics:
    """The metrics of one server. Safe to use from several threads."""

    def __init__(self, booths: Sequence[Booth]) -> None:
        """Read nothing yet. booths: those of the server."""
        self.registry = registry_of(self._look)
        self._booths = booths
        # As metrics without a worker are those of a whole installation.
        self._worker = f"{'+'.join(booth.name for booth in booths)}@{socket.gethostname()}"
        self._amounts: Counter[str] = Counter()
        """The counts up to the last scrape."""
        self._lock = threading.Lock()

    def _look(self) -> Iterator[Metric]:
        with self._lock:
            self._amounts.update(counts.take())
            amounts = dict(self._amounts)
        yield from self._engines()
        names = [booth.name for booth in self._booths]
        yield from counted([({"worker": self._worker}, amounts)], names)

    def _engines(self) -> Iterator[Metric]:
        labels = ["worker", "engine"]
        ready = GaugeMetricFamily(
            "dubbing_engine_ready", "1 while an engine of a server is loaded.", labels=labels
        )
        waiting = GaugeMetricFamily(
            "dubbing_engine_waiting_lines", "Lines that wait for an engine.", labels=labels
        )
        running = GaugeMetricFamily(
            "dubbing_engine_running_lines", "Lines that an engine speaks now.", labels=labels
        )
        for booth in self._booths:
            ready.add_metric([self._worker, booth.name], booth.state is State.READY)
            waiting.add_metric([self._worker, booth.name], booth.waiting)
            running.add_metric([self._worker, booth.name], booth.running)
        yield from (ready, waiting, running)

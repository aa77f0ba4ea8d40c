"""The metrics of one worker: the counts of its processes, and its own port."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dubbing.ledger import Ledger
from dubbing.settings import Settings
from dubbing.telemetry.counts import counts
from workers.heartbeat import Heartbeat

if TYPE_CHECKING:
    from prometheus_client.core import Metric

logger = logging.getLogger(__name__)


class WorkerMetrics:
    """Reports the parent process's counts, and serves the metrics of all its processes.

    The pool processes report to the ledger, which adds up their counts.
    """

    def __init__(self, ledger: Ledger, heartbeat: Heartbeat, settings: Settings) -> None:
        """Start counting and serving, as far as the settings require it."""
        self._ledger = ledger
        self._heartbeat = heartbeat
        self._port = settings.metrics_port
        self._amounts: Mapping[str, int] = {}
        """The counts of all processes at the last report, so that no scrape waits for Redis."""
        counts.wanted = settings.metrics
        if self._port:
            # Only a worker that serves metrics needs it.
            from dubbing.telemetry import exposition  # noqa: PLC0415

            registry = exposition.registry_of(self._look)
            exposition.serve(registry, settings.metrics_host, self._port)
            logger.info("metrics: http://%s:%d/metrics", settings.metrics_host, self._port)

    def step(self) -> None:
        """Report new counts; after QueueUnavailable, they are reported later."""
        worker = self._heartbeat.record.name
        self._ledger.totals.report(worker)
        if self._port:
            (self._amounts,) = self._ledger.totals.of([worker])

    def _look(self) -> Iterator[Metric]:
        from dubbing.exporter import gauges  # noqa: PLC0415 - as above
        from dubbing.telemetry.exposition import counted  # noqa: PLC0415

        record = self._heartbeat.record
        yield from gauges.workers([record])
        yield from counted([({"worker": record.name}, self._amounts)], record.engines)

"""The metrics of the installation: one reading of Redis and storage serves all scrapes in 1 s."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from dubbing.client import Client
from dubbing.engines.engine import EngineSpec
from dubbing.engines.remote.pool import Pool
from dubbing.errors import DubbingError, QueueUnavailable
from dubbing.exporter import gauges
from dubbing.kept import Kept
from dubbing.planning.plan import Kind
from dubbing.queue.fleet import Fleet
from dubbing.queue.scaling import DEADLINE_SECONDS, scale_hints, servers
from dubbing.telemetry.exposition import counted, registry_of
from dubbing.telemetry.metrics import BATCHES, BUSY, LINES, SPEECH

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Seconds for which one reading serves all requests."""
STORED_SECONDS = 30.0
"""Seconds for which engines and their endpoints are cached."""
BY_WORKER = tuple(metric.name for metric in (BATCHES, BUSY, LINES, SPEECH))
"""Metrics that are also shown for each worker; a worker serves all others at its own port."""


@dataclass(frozen=True)
class Stored:
    """The facts from storage."""

    specs: Mapping[str, EngineSpec]
    pools: Mapping[str, Pool]


class Exporter:
    """The metrics of an installation. Safe to use from several threads."""

    def __init__(self, client: Client, deadline: float = DEADLINE_SECONDS) -> None:
        """Read nothing yet. deadline: seconds in which all work should be finished."""
        self._client = client
        self._deadline = deadline
        self._stored = Kept(lambda: Stored(client.specs(), client.registry.all()), STORED_SECONDS)
        self._last = Stored({}, {})
        """The last facts from storage, served while it does not answer."""
        self._looks = Kept(self._look, LOOK_SECONDS)

    @property
    def registry(self) -> CollectorRegistry:
        """A registry with only these metrics."""
        return registry_of(self._looks.get)

    def _look(self) -> list[Metric]:
        """Return all metrics; Redis or storage counts as down when it does not answer."""
        found: list[Metric] = []
        up = {}
        parts: dict[str, Callable[[], Iterator[Metric]]] = {
            "storage": self._of_storage,
            "redis": self._of_redis,
        }
        for part, look in parts.items():
            try:
                found += look()
                up[part] = True
            except DubbingError as exc:
                log.warning("there are no metrics of %s: %s", part, exc)
                up[part] = False
        return [*gauges.parts(up), *found]

    def _of_storage(self) -> Iterator[Metric]:
        storage = self._client.storage
        storage.greet()
        self._last = self._stored.get()
        if folder := storage.path(""):
            # The folder may not exist until the first write.
            there = next(one for one in (folder, *Path(folder).parents) if one.exists())
            room = shutil.disk_usage(there)
            yield from gauges.disk(room.free, room.total)

    def _of_redis(self) -> Iterator[Metric]:
        client, stored = self._client, self._last
        if not client.ledger.answers():
            raise QueueUnavailable(f"Redis does not answer at {client.ledger.place}")
        ledger = client.ledger
        backlog, states = ledger.gauges.backlog()
        fleet = Fleet(ledger, client.publisher, lambda: stored.specs)
        records = fleet.workers()
        of_workers = {engine for record in records for engine in record.engines}
        engines = {*stored.specs, *of_workers} - {Kind.ASSEMBLY.value}
        elsewhere = servers(stored.specs, stored.pools)
        hints = scale_hints(ledger.gauges, backlog, records, engines, elsewhere, self._deadline)
        names = [record.name for record in records if record.online]
        of_all, *of_each = ledger.totals.of(["", *names])
        yield from gauges.waiting(backlog, hints.keys() - {Kind.ASSEMBLY.value})
        yield from gauges.queues(fleet.depths(), fleet.waits())
        yield from gauges.jobs(states)
        yield from gauges.wanted(hints)
        yield from gauges.workers(records)
        yield from gauges.endpoints(stored.pools, ledger.servers.beats())
        labels = ({"worker": name} for name in names)
        tables = [({}, of_all), *zip(labels, of_each, strict=True)]
        yield from counted(tables, hints, BY_WORKER)

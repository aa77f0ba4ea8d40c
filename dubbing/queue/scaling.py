"""How many workers an engine needs for the work that it has to be done in time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dubbing.engines.engine import EngineSpec
from dubbing.engines.remote.pool import Pool
from dubbing.ledger import WorkerRecord
from dubbing.ledger.backlog import Backlog
from dubbing.ledger.gauges import Gauges, Pace
from dubbing.planning.plan import Kind
from dubbing.queue.publisher import queues_of

DEADLINE_SECONDS = 3600.0
"""Seconds in which work is to be done, unless somebody says otherwise."""


class Unit(StrEnum):
    """What there may be more or fewer of."""

    WORKERS = "workers"
    ENDPOINTS = "endpoints"
    """The servers of an engine that speaks elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Hint:
    """What one engine needs."""

    unit: Unit
    waiting: int
    """Lines, voices or films that nobody works on."""
    running: int
    """Those that are being worked on."""
    seconds: float | None
    """Seconds that one slot takes for all of it, by recent batches; None while none was done."""
    workers: int
    """Workers that take work for the engine now."""
    slots: int
    """Batches that they do at once."""
    wanted: int
    """How many there should be of the unit; 0 without work."""

    @property
    def seconds_left(self) -> float | None:
        """Seconds until those that are there now have done all of it; None while unknown."""
        if not (self.waiting or self.running):
            return 0.0
        return self.seconds / self.slots if self.seconds is not None and self.slots else None


def scale_hints(
    gauges: Gauges,
    backlog: Mapping[str, Backlog],
    workers: Sequence[WorkerRecord],
    engines: Iterable[str],
    endpoints: Mapping[str, int],
    deadline: float,
) -> dict[str, Hint]:
    """Return what each engine needs, ``assembly`` too, and any engine with work.

    gauges: tell how long batches take. backlog: as these tell it.
    endpoints: how many servers each engine that speaks elsewhere has.
    deadline: seconds in which all work is to be done.
    """
    names = {*engines, Kind.ASSEMBLY.value, *(engine_of(queue) for queue in backlog)}
    paces = gauges.paces([queue for name in names for queue in queues_of(name)])
    return {
        name: _hint(name, backlog, paces, workers, endpoints.get(name), deadline)
        for name in sorted(names)
    }


def servers(specs: Mapping[str, EngineSpec], pools: Mapping[str, Pool]) -> dict[str, int]:
    """Return how many servers that take lines each engine that speaks elsewhere has."""
    return {
        name: sum(not one.draining for one in pools.get(name, Pool()).endpoints)
        for name, spec in specs.items()
        if spec.device == "remote"
    }


def engine_of(queue: str) -> str:
    """Return what the workers of a queue are started with: its engine, or ``assembly``."""
    return queue.partition(".")[2] or queue


def _hint(
    engine: str,
    backlog: Mapping[str, Backlog],
    paces: Mapping[str, Pace],
    workers: Sequence[WorkerRecord],
    endpoints: int | None,
    deadline: float,
) -> Hint:
    of_engine = [worker for worker in workers if engine in worker.engines]
    online = [worker for worker in of_engine if set(worker.queues) & set(queues_of(engine))]
    slots = sum(worker.slots for worker in online)
    work = {queue: backlog[queue] for queue in queues_of(engine) if queue in backlog}
    seconds = _seconds(work, paces)
    if not work:
        wanted = 0
    elif endpoints is not None:
        # Its worker does one batch at a time, on all servers at once.
        faster = seconds / (deadline * max(1, slots)) if seconds else 1.0
        wanted = max(1, math.ceil(endpoints * faster))
    elif seconds is None:
        # The first batches tell how long they take.
        wanted = max(1, len(online))
    else:
        per_worker = max((worker.slots for worker in of_engine), default=1)
        wanted = math.ceil(_slots(work, paces, seconds, deadline) / per_worker)
    return Hint(
        unit=Unit.WORKERS if endpoints is None else Unit.ENDPOINTS,
        waiting=sum(one.waiting for one in work.values()),
        running=sum(one.running for one in work.values()),
        seconds=seconds,
        workers=len(online),
        slots=slots,
        wanted=wanted,
    )


def _seconds(work: Mapping[str, Backlog], paces: Mapping[str, Pace]) -> float | None:
    """Return the seconds that one slot takes for all work; what is begun counts half."""
    if not work.keys() <= paces.keys():
        return None
    return sum(
        (one.waiting + one.running / 2) * paces[queue].seconds / paces[queue].lines
        for queue, one in work.items()
    )


def _slots(
    work: Mapping[str, Backlog], paces: Mapping[str, Pace], seconds: float, deadline: float
) -> int:
    """Return how many slots do the work in time, and no more than there are batches."""
    batches = sum(
        math.ceil((one.waiting + one.running) / paces[queue].lines) for queue, one in work.items()
    )
    return max(1, min(batches, math.ceil(seconds / deadline)))

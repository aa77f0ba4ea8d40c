"""The number of workers that an engine needs to finish its work in time."""

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
from dubbing.planning.plan import Kind, engine_of
from dubbing.queue.publisher import queues_of

DEADLINE_SECONDS = 3600.0
"""Default time to finish all work, in seconds."""


class Unit(StrEnum):
    """The unit of scaling."""

    WORKERS = "workers"
    ENDPOINTS = "endpoints"
    """The servers of a remote engine."""


@dataclass(frozen=True, kw_only=True)
class Hint:
    """The need of one engine."""

    unit: Unit
    waiting: int
    """Lines, voices or films that wait."""
    running: int
    """Lines, voices or films at work."""
    seconds: float | None
    """Seconds that one slot takes for all of it, by recent batches; None while none was done."""
    workers: int
    """Workers that take work for the engine now."""
    slots: int
    """Their simultaneous batches."""
    wanted: int
    """The needed number of units; 0 without work."""

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the present units finish all work; None while unknown."""
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
    """Return the need of each named engine, of ``assembly``, and of any engine with work.

    gauges: give the duration of batches.
    backlog: from the gauges.
    endpoints: number of servers of each remote engine.
    deadline: seconds to finish all work.
    """
    names = {*engines, Kind.ASSEMBLY.value, *(engine_of(queue) for queue in backlog)}
    paces = gauges.paces([queue for name in names for queue in queues_of(name)])
    return {
        name: _hint(name, backlog, paces, workers, endpoints.get(name), deadline)
        for name in sorted(names)
    }


def servers(specs: Mapping[str, EngineSpec], pools: Mapping[str, Pool]) -> dict[str, int]:
    """Return the number of servers that take lines, for each remote engine."""
    return {
        name: sum(not one.draining for one in pools.get(name, Pool()).endpoints)
        for name, spec in specs.items()
        if spec.device == "remote"
    }


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
        # Its worker does one batch at a time, and uses all servers for it.
        faster = seconds / (deadline * max(1, slots)) if seconds else 1.0
        wanted = max(1, math.ceil(endpoints * faster))
    elif seconds is None:
        # The duration of batches is not known before the first ones are done.
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
    """Return the seconds that one slot needs for all work; a running batch counts half."""
    if not work.keys() <= paces.keys():
        return None
    return sum(
        (one.waiting + one.running / 2) * paces[queue].seconds / paces[queue].lines
        for queue, one in work.items()
    )


def _slots(
    work: Mapping[str, Backlog], paces: Mapping[str, Pace], seconds: float, deadline: float
) -> int:
    """Return the number of slots to finish in time, at most one for each batch."""
    batches = sum(
        math.ceil((one.waiting + one.running) / paces[queue].lines) for queue, one in work.items()
    )
    return max(1, min(batches, math.ceil(seconds / deadline)))

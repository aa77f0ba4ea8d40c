"""Estimates of the time and cost of jobs, from the latest batches of their engines.

The time is computed as for jobs in progress (`dubbing.jobs.status`), and the cost from the recent
cost of a line of each engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dubbing.documents import Model
from dubbing.jobs.costs import MILLIONTHS
from dubbing.jobs.status import lacks_of, seconds_left
from dubbing.ledger import Ledger, Prospect
from dubbing.planning.plan import Kind


class Estimate(Model):
    """The estimated time and cost of a job if it were submitted now."""

    ready_in: float | None
    """Seconds until the job is ready, including the work ahead of it and the other jobs of the same
    call. None if unknown, or while an engine or assembly has no worker. Assembly counts as 0 s
    until the first one is done."""
    costs: dict[str, float] | None
    """Cost by currency, from recent costs of lines; empty if lines are free, None if unknown."""
    lacks: tuple[str, ...]
    """Engines, or ``assembly``, that the job needs and for which no online worker takes work."""


@dataclass(frozen=True)
class Load:
    """The work of a job."""

    tenant: str
    length: float
    """Seconds of the programme."""
    batches: Counter[str]
    """Batches by queue."""
    idle: Counter[str] = field(default_factory=Counter)
    """Batches whose clips are all stored, by queue; they take almost no time."""
    lines: Counter[str] = field(default_factory=Counter)
    """Lines to speak, by queue."""


def estimates(ledger: Ledger, loads: Sequence[Load]) -> list[Estimate]:
    """Return an estimate for each job; raises QueueUnavailable.

    The jobs of a tenant take turns, so all of them are ready at about the same time.
    """
    prospects = {
        tenant: _prospects(ledger, tenant, [load for load in loads if load.tenant == tenant])
        for tenant in {load.tenant for load in loads}
    }
    return [_estimate(load, prospects[load.tenant]) for load in loads]


def _prospects(ledger: Ledger, tenant: str, loads: Iterable[Load]) -> dict[str, Prospect]:
    """Return the prospect of a tenant's jobs in each queue, as if they were one job."""
    batches, idle = Counter[str](), Counter[str]()
    for load in loads:
        batches += load.batches
        idle += load.idle
    found = ledger.standings.foresee(tenant, batches)
    return {at.queue: replace(at, work=at.work - idle[at.queue]) for at in found}


def _estimate(load: Load, prospects: Mapping[str, Prospect]) -> Estimate:
    own = [prospects[queue] for queue in load.batches]
    assembly = prospects[Kind.ASSEMBLY]
    pace = None if assembly.pace is None else assembly.pace * load.length
    standings = [*own, replace(assembly, pace=pace)]
    return Estimate(
        ready_in=seconds_left(standings),
        costs=_costs([(prospects[queue], lines) for queue, lines in load.lines.items() if lines]),
        lacks=lacks_of(standings),
    )


def _costs(spoken: Iterable[tuple[Prospect, int]]) -> dict[str, float] | None:
    """Return the cost of lines by currency; None if an engine has done no batch.

    spoken: the prospect of each queue, and the number of its lines.
    """
    sums: dict[str, float] = {}
    for at, lines in spoken:
        if at.pace is None:
            return None
        for currency, cost in at.costs.items():
            sums[currency] = sums.get(currency, 0.0) + lines * cost / MILLIONTHS
    return {currency: round(cost, 6) for currency, cost in sorted(sums.items())}

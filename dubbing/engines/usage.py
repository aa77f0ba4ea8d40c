"""The usage of engines by lines: seconds in a worker, or seconds of endpoints and their cost.

A remote engine records each request in a meter, which the caller of a batch reads. So the servers
below a converter are counted, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from pydantic import Field

from dubbing.documents import Model


def money(amount: float, currency: str) -> str:
    """Return an amount as text, such as ``12.50 CNY``; amounts below 1 have four decimals."""
    return f"{amount:,.{2 if amount >= 1 else 4}f} {currency}"


class Use(Model):
    """The usage of an engine."""

    engine: str
    seconds: float = Field(ge=0)
    """Seconds in which a worker's engine spoke. For a remote engine, seconds of a whole endpoint:
    the time for which requests kept its slots busy, divided by the number of its slots."""
    cost: float = Field(default=0.0, ge=0)
    """Cost by the endpoint's price per hour at that time; 0 without a price."""
    currency: str = ""
    """Currency of the cost; ``""`` without a price per hour."""

    @property
    def money(self) -> str:
        """The cost as text; ``""`` without a price per hour."""
        return money(self.cost, self.currency) if self.currency else ""


class EndpointUse(Use):
    """The usage of one endpoint, or of an engine in the worker itself."""

    endpoint: str = ""
    """Its address; ``""`` for the worker's own engine."""


AnyUse = TypeVar("AnyUse", bound=Use)
_uses: ContextVar[list[EndpointUse] | None] = ContextVar("uses", default=None)


@contextmanager
def metered() -> Iterator[list[EndpointUse]]:
    """Yield a list to which the block's usage is added, one entry per request, failed or not."""
    uses: list[EndpointUse] = []
    token = _uses.set(uses)
    try:
        yield uses
    finally:
        _uses.reset(token)


def note(use: EndpointUse) -> None:
    """Add a request to the meter of this context, if there is one. Safe in any thread."""
    uses = _uses.get()
    if uses is not None:
        uses.append(use)


def by_endpoint(uses: Iterable[EndpointUse]) -> tuple[EndpointUse, ...]:
    """Return one entry per engine, endpoint and currency, sorted."""
    sums = _sums(uses, lambda use: (use.engine, use.currency, use.endpoint))
    return tuple(
        EndpointUse(engine=engine, currency=currency, endpoint=endpoint, **sum_)
        for (engine, currency, endpoint), sum_ in sums
    )


def by_engine(uses: Iterable[Use]) -> tuple[Use, ...]:
    """Return one entry per engine and currency, sorted."""
    sums = _sums(uses, lambda use: (use.engine, use.currency))
    return tuple(Use(engine=engine, currency=currency, **sum_) for (engine, currency), sum_ in sums)


def _sums(
    uses: Iterable[AnyUse], place: Callable[[AnyUse], tuple[str, ...]]
) -> list[tuple[tuple[str, ...], dict[str, float]]]:
    """Return the seconds and the cost at each place, sorted."""
    sums: dict[tuple[str, ...], dict[str, float]] = {}
    for use in uses:
        sum_ = sums.setdefault(place(use), {"seconds": 0.0, "cost": 0.0})
        sum_["seconds"] += use.seconds
        sum_["cost"] += use.cost
    return [
        (at, {name: round(value, 6) for name, value in sums[at].items()}) for at in sorted(sums)
    ]

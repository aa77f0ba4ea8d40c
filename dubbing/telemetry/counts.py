"""The counts of a process that are not reported yet: amounts by metric and labels.

Processes of workers and gateways report to the ledger, which adds up all counts; other processes
count nothing.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SEPARATOR = "|"
"""Separates the parts of an amount's name: metric, labels, and the bucket of a histogram."""
THOUSAND, MILLION = 1000, 1_000_000
"""Factors that make amounts whole numbers: counters of fractions count thousandths, and sums of
histograms count millionths."""
SUM = "sum"
"""The bucket of a histogram that holds the sum of the values."""
REPORT_SECONDS = 2.0
"""Seconds between two reports."""


class Counts:
    """The unreported amounts of a process. Safe to use from several threads."""

    def __init__(self) -> None:
        """Count nothing until counting is turned on."""
        self.wanted = False
        """Whether this process reports."""
        self._amounts: dict[tuple[str, ...], int] = {}
        self._lock = threading.Lock()

    def add(self, amounts: Iterable[tuple[tuple[str, ...], int]]) -> None:
        """Add amounts by the parts of their names."""
        with self._lock:
            for name, amount in amounts:
                self._amounts[name] = self._amounts.get(name, 0) + amount

    def take(self) -> dict[str, int]:
        """Return the amounts since they were last taken, by name."""
        with self._lock:
            amounts, self._amounts = self._amounts, {}
        return {SEPARATOR.join(name): amount for name, amount in amounts.items() if amount}

    def put_back(self, amounts: Mapping[str, int]) -> None:
        """Add amounts back that could not be reported."""
        self.add((tuple(name.split(SEPARATOR)), amount) for name, amount in amounts.items())


counts = Counts()
"""The counts of this process; global, like loggers."""


@dataclass(frozen=True)
class Total:
    """A Prometheus counter: a metric that only grows."""

    name: str
    """Ends with ``_total``."""
    help: str
    labels: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    """All values of the last label, if known: each is shown before its first count."""
    unit: int = 1
    """Factor from an amount to the counted whole number: `THOUSAND` for fractions."""

    def add(self, *labels: str, by: float = 1) -> None:
        """Add an amount. labels: the values of `labels`, in order."""
        if counts.wanted:
            counts.add([((self.name, *labels), round(by * self.unit))])


@dataclass(frozen=True)
class Spread:
    """A Prometheus histogram."""

    name: str
    help: str
    bounds: tuple[float, ...]
    """The upper bounds of its buckets; a last bucket takes higher values."""
    labels: tuple[str, ...] = ()

    def observe(self, value: float, *labels: str) -> None:
        """Count a value. labels: the values of `labels`, in order."""
        if counts.wanted:
            bucket = bisect_left(self.bounds, value)
            sum_ = (self.name, *labels, SUM), round(value * MILLION)
            counts.add([((self.name, *labels, str(bucket)), 1), sum_])

"""The counts of all processes, for metrics: amounts that only grow, until Redis loses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from dubbing.errors import QueueUnavailable
from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server
from dubbing.telemetry.counts import counts


class Totals:
    """The totals of one Redis, by names of `dubbing.telemetry.counts`. Safe to use from threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def add(self, amounts: Mapping[str, int], worker: str = "") -> None:
        """Add to the totals of the system, and to those of a worker, if given."""
        if amounts:
            self._server.run("tally", worker, *chain.from_iterable(amounts.items()))

    def report(self, worker: str = "") -> None:
        """Add the counts of this process; raises QueueUnavailable, and then keeps the counts."""
        amounts = counts.take()
        try:
            self.add(amounts, worker)
        except QueueUnavailable:
            counts.put_back(amounts)
            raise

    def of(self, workers: Sequence[str]) -> list[dict[str, int]]:
        """Return the totals of each worker, in one round trip; ``""`` stands for the system."""
        with self._server.commands() as redis, redis.pipeline(transaction=False) as pipe:
            for worker in workers:
                pipe.hgetall(f"{PREFIX}totals:{worker}" if worker else f"{PREFIX}totals")
            return [_numbers(found) for found in pipe.execute()]


def _numbers(found: Mapping[str, Any]) -> dict[str, int]:
    """Return the entries that are numbers."""
    return {name: int(amount) for name, amount in found.items() if amount.isdecimal()}

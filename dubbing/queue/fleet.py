"""The fleet: the workers, their queues, and orders to them.

An order is a task on the worker's own queue: its process carries it out between two batches.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from dubbing.documents import Document, nearest, received
from dubbing.engines.holding import Holding
from dubbing.errors import BadInput, ErrorRecord, NotFound, ReportedError, Transient
from dubbing.ledger import Ledger, WorkerRecord
from dubbing.planning.plan import Kind
from dubbing.queue.publisher import Publisher, broker_lists, queues_of

ORDER_SECONDS = 600.0
"""Time limit of an order: the running batch, and then the loading of a large model."""


class Order(StrEnum):
    """The orders that a worker can get."""

    LOAD = "load"
    """Load an engine, or all, and take work for it."""
    UNLOAD = "unload"
    """Take no more work for an engine, and free its memory."""
    STANDBY = "standby"
    """Unload all engines."""
    DRAIN = "drain"
    """Finish the running work, and end."""


class WorkerCommand(Document):
    """An order on its way."""

    ticket: str
    """Identifies the reply for which the caller waits."""
    order: Order
    engines: tuple[str, ...]
    """The engines to which the order applies."""


class Fleet:
    """The workers of one system."""

    def __init__(
        self, ledger: Ledger, publisher: Publisher, engines: Callable[[], Iterable[str]]
    ) -> None:
        """engines: returns the names of the engines that jobs can use."""
        self._ledger = ledger
        self._publisher = publisher
        self._engines = engines

    def workers(self) -> list[WorkerRecord]:
        """Return the workers, including those that went offline in the last hour."""
        return self._ledger.crew.workers()

    def all_workers(self) -> list[WorkerRecord]:
        """Return the workers, including those of release 0.1.0. Scans all keys of Redis."""
        crew = self._ledger.crew
        return sorted([*crew.workers(), *crew.unlisted()], key=lambda worker: worker.name)

    def depths(self) -> dict[str, int]:
        """Return the number of messages in each queue, including queues without a worker."""
        return self._ledger.queue_depths({queue: broker_lists(queue) for queue in self._queues()})

    def waits(self) -> dict[str, float]:
        """Return the seconds that the oldest batch of each queue has waited there, if any."""
        return self._ledger.gauges.waits(self._queues())

    def unattended(self, workers: Iterable[WorkerRecord]) -> dict[str, int]:
        """Return the number of messages in each queue that none of ``workers`` consumes."""
        consumed = {queue for worker in workers for queue in worker.queues}
        return {q: depth for q, depth in self.depths().items() if depth and q not in consumed}

    def steer(self, worker: str, order: Order, engine: str = "") -> Holding:
        """Make a worker carry out an order; return its engines afterwards.

        worker: its name, or the beginning of its name. engine: default is all of its engines.
        Raises NotFound, BadInput, the worker's error, or Transient when it does not answer in time.
        """
        record = find(self.all_workers(), worker)
        _check(record, order, engine)
        engines = (engine,) if engine else record.engines
        steering = WorkerCommand(ticket=secrets.token_hex(8), order=order, engines=engines)
        self._publisher.steer(record.name, steering.model_dump(mode="json"))
        reply = self._ledger.requests.wait_reply(steering.ticket, wait=ORDER_SECONDS)
        if reply is None:
            raise Transient(f"{record.name} did not answer within {ORDER_SECONDS:g} s")
        if error := reply.get("error"):
            raise ReportedError(received(ErrorRecord, error))
        return received(Holding, reply.get("holding"))

    def _queues(self) -> list[str]:
        queues = [queue for engine in self._engines() for queue in queues_of(engine)]
        return [*queues, Kind.ASSEMBLY.value]


def _check(record: WorkerRecord, order: Order, engine: str) -> None:
    """Raise BadInput for an order that the worker cannot carry out."""
    if record.slots > 1 and order is not Order.DRAIN:
        raise BadInput(
            f"{record.name} has {record.slots} processes, each with its engines: only a worker of "
            "one can be told what to load; start it with --slots 1"
        )
    if engine and engine not in record.engines:
        close = nearest(engine, [*record.engines])
        raise BadInput(f"{record.name} was not started for {engine!r}; {close}")


def find(workers: Sequence[WorkerRecord], name: str) -> WorkerRecord:
    """Return the one online worker whose name begins with ``name``.

    Raises NotFound without such a worker, and BadInput when there are several.
    """
    online = [worker for worker in workers if worker.online]
    found = [worker for worker in online if worker.name.startswith(name)]
    if exact := [worker for worker in found if worker.name == name]:
        return exact[0]
    if len(found) > 1:
        raise BadInput(
            f"{name!r} may be {' or '.join(worker.name for worker in found)}: write more"
        )
    if not found:
        known = nearest(name, [worker.name for worker in online])
        raise NotFound(f"no worker {name!r} is online; {known}")
    return found[0]

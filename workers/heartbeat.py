"""The heartbeat of a worker: its state, and the queues that it consumes.

The parent process publishes it. Only the pool processes know which engines are in memory; each
reports them in the ledger. The parent reads the reports, and starts or stops consuming queues
accordingly.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import redis
from celery import Celery
from celery.worker import state
from kombu.exceptions import OperationalError

from dubbing.engines.holding import Holding
from dubbing.errors import QueueUnavailable
from dubbing.ledger import Ledger, WorkerRecord, WorkerState
from dubbing.queue import Publisher, queues_of
from workers.gauges import Gauges

log = logging.getLogger(__name__)

UNFIT = signal.SIGUSR2
"""Signal that ends the worker with an exit code of failure."""
BEAT_SECONDS = 10.0
"""Seconds between two heartbeats when nothing changes."""
CONTROL_SECONDS = 2.0
"""Seconds that Celery's consumer may take to answer before it is asked again."""


class Heartbeat:
    """The heartbeat of one worker."""

    def __init__(
        self,
        app: Celery,
        ledger: Ledger,
        publisher: Publisher,
        record: WorkerRecord,
        device: str = "cpu",
    ) -> None:
        """record: of a worker that has loaded nothing, without queues. device: of its models."""
        self.gauges = Gauges(device)
        self._app = app
        self._ledger = ledger
        self._publisher = publisher
        self.fault = ""
        """Why the whole worker takes no work, found by its parent process; empty otherwise."""
        self._ready = False
        self._draining = False
        self._beaten = -math.inf
        self._consumed: set[str] = set()
        self._unsure: set[str] = set()
        """Queues of the last request that Celery did not answer."""
        self._holdings = dict.fromkeys(range(record.slots), record.holding)
        """The engines of each process, by its place in the pool."""
        queues = _queues(record.engines, record.holding)
        self.record = record.model_copy(update={"queues": queues})

    def begin(self) -> None:
        """Record the initial state of each process in the ledger."""
        for process, holding in self._holdings.items():
            self._ledger.crew.hold(self.record.name, process, holding)

    def ready(self) -> None:
        """Note that Celery is running and takes requests about queues."""
        self._ready = True

    def drain(self) -> None:
        """Take no more work, and end the worker when its running batches are finished."""
        self._draining = True

    @property
    def unfit(self) -> bool:
        """Whether no process could load an engine at its start, so that the worker is useless."""
        engines = self.record.engines
        return all(
            not process.begun and all(process.resting.get(engine) for engine in engines)
            for process in self._holdings.values()
        )

    def begun(self) -> set[int]:
        """Return the places in the pool whose processes take work, by their own last reports."""
        try:
            # A process may have begun since the last beat, and hold a batch.
            found = self._ledger.crew.holdings(self.record.name)
        except QueueUnavailable:
            found = {}
        return {place for place, holding in (self._holdings | found).items() if holding.begun}

    @property
    def errors(self) -> tuple[str, ...]:
        """Why engines could not be loaded, or why the worker takes no work, without duplicates."""
        found = (why for process in self._holdings.values() for why in process.errors)
        return tuple(dict.fromkeys(filter(None, (self.fault, *found))))

    @property
    def settled(self) -> bool:
        """Whether the worker consumes all of its queues; until then it is loading."""
        return not self._unsure and self._consumed == set(self.record.queues)

    def beat(self) -> None:
        """Read the reports; publish a changed state at once, an unchanged one every ten seconds."""
        before, now = self.record, self._look()
        for error in now.errors:
            if error not in before.errors:
                log.error("%s cannot do all that it was started for: %s", now.name, error)
        if before.errors and not now.errors:
            log.info("%s takes work again", now.name)
        if self._ready:
            self._consume(self._served(now))
        if self._draining:
            self._end_when_idle()
        if self.unfit:
            os.kill(os.getpid(), UNFIT)
        if now == before and time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        left = [queue for queue in before.queues if queue not in now.queues]
        now = self._measured(now)
        self._ledger.crew.beat(now, left)
        self.record, self._beaten = now, time.monotonic()

    def _end_when_idle(self) -> None:
        """End as on SIGTERM, once Celery knows the outcome of the last task.

        If the worker ended earlier, the pool process would wait for half a minute.
        """
        if not (self._consumed or self._unsure or state.active_requests):
            os.kill(os.getpid(), signal.SIGTERM)

    def leave(self) -> None:
        """Publish the end of the worker, and remove its own queue."""
        self._ledger.crew.leave(self.record)
        self._publisher.drop_own_queue(self.record.name)

    def _look(self) -> WorkerRecord:
        recorded, found = self._ledger.crew.known(self.record.name)
        if not recorded:
            # Redis was emptied; a process may have repeated its report since.
            self._beaten = -math.inf
        for process in self._holdings.keys() - found.keys():
            self._ledger.crew.hold(
                self.record.name, process, self._holdings[process], unless_known=True
            )
        self._holdings.update(found)
        holding = Holding.of_all(self._holdings.values())
        if self.fault:
            holding = holding.model_copy(update={"fault": self.fault})
        return self.record.model_copy(
            update={
                "holding": holding,
                "errors": self.errors,
                "state": self._state(holding),
                "queues": () if self._draining else _queues(self.record.engines, holding),
            }
        )

    def _measured(self, record: WorkerRecord) -> WorkerRecord:
        """Return a record with the figures whose changes cause no extra heartbeat."""
        return record.model_copy(
            update={
                "active": len(state.active_requests),
                "work": self._ledger.crew.work(record.name),
                "vitals": self.gauges.vitals,
            }
        )

    def _served(self, record: WorkerRecord) -> set[str]:
        """Return the queues from which at least one process can take a batch now.

        A batch that is taken while a model is loaded would wait for the model.
        """
        processes = self._holdings.values()
        served = [name for name in record.engines if any(of.takes(name) for of in processes)]
        return {queue for name in served for queue in queues_of(name)} & set(record.queues)

    def _state(self, holding: Holding) -> WorkerState:
        if self.errors:
            return WorkerState.ERROR
        if holding.loading:
            return WorkerState.LOADING
        if holding.resting.keys() >= set(self.record.engines):
            return WorkerState.STANDBY
        begun = all(process.begun for process in self._holdings.values())
        if not (begun and self.settled):
            return WorkerState.LOADING
        return WorkerState.BUSY if state.active_requests else WorkerState.READY

    def _consume(self, queues: set[str]) -> None:
        """Make Celery's consumer, in its own thread, take from these queues and no others.

        A request without an answer may have been carried out or not, and is repeated.
        """
        control = self._app.control
        for queue in (self._consumed | self._unsure) - queues:
            if not self._asked(control.cancel_consumer, queue):
                return
            self._consumed.discard(queue)
        for queue in queues - (self._consumed - self._unsure):
            if not self._asked(control.add_consumer, queue):
                return
            self._consumed.add(queue)

    def _asked(self, order: Callable[..., Any], queue: str) -> bool:
        """Whether Celery's consumer has answered a request about a queue."""
        self._unsure.add(queue)
        try:
            worker = [self.record.name]
            if not order(queue, destination=worker, reply=True, timeout=CONTROL_SECONDS, limit=1):
                return False
        except (OperationalError, redis.RedisError, OSError) as exc:
            log.info("%s is asked again about %s: %s", self.record.name, queue, exc)
            return False
        self._unsure.discard(queue)
        return True


def _queues(engines: tuple[str, ...], holding: Holding) -> tuple[str, ...]:
    """Return the queues of the engines that take work."""
    if holding.fault:
        return ()
    awake = [name for name in engines if name not in holding.resting and name not in holding.away]
    return tuple(queue for engine in awake for queue in queues_of(engine))

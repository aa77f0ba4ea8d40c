"""How a worker says that it is there, what it is about, and what it takes work from.

The parent speaks for the worker. What is in memory only its pool process knows, which says so in
the ledger; the parent looks there, and begins or ends to consume an engine's queues by it.
"""

from __future__ import annotations

import logging
import time

from celery import Celery
from celery.worker import state

from dubbing.ledger import Holding, Ledger, WorkerRecord, WorkerState
from dubbing.queue import Publisher, queues_of

log = logging.getLogger(__name__)

BEAT_SECONDS = 10.0
"""How often a worker says that it is there when nothing has changed."""
CONTROL_SECONDS = 2.0
"""How long Celery's consumer may take to answer; without an answer it is asked again."""


class Heartbeat:
    """What one worker says of itself."""

    def __init__(
        self, app: Celery, ledger: Ledger, publisher: Publisher, record: WorkerRecord
    ) -> None:
        """Take in what is known before anything is loaded; ``record.queues`` is made here."""
        self._app = app
        self._ledger = ledger
        self._publisher = publisher
        self._ready = False
        self._loaded = False
        self._beaten = 0.0
        self._consumed: set[str] = set()
        queues = _queues(record.engines, record.holding)
        self.record = record.model_copy(update={"queues": queues})

    def ready(self) -> None:
        """Note that Celery consumes, from now on what it is told to."""
        self._ready = True

    @property
    def settled(self) -> bool:
        """Whether the worker is at work, or waits for an order; until then it is loading."""
        return self._consumed == set(self.record.queues)

    def beat(self) -> None:
        """Look what has changed; say so at once, or that nothing has every ten seconds."""
        before, now = self.record, self._look()
        # A batch that came while a model is loading would wait for it.
        self._loaded = self._loaded or bool(now.holding.loaded)
        if self._ready and self._loaded:
            self._consume(set(now.queues))
        if now == before and time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        left = [queue for queue in before.queues if queue not in now.queues]
        self._ledger.beat(now, left)
        self.record, self._beaten = now, time.monotonic()

    def leave(self) -> None:
        """Say that the worker is gone, and take its own queue with it."""
        self._ledger.leave(self.record)
        self._publisher.drop_own_queue(self.record.name)

    def _look(self) -> WorkerRecord:
        holding = self._ledger.holding(self.record.name)
        if holding is None:
            # A Redis that was emptied: what is in memory has not changed by that.
            holding = self.record.holding
            self._ledger.hold(self.record.name, holding)
        return self.record.model_copy(
            update={
                "holding": holding,
                "state": self._state(holding),
                "queues": _queues(self.record.engines, holding),
            }
        )

    def _state(self, holding: Holding) -> WorkerState:
        if holding.errors:
            return WorkerState.ERROR
        if holding.loading:
            return WorkerState.LOADING
        if holding.resting.keys() >= set(self.record.engines):
            return WorkerState.STANDBY
        if not self.settled:
            return WorkerState.LOADING
        return WorkerState.BUSY if state.active_requests else WorkerState.READY

    def _consume(self, queues: set[str]) -> None:
        """Have Celery's consumer, in its own thread, take from these queues."""
        control = self._app.control
        asked = {
            "destination": [self.record.name], "reply": True, "timeout": CONTROL_SECONDS, "limit": 1
        }  # fmt: skip
        for queue in self._consumed - queues:
            if control.cancel_consumer(queue, **asked):
                self._consumed.discard(queue)
        for queue in queues - self._consumed:
            if control.add_consumer(queue, **asked):
                self._consumed.add(queue)


def _queues(engines: tuple[str, ...], holding: Holding) -> tuple[str, ...]:
    """Return the queues of the engines that do not rest."""
    awake = [engine for engine in engines if engine not in holding.resting]
    return tuple(queue for engine in awake for queue in queues_of(engine))

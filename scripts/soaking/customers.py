"""The customers of a soak, who submit jobs, watch them, cancel them and retry them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from soaking.before import Before
from soaking.orders import Order

from dubbing.client import Client
from dubbing.errors import Conflict, QueueUnavailable
from dubbing.job import JobState
from dubbing.jobs.status import Status
from dubbing.jobs.store import latest_round

T = TypeVar("T")
LOOK_SECONDS = 0.25
"""Seconds between two looks of a customer at a job."""


class GivenUp(Exception):  # noqa: N818 - nothing is wrong
    """The soak waits no longer."""


@dataclass
class Life:
    """The course of an order, as its customer saw it."""

    order: Order
    since: float = field(default_factory=time.time)
    until: float | None = None
    acknowledged: int = 0
    """Submissions that were answered."""
    refused: int = 0
    """Number of calls that failed because Redis was down."""
    cancelled: set[int] = field(default_factory=set)
    """Rounds that this customer cancelled."""
    last: Status | None = None
    deleted: bool = False
    fault: str = ""
    """An outcome that must not happen."""


class Customers:
    """Threads that each look after one job at a time.

    before: the release whose client submits some jobs, if there is one.
    """

    def __init__(
        self, client: Client, orders: Iterator[Order], at_once: int, before: Before | None
    ) -> None:
        self.lives: list[Life] = []
        self._before = before
        self._client = client
        self._orders = orders
        self._next = threading.Lock()
        self._closed = threading.Event()
        self._given_up = threading.Event()
        self._threads = [threading.Thread(target=self._serve) for _ in range(at_once)]

    def start(self) -> None:
        """Start all customers."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Take no more orders."""
        self._closed.set()

    def give_up(self) -> None:
        """Stop all customers, and return when they have stopped."""
        self._closed.set()
        self._given_up.set()
        for thread in self._threads:
            thread.join()

    @property
    def served(self) -> bool:
        """Whether all customers have finished."""
        return not any(thread.is_alive() for thread in self._threads)

    def _serve(self) -> None:
        while not self._closed.is_set():
            with self._next:
                life = Life(next(self._orders))
                self.lives.append(life)
            try:
                self._look_after(life)
            except GivenUp:
                return
            except Exception as exc:  # noqa: BLE001 - whatever the client raises is a fault
                life.fault = f"{type(exc).__name__}: {exc}"

    def _look_after(self, life: Life) -> None:
        order = life.order
        for _ in range(1 + order.again):
            self._submit(life)
        status = self._watch(life)
        if order.retry and status.state is not JobState.COMPLETED:
            self._retry(life, status.round)
            status = self._watch(life)
        if order.again:
            self._submit(life)
            if self._status(life) != status:
                life.fault = f"submitted again after its end, it is {self._status(life)}"
        if order.deleted and status.state is not JobState.CANCELLED:
            self._answer(life, lambda: self._client.delete(order.job.id))
            life.deleted = True
        life.last, life.until = status, time.time()

    def _submit(self, life: Life) -> None:
        before, job = self._before, life.order.job
        # Only at first: later, a result may be damaged, at which the previous release fails.
        if before and life.order.older and not life.acknowledged:
            self._answer(life, lambda: before.submit(job))
        else:
            self._answer(life, lambda: self._client.submit(job))
        life.acknowledged += 1

    def _watch(self, life: Life) -> Status:
        """Return how the job ended; cancel it when it has come far enough."""
        share = life.order.cancel_at
        while not (status := self._status(life)).state.ended:
            far = status.lines * share <= status.done if share is not None else False
            if far and not life.cancelled:
                status = self._answer(life, lambda: self._client.cancel(life.order.job.id))
                life.cancelled.add(status.round)
                return status
            self._pause()
        return status

    def _retry(self, life: Life, ended: int) -> None:
        """Request another round; an earlier, unanswered call may have opened it already."""
        job, storage = life.order.job.id, self._client.storage
        try:
            self._answer(life, lambda: self._client.retry(job))
        except Conflict:
            if latest_round(storage, job) == ended:
                raise

    def _status(self, life: Life) -> Status:
        return self._answer(life, lambda: self._client.status(life.order.job.id))

    def _answer(self, life: Life, ask: Callable[[], T]) -> T:
        """Call ``ask`` until it is answered."""
        while True:
            try:
                return ask()
            except QueueUnavailable:
                life.refused += 1
                self._pause()

    def _pause(self) -> None:
        if self._given_up.wait(LOOK_SECONDS):
            raise GivenUp

"""One batch in a worker: claimed, leased, done, counted.

Every kind of batch goes through these steps; Celery only delivers its address. When a worker stops
for any reason, its lease ends, and another worker starts here again.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from dubbing.documents import stored
from dubbing.errors import (
    Damaged,
    DubbingError,
    EngineAway,
    EngineFailed,
    NewerRelease,
    NotFound,
    Stopped,
    StorageUnavailable,
    Transient,
)
from dubbing.job import JobState
from dubbing.jobs.access import Access
from dubbing.jobs.costs import enter
from dubbing.jobs.counting import count_batch
from dubbing.jobs.lease import Lease
from dubbing.jobs.rounds import end_round, put_to_work, start
from dubbing.jobs.status import status_if_readable
from dubbing.jobs.store import load_job
from dubbing.ledger import Address, Claim, Ledger
from dubbing.ledger.vitals import Tally
from dubbing.planning.outcome import load_result
from dubbing.planning.plan import Batch, Kind
from dubbing.planning.result import BatchResult, unspoken
from dubbing.queue import Publisher
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.telemetry.context import bound
from dubbing.telemetry.metrics import BATCHES

log = logging.getLogger(__name__)

Done = TypeVar("Done")

PAUSE_SECONDS = 5.0
"""First pause of a batch that failed without fault of its lines; later pauses are longer."""
LONGEST_PAUSE = 60.0
AWAY_SECONDS = 2.0
"""Seconds that a process idles after it returned a batch that only other processes can do.

Otherwise it would take that batch again at once, while the others are busy.
"""
SETBACKS = 5
"""Storage failures after which a batch is reported with that error.

If the report cannot be stored either, the batch waits for the end of the outage.
"""
TRIES = 3
"""Failures of its engine after which a batch is reported with that error.

They happen before any line is spoken, in an extraction or in loading a converter's base; or after
all lines, in the model that removes the speech from a film. Failures while lines are spoken are
tried again line by line, and belong to the lines.
"""
BOUNDS: Mapping[type[Transient], int] = {StorageUnavailable: SETBACKS, EngineFailed: TRIES}
"""Number of tries for work that raises such an error; other transient errors have no limit."""


@dataclass(frozen=True, kw_only=True)
class BatchRunner:
    """Claims batches for a worker process, does them and counts them."""

    storage: Storage
    ledger: Ledger
    publisher: Publisher
    access: Access
    """Whether this process can use its storage."""
    worker: str
    """Name of the process in leases and results."""
    pause: float = PAUSE_SECONDS
    """Seconds that a batch rests after its first setback."""
    tally: Tally = field(default_factory=Tally)
    """The counts of this process's work."""

    @contextmanager
    def claimed(self, at: Address) -> Iterator[Lease | None]:
        """Claim a batch for the block; yields None when there is nothing to do.

        An exception is handled as in `answering`.
        """
        lease = self.claim(at)
        if lease is None:
            yield None
            return
        lease.keep()
        lease.begin()
        try:
            with self.answering(lease):
                self.access.check()
                # Now, so that the next message has arrived when this batch ends.
                self.publisher.fill([at.queue])
                yield lease
        finally:
            lease.leave()

    def claim(self, at: Address, *, held: bool = False) -> Lease | None:
        """Claim the batch of an arrived message, or another waiting batch; None without one.

        held: whether this process already holds that batch.
        """
        claim, found = self.ledger.claim(at, self.worker, held=held)
        if claim is Claim.UNKNOWN:
            claim, found = self._claim_again(at)
        if claim is Claim.RUN:
            return Lease(self.ledger, found, self.worker, self.access.lost)
        log.debug("%s: nothing to do: %s", at, claim.value)
        self.publisher.fill([at.queue])
        return None

    @contextmanager
    def answering(self, lease: Lease) -> Iterator[None]:
        """Return the batch when the block fails, to be tried after a pause.

        Stopped, EngineAway, NewerRelease, and an error of storage that only this process cannot
        use, return it at once. Damaged ends the round, because no try can read its documents.
        """
        # The batch of the message may be another one.
        with bound(**lease.at.context), self._handing_back(lease):
            yield

    @contextmanager
    def _handing_back(self, lease: Lease) -> Iterator[None]:
        at = lease.at
        try:
            yield
        except Damaged as exc:
            self.check_in_charge(lease)
            log.error("%s: the job fails: %s", at.job, exc)
            now = status_if_readable(self.storage, self.ledger, at.job)
            end = now.as_end(JobState.FAILED, at.round, exc)
            end_round(self.storage, self.ledger, at.job, end)
            raise
        except Exception as exc:
            self._hand_back(lease, exc)
            raise
        except BaseException:
            self.ledger.release(at, self.worker)
            raise

    def check_in_charge(self, lease: Lease) -> None:
        """Raise unless this process may store the outcome of a batch or a round.

        It may while its storage is in place and it holds the lease: without the lease, another
        worker may be about to store something else.
        """
        self.access.check_mounted()
        # Last, because a job may be cancelled at any moment, and then nothing more may be stored.
        lease.check()

    def _hand_back(self, lease: Lease, exc: Exception) -> None:
        """Release a batch: at once if other processes may do it, otherwise after a pause."""
        at, stopped = lease.at, isinstance(exc, Stopped)
        elsewhere = isinstance(exc, EngineAway | NewerRelease)
        if elsewhere or (not stopped and lease.set_back(exc) == 0):
            BATCHES.add(at.work, at.kind.value, "left_to_others")
            log.warning("%s is left to others: %s", at, exc)
            self.ledger.release(at, self.worker)
            time.sleep(AWAY_SECONDS)
            return
        BATCHES.add(at.work, at.kind.value, "stopped" if stopped else "handed_back")
        pause = 0.0 if stopped else self._pause(lease.set_back(exc))
        rest = f", and rests for {pause:.1f} s" if pause else ""
        log.warning("%s is handed back%s: %s", at, rest, exc)
        self.ledger.release(at, self.worker, pause=pause)

    def _pause(self, setbacks: int) -> float:
        """Return the seconds that a batch rests: longer each time, with jitter."""
        longest = min(LONGEST_PAUSE, self.pause * 2.0 ** min(setbacks - 1, SETBACKS))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - it only spreads the load

    def run(self, at: Address, do: Callable[[Batch, Lease], BatchResult]) -> str:
        """Do a batch from claim to count; return the outcome in words."""
        with self.claimed(at) as lease:
            if lease is None:
                return "nothing to do"
            batch = self.load_batch(lease.at)
            # A result exists when a worker died between storing and counting it.
            result = load_result(self.storage, lease.at.job, lease.at.round, batch.number)
            if result is None:
                began = time.monotonic()
                made = self.attempt(lease, batch, lambda: do(batch, lease))
                failed = int(made.error is not None)
                took = time.monotonic() - began
                self.tally.add(1 - failed, failed, took)
                count_batch(batch.engine, batch.kind, made, took)
                return self.settle(lease, made).words
            self.count(lease.at, result)
            return result.words

    def load_batch(self, at: Address) -> Batch:
        """Return a batch of a plan; raises as `stored`."""
        plan = Keys.plan(at.job, at.round)
        return stored(Batch, self.storage.get_range(plan, *at.span), plan)

    def attempt(self, lease: Lease, batch: Batch, do: Callable[[], Done]) -> Done | BatchResult:
        """Return the result of ``do``, or a result that reports why the batch failed for good."""
        try:
            return do()
        except Stopped:
            # Its deliveries stay counted: its lines may have used up the time.
            raise
        except Transient as exc:
            # This process is alive, so the returned batch does not count as a death. Any other
            # exception counts; otherwise the batch would return for ever.
            self.ledger.forgive(lease.at.job, [line.id for line in batch.lines])
            bound = bound_of(exc)
            # Failures of this process alone are not counted.
            if bound is None or lease.set_back(exc) < bound:
                raise
            return failed_result(batch, exc, self.worker)

    def settle(self, lease: Lease, result: BatchResult, took: float | None = None) -> BatchResult:
        """Store and count a result; return the one that counts.

        took: seconds of the engine for the batch; by default, the seconds since its begin.
        """
        self.check_in_charge(lease)
        try:
            counted = self._store(lease.at, result)
        except StorageUnavailable:
            lease.forget_setbacks()
            raise
        self.count(lease.at, counted, took)
        return counted

    def _store(self, at: Address, result: BatchResult) -> BatchResult:
        """Store a result; return the stored one, which another worker may have stored first."""
        key = Keys.result(at.job, at.round, result.batch)
        data = result.model_dump_json(exclude_defaults=True).encode()
        if self.storage.create(key, data):
            return result
        if other := load_result(self.storage, at.job, at.round, result.batch):
            return other
        self.storage.replace(key, data)
        return result

    def count(self, at: Address, result: BatchResult, took: float | None = None) -> None:
        """Count a stored result, and fill the queues that have new work; `took` as in `settle`."""
        ids = [segment.id for segment in result.segments]
        costs = enter(self.storage, at, result)
        touched = self.ledger.complete(at, ids, result.failed, took, result.spoken, costs)
        if touched is None:
            # Redis forgot the job, which is rebuilt from storage with this result.
            self.access.installation.check_redis()
            start(self.storage, self.ledger, self.publisher, load_job(self.storage, at.job, 1))
        else:
            self.publisher.fill(touched)

    def _claim_again(self, at: Address) -> tuple[Claim, Address]:
        try:
            job = load_job(self.storage, at.job, 1)
            self.access.installation.check_redis()
            put_to_work(self.storage, self.ledger, job)
        except (NotFound, Damaged):
            # The reconciler names the damaged document.
            return Claim.OVER, at
        return self.ledger.claim(at, self.worker)


def bound_of(exc: Transient) -> int | None:
    """Return the number of tries for work that raises ``exc``; None for no limit."""
    return next((tries for kind, tries in BOUNDS.items() if isinstance(exc, kind)), None)


def failed_result(batch: Batch, error: DubbingError, worker: str) -> BatchResult:
    """Return the result of a failed batch: each of its lines has the error."""
    record = error.to_record()
    if batch.kind is Kind.EXTRACTION:
        return BatchResult(batch=batch.number, worker=worker, error=record)
    failed = [unspoken(line.id, batch.engine, line.seed, record) for line in batch.lines]
    return BatchResult(batch=batch.number, worker=worker, segments=tuple(failed))

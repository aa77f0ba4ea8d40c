"""One batch in a worker: claimed, leased, done, counted.

Every kind of batch takes this way; Celery only brings its address. When a worker stops for any
reason, its lease ends and another worker begins here again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial

from dubbing.documents import stored
from dubbing.errors import (
    DubbingError,
    EngineAway,
    NewerRelease,
    NotFound,
    Stopped,
    StorageUnavailable,
    Transient,
)
from dubbing.jobs.rounds import put_to_work, start
from dubbing.jobs.store import load_job
from dubbing.ledger import Address, Claim, Ledger
from dubbing.planning.outcome import load_result
from dubbing.planning.plan import Batch, Kind
from dubbing.planning.result import BatchResult, unspoken
from dubbing.queue import Publisher
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

log = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
"""First pause of a batch that failed for no fault of its lines; later pauses are longer."""
LONGEST_PAUSE = 60.0
AWAY_SECONDS = 2.0
"""How long a process is idle after it handed back a batch that only others can do.

Without that it would be the first to take each batch from those that can do it and are busy.
"""
SETBACKS = 5
"""After so many storage failures a batch is reported with that error.

If the report cannot be stored either, the batch waits for the end of the outage.
"""

STORAGE = "storage"

MARGIN_SECONDS = 0.5
"""Work that still runs so long before its deadline is taken to hang."""


class Lease:
    """The right to work on one batch, renewed by a thread until it is left."""

    def __init__(self, ledger: Ledger, at: Address, owner: str) -> None:
        self.at = at
        self._ledger = ledger
        self._owner = owner
        self._setbacks: dict[str, int] = {}
        self._alone: str | None = None
        self._over = threading.Event()
        self._lost = threading.Event()

    @property
    def alive(self) -> bool:
        """Whether the work is still wanted, as far as is known."""
        return not self._lost.is_set()

    def check(self) -> None:
        """Renew it now; raise Stopped unless the work is still wanted."""
        self._renew()
        if not self.alive:
            raise Stopped(f"{self.at.job}: the batch was cancelled, or its lease ran out")

    def set_back(self, exc: Exception) -> int:
        """Count, once, that the batch failed for no fault of its lines; return how often it did.

        What storage fails is counted apart from what engines that are away hand back.
        """
        name = self._setbacks_of(STORAGE if isinstance(exc, StorageUnavailable) else "others")
        if name not in self._setbacks:
            self._setbacks[name] = self._ledger.deliver_again(self.at.job, name) + 1
        return self._setbacks[name]

    def forget_setbacks(self) -> None:
        """Reset the count of storage failures: all of storage is down, not only for this batch."""
        self._ledger.forgive(self.at.job, [self._setbacks_of(STORAGE)])

    def _setbacks_of(self, kind: str) -> str:
        return f"setbacks of {self.at.token} by {kind}"

    def begin_alone(self, id_: str) -> int:
        """Count a delivery of what is done alone; return how often it was begun before.

        A hang counts as two deliveries: it costs a full deadline, and no other line is to blame.
        """
        self._alone = id_
        return self._ledger.deliver_again(self.at.job, id_)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew it while the block runs."""
        # What it logs names the batch as what the worker logs does.
        run = partial(copy_context().run, self._keep)
        thread = threading.Thread(target=run, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _keep(self) -> None:
        end = time.monotonic() + self.at.deadline - MARGIN_SECONDS
        while (left := end - time.monotonic()) > 0:
            if self._over.wait(min(left, self._ledger.lease / 3)) or not self.alive:
                return
            self._renew()
        if self._alone:
            log.warning("%s: %s hangs", self.at.job, self._alone)
            self._ledger.deliver_again(self.at.job, self._alone)

    def _renew(self) -> None:
        try:
            if not self._ledger.renew(self.at, self._owner):
                self._lost.set()
        except DubbingError as exc:
            # The lease may run out meanwhile; then the batch is done twice, and counted once.
            log.warning("the lease of %s could not be renewed: %s", self.at, exc)


@dataclass(frozen=True, kw_only=True)
class BatchRunner:
    """What a worker process needs to take batches."""

    storage: Storage
    ledger: Ledger
    publisher: Publisher
    worker: str
    """Names the process; leases and results hold it."""
    pause: float = PAUSE_SECONDS
    """Seconds that a batch rests after its first setback."""

    @contextmanager
    def claimed(self, at: Address) -> Iterator[Lease | None]:
        """Claim a batch for the block; yields None when there is nothing to do.

        An exception hands the batch back for later, after a pause; Stopped, EngineAway and
        NewerRelease hand it back at once.
        """
        claim = self.ledger.claim(at, self.worker)
        if claim is Claim.UNKNOWN:
            claim = self._claim_again(at)
        if claim is not Claim.RUN:
            log.debug("%s: nothing to do for batch %s: %s", at.job, at.token, claim.value)
            self.publisher.fill([at.queue])
            yield None
            return
        # Now, and not when it is done: the next message is there when this one ends.
        self.publisher.fill([at.queue])
        lease = Lease(self.ledger, at, self.worker)
        try:
            with lease.renewed():
                yield lease
        except (EngineAway, NewerRelease) as exc:
            log.warning("%s: batch %s is left to others: %s", at.job, at.token, exc)
            self.ledger.release(at, self.worker)
            time.sleep(AWAY_SECONDS)
            raise
        except Exception as exc:
            pause = 0.0 if isinstance(exc, Stopped) else self._pause(lease.set_back(exc))
            log.warning("%s: batch %s is handed back for %.1f s: %s", at.job, at.token, pause, exc)
            self.ledger.release(at, self.worker, pause=pause)
            raise
        except BaseException:
            self.ledger.release(at, self.worker)
            raise

    def _pause(self, setbacks: int) -> float:
        """Return how many seconds a batch rests: each time longer, no two the same."""
        longest = min(LONGEST_PAUSE, self.pause * 2.0 ** min(setbacks - 1, SETBACKS))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - it only spreads the load

    def run(self, at: Address, do: Callable[[Batch, Lease], BatchResult]) -> str:
        """Do a batch from claim to count; return in a word what happened."""
        with self.claimed(at) as lease:
            if lease is None:
                return "nothing to do"
            assert at.number is not None  # noqa: S101 - an assembly has no plan
            # A result exists when a worker died between storing and counting it.
            stored = load_result(self.storage, at.job, at.round, at.number)
            result = stored or self._do(lease, at.number, do)
            self._complete(at, result)
        return (
            f"{len(result.segments)} lines, {result.spoken} spoken, {result.failed} failed, "
            f"{result.padding:.0%} padding"
        )

    def _do(
        self, lease: Lease, number: int, do: Callable[[Batch, Lease], BatchResult]
    ) -> BatchResult:
        at = lease.at
        plan = Keys.plan(at.job, at.round)
        batch = stored(Batch, self.storage.get_range(plan, *at.span), plan)
        try:
            result = do(batch, lease)
        except Stopped:
            # Its deliveries stay counted: it may be its own lines that used up the time.
            raise
        except Transient as exc:
            # This process lives: what it hands back does not count as a death. Anything else
            # that is raised here does count, as it would come again for ever.
            self.ledger.forgive(at.job, [line.id for line in batch.lines])
            if not isinstance(exc, StorageUnavailable) or lease.set_back(exc) < SETBACKS:
                raise
            result = failed_result(batch, exc, self.worker)
        lease.check()
        try:
            return self._stored(at, number, result)
        except StorageUnavailable:
            lease.forget_setbacks()
            raise

    def _stored(self, at: Address, number: int, result: BatchResult) -> BatchResult:
        """Store a result; return the stored one, which another worker may have stored first."""
        key = Keys.result(at.job, at.round, number)
        data = result.model_dump_json(exclude_defaults=True).encode()
        if self.storage.create(key, data):
            return result
        if stored := load_result(self.storage, at.job, at.round, number):
            return stored
        self.storage.replace(key, data)
        return result

    def _complete(self, at: Address, result: BatchResult) -> None:
        ids = [segment.id for segment in result.segments]
        touched = self.ledger.complete(at, ids, result.failed)
        if touched is None:
            # Redis forgot the job; what is rebuilt from storage holds this result.
            start(self.storage, self.ledger, self.publisher, load_job(self.storage, at.job))
        else:
            self.publisher.fill(touched)

    def _claim_again(self, at: Address) -> Claim:
        try:
            job = load_job(self.storage, at.job)
        except NotFound:
            return Claim.OVER
        put_to_work(self.storage, self.ledger, job)
        claim = self.ledger.claim(at, self.worker)
        return Claim.OVER if claim is Claim.UNKNOWN else claim


def failed_result(batch: Batch, error: DubbingError, worker: str) -> BatchResult:
    """Return the result of a batch that came to nothing: each of its lines has the error."""
    record = error.to_record()
    if batch.kind is Kind.EXTRACTION:
        return BatchResult(batch=batch.number, worker=worker, error=record)
    failed = [unspoken(line.id, batch.engine, line.seed, record) for line in batch.lines]
    return BatchResult(batch=batch.number, worker=worker, segments=tuple(failed))

"""The batches of a worker process, each at a different step: read, spoken or stored.

While the engine speaks a batch, threads read the next batch and look up its stored clips, and store
and count the batch before. Between two batches the engine waits for one answer of Redis. Only one
batch is at each step, so memory is bounded.

A message stands for any batch of its queue: the batch that was read ahead is done first, and the
named batch comes with another message.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

from dubbing.errors import DubbingError
from dubbing.jobs.batch_work import BatchRunner
from dubbing.jobs.counting import count_batch
from dubbing.jobs.lease import Lease
from dubbing.ledger import Address
from dubbing.planning.outcome import load_result
from dubbing.planning.plan import Batch
from dubbing.planning.result import BatchResult
from dubbing.queue import batch_lists
from dubbing.synthesis.known import Known
from dubbing.synthesis.speak import Speech, Watch
from dubbing.telemetry.context import bound, rebind
from dubbing.telemetry.tracing import span

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A batch read from storage."""

    batch: Batch
    result: BatchResult | None
    """Its result, if a worker died between storing and counting it."""
    needed: BatchResult | None
    """The result of the extraction for which its lines waited."""
    known: Known | None
    """Its clips in storage; None if the engine was not in memory."""


class Pipeline:
    """The steps of one process. `run` and `close` are for its main thread."""

    def __init__(
        self,
        runner: BatchRunner,
        look_up: Callable[[Batch], Known | None],
        prepare: Callable[[Reading], Speech | BatchResult],
    ) -> None:
        """Start without a batch.

        look_up: finds the stored clips of a batch; it is called in a thread.
        prepare: prepares a batch for its engine, which it may load, or returns a result of
        failures.
        """
        self._runner = runner
        self._look_up = look_up
        self._prepare = prepare
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="reader")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._storing: Future[None] | None = None
        self._held: set[Address] = set()
        """The batches that this process holds, from reading to counting."""
        self._lock = threading.Lock()
        self._ahead: tuple[Lease, Future[Reading]] | None = None
        self._ending = False
        self._told: SimpleQueue[None] = SimpleQueue()
        threading.Thread(target=self._hear, name="ending", daemon=True).start()

    def run(self, at: Address) -> str:
        """Do a batch of the queue on which a message arrived; return the outcome in a word.

        Raises as `BatchRunner.claimed`. An error while a batch is stored is logged, and the batch
        is returned.
        """
        while ahead := self._take_ahead(at.queue):
            with self._answering(ahead[0]):
                words = self._do(*ahead, at)
            if words:
                # For the log line of the task: the message may have named another batch.
                rebind(**ahead[0].at.context)
                return words
        lease = self._runner.claim(at, held=at in self._held)
        if lease is None:
            return "nothing to do"
        reading = self._read(lease)
        with self._answering(lease):
            words = self._do(lease, reading)
        rebind(**lease.at.context)
        return words or "nothing to do"

    def end(self) -> None:
        """Stop reading ahead, and release batches read ahead; called by a signal handler."""
        self._ending = True
        self._told.put(None)

    def close(self) -> None:
        """Release batches read ahead, and wait until all spoken batches are stored."""
        self._ending = True
        self._leave_ahead()
        self._readers.shutdown()
        self._writer.shutdown()

    def _do(self, lease: Lease, reading: Future[Reading], named: Address | None = None) -> str:
        """Do a batch up to its storing; return ``""`` if another worker took it over.

        named: the batch of the message, if it is another one; it is read next.
        """
        runner = self._runner
        runner.access.check()
        read = reading.result()
        if read.result:
            runner.count(lease.at, read.result)
            self._drop(lease)
            return read.result.words
        work = runner.attempt(lease, read.batch, lambda: self._prepare(read))
        unspoken = work.unspoken if isinstance(work, Speech) else []
        before = self._begin(lease, unspoken, named)
        if before is None:
            self._drop(lease)
            return ""
        began = time.monotonic()
        result = self._spoken(lease, read.batch, work, before)
        lease.end_alone()
        self.settle()
        took = time.monotonic() - began
        store = partial(copy_context().run, self._store, lease, read.batch, result, took)
        self._storing = self._writer.submit(store)
        return f"{lease.at}: {len(unspoken)} of {len(read.batch.lines)} lines"

    def _spoken(
        self, lease: Lease, batch: Batch, work: Speech | BatchResult, before: Mapping[str, int]
    ) -> Callable[[], BatchResult]:
        """Have the engine speak; return a function that waits for the result."""
        if isinstance(work, BatchResult):
            return lambda: work

        def begin_alone(id_: str) -> None:
            self.settle()
            lease.begin_alone(id_)

        watch = Watch(begin_alone=begin_alone, check=lease.check_known)
        failed = self._runner.attempt(lease, batch, partial(work.run, before, watch))
        if failed:
            return lambda: failed
        worker = self._runner.worker
        return lambda: BatchResult(
            batch=batch.number, worker=worker, segments=tuple(work.results()), used=work.used
        )

    def _begin(
        self, lease: Lease, unspoken: list[str], named: Address | None
    ) -> Mapping[str, int] | None:
        """Begin a batch, and read the next one; return None if another worker took this one."""
        runner, at = self._runner, lease.at
        lists = batch_lists(at.queue)
        begun = runner.ledger.begin(at, runner.worker, unspoken, lists, following=named)
        lease.begin()
        if begun.send:
            self._readers.submit(copy_context().run, self._send, begun.send)
        if begun.following:
            following = Lease(runner.ledger, begun.following, runner.worker, runner.access.lost)
            # The batch read ahead may be of another queue.
            self._leave_ahead()
            with self._lock:
                self._ahead = following, self._read(following)
            if self._ending:
                self._leave_ahead()
        return begun.counts

    def _send(self, batches: Sequence[Address]) -> None:
        try:
            self._runner.publisher.send(batches)
        except DubbingError as exc:
            log.warning("messages are sent again later: %s", exc)

    def _read(self, lease: Lease) -> Future[Reading]:
        """Start reading a batch, and renewing its lease."""
        self._held.add(lease.at)
        lease.keep()
        with bound(**lease.at.context):
            return self._readers.submit(copy_context().run, self._reading, lease.at)

    def _reading(self, at: Address) -> Reading:
        storage, batch = self._runner.storage, self._runner.load_batch(at)
        needs = batch.needs
        return Reading(
            batch=batch,
            result=load_result(storage, at.job, at.round, batch.number),
            needed=None if needs is None else load_result(storage, at.job, at.round, needs),
            known=self._look_up(batch),
        )

    def _store(
        self, lease: Lease, batch: Batch, result: Callable[[], BatchResult], took: float
    ) -> None:
        """Store and count a batch that was spoken."""
        runner, began = self._runner, time.monotonic()
        try:
            with runner.answering(lease), span("store"):
                stored = runner.settle(lease, runner.attempt(lease, batch, result), took)
            runner.tally.add(len(stored.segments) - stored.failed, stored.failed, took)
            count_batch(batch.engine, batch.kind, stored, took)
            log.info("stored %s, in %.2f s", stored.words, time.monotonic() - began)
        except DubbingError:
            # The error was logged when the batch was returned.
            return
        except Exception:
            log.exception("%s could not be stored", lease.at)
        finally:
            self._drop(lease)

    def settle(self) -> None:
        """Wait until the last spoken batch is stored or returned, and its engine is free."""
        if self._storing:
            self._storing.result()

    @contextmanager
    def _answering(self, lease: Lease) -> Iterator[None]:
        """Return and drop the batch when the block fails."""
        try:
            with self._runner.answering(lease):
                yield
        except BaseException:
            self._drop(lease)
            raise

    def _drop(self, lease: Lease) -> None:
        lease.leave()
        self._held.discard(lease.at)

    def _take_ahead(self, queue: str) -> tuple[Lease, Future[Reading]] | None:
        """Return the batch that was read ahead, if it is of this queue."""
        with self._lock:
            ahead = self._ahead
            if ahead and ahead[0].at.queue == queue:
                self._ahead = None
                return ahead
        return None

    def _leave_ahead(self) -> None:
        with self._lock:
            ahead, self._ahead = self._ahead, None
        if ahead:
            lease, _ = ahead
            self._drop(lease)
            try:
                self._runner.ledger.unreserve(lease.at, self._runner.worker)
            except DubbingError as exc:
                log.info("%s stays reserved for some seconds: %s", lease.at, exc)

    def _hear(self) -> None:
        """Release the batch read ahead after `end`, which must not wait in a signal handler."""
        self._told.get()
        self._leave_ahead()

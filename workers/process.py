"""The start of a pool process: it builds its context and loads its engines before it takes work."""

from __future__ import annotations

import ctypes
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from celery import current_app
from celery.signals import worker_process_init, worker_process_shutdown
from celery.utils.log import current_process_index

from dubbing.engines.engine import Voicing
from dubbing.engines.holding import Holding
from dubbing.engines.published import publish
from dubbing.engines.residency import Residency
from dubbing.errors import DubbingError, QueueUnavailable, StorageUnavailable
from dubbing.jobs.access import Access
from dubbing.jobs.batch_work import BatchRunner
from dubbing.jobs.installation import Installation
from dubbing.ledger import Ledger
from dubbing.ledger.vitals import Tally, Work
from dubbing.media.scratch import sweep
from dubbing.planning.plan import Kind
from dubbing.queue import Publisher
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.system import System
from dubbing.telemetry import logs as log
from dubbing.telemetry import tracing
from dubbing.telemetry.counts import REPORT_SECONDS, counts
from tasks.context import ENDING, Context, close, install
from workers.gate import Gate
from workers.heartbeat import UNFIT

logger = logging.getLogger(__name__)

ENGINES_VARIABLE, WORKER_VARIABLE = "DUBBING_WORKER_ENGINES", "DUBBING_WORKER_NAME"
INSTALLATION_VARIABLE = "DUBBING_WORKER_INSTALLATION"
"""Environment variables for spawned pool processes, which inherit nothing else."""

DIED = "a process died while it loaded {engine} (is there enough memory?)"
KEPT_MEMORY = {-3: 32 << 20, -1: 128 << 20}
"""glibc's M_MMAP_THRESHOLD and M_TRIM_THRESHOLD in bytes, with which it keeps the memory of a
batch's sound for the next batch: the kernel clears memory that was returned page by page, which
slows a fast engine down."""

gate: Gate | None = None
"""The gate at which this process waits for its parent, if it was forked."""
_reporters: list[Reporter] = []
"""The reporter of this process's work, once it has its context."""


@worker_process_init.connect(weak=False)
def set_up(**_: Any) -> None:
    """Build the context of this process's tasks; if that fails, the whole worker ends."""
    id_ = gate.wait() if gate else os.environ[INSTALLATION_VARIABLE]
    try:
        install(_context(id_))
    except Exception as exc:
        # Celery would only log the error, and let this process take work.
        logger.critical("this worker cannot work: %s", exc, exc_info=_unforeseen(exc))
        # A new process would fail in the same way.
        os.kill(os.getppid(), UNFIT)


@worker_process_shutdown.connect(weak=False)
def tear_down(**_: Any) -> None:
    """Finish and report the work of this process at its orderly end."""
    close()
    for reporter in _reporters:
        reporter.tell_work()
    tracing.close()


def log_name(engines: Sequence[str]) -> str:
    """Return the name of the log of a worker of these engines."""
    return f"worker-{'+'.join(engines)}"


def _context(id_: str) -> Context:
    """Return the context of this process. id_: id of the installation, found by its parent."""
    system, engines = System(), os.environ[ENGINES_VARIABLE].split()
    log.configure(system.settings, log_name(engines))
    tracing.configure(system.settings, log_name(engines))
    counts.wanted = system.settings.metrics
    tally = Tally()
    reporter = Reporter(system.ledger, os.environ[WORKER_VARIABLE], _number(), tally)
    installation = Installation(system.storage, system.ledger, id_)
    process = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
    runner = BatchRunner(
        storage=system.storage,
        ledger=system.ledger,
        publisher=Publisher(current_app._get_current_object(), system.ledger),
        access=Access(system.storage, installation, reporter.note),
        worker=process,
        tally=tally,
    )
    if engines == [Kind.ASSEMBLY]:
        # Imported now, so that no film waits for it.
        import dubbing.jobs.finish  # noqa: F401, PLC0415

        sweep()
        _offer_separation(system)
        context = Context(runner=runner, report=reporter.report, separator=system.separator)
        reporter.report(Holding(begun=True))
    else:
        _keep_memory()
        residency = _residency(engines, system, reporter, process)
        judge = system.word_judge(engines)
        context = Context(runner=runner, engines=residency, judge=judge)
    signal.signal(ENDING, lambda *_: context.end())
    return context


def _residency(engines: list[str], system: System, reporter: Reporter, process: str) -> Residency:
    """Return the engines; load those that do not rest, as far as the memory budget allows."""
    worker, number = os.environ[WORKER_VARIABLE], _number()
    # The record of the parent, or of a dead process in the same place.
    before = system.ledger.crew.holdings(worker).get(number, Holding())
    resting = dict(before.resting)
    if before.loading:
        resting[before.loading] = DIED.format(engine=before.loading)
    residency = Residency(
        system.catalogue,
        device=system.settings.device,
        budget=system.settings.model_memory,
        resting=resting,
        shares=system.ledger.slots(process),
        loaded=partial(_announce, system.storage),
        changed=reporter.report,
    )
    try:
        residency.begin(engines)
    except DubbingError as exc:
        # The parent ends the worker if all processes fail so.
        logger.error("this process can load none of its engines: %s", exc)
    return residency


def _keep_memory() -> None:
    """Make the C library keep freed memory, if it is glibc."""
    with suppress(OSError, AttributeError):
        for parameter, value in KEPT_MEMORY.items():
            ctypes.CDLL(None).mallopt(parameter, value)


def _number() -> int:
    """Return the place of this process in its pool, from 0 on.

    Celery gives a place to a new process only after the old one has ended.
    """
    return current_process_index(base=0) or 0


def _announce(storage: Storage, engine: Voicing) -> None:
    """Publish the spec of an engine; the worker continues if that fails."""
    try:
        publish(storage, engine)
    except StorageUnavailable as exc:
        logger.warning("the spec of %s could not be published: %s", engine.spec.name, exc)


def _offer_separation(system: System) -> None:
    """Publish that this worker can separate films, if it can; it continues if that fails."""
    if system.separator.missing():
        return
    try:
        system.storage.create(Keys.SEPARATION, b"")
    except StorageUnavailable as exc:
        logger.warning("jobs that ask for separation may be refused: %s", exc)


class Reporter:
    """Reports this process's engines and finished work to the parent, through the ledger.

    The report is repeated every few seconds, for a Redis that was away or was emptied.
    """

    def __init__(self, ledger: Ledger, worker: str, process: int, tally: Tally) -> None:
        self._ledger = ledger
        self._worker = worker
        self._process = process
        self._tally = tally
        self._holding: Holding | None = None
        self._fault = ""
        self._lock = threading.Lock()
        _reporters[:] = [self]
        threading.Thread(target=self._repeat, name="reporter", daemon=True).start()

    def report(self, holding: Holding) -> None:
        """Report at once, because the next step may kill this process."""
        with self._lock:
            self._holding = holding
            self._send()

    def note(self, fault: str) -> None:
        """Report why this process takes no work; ``""``: it takes work."""
        with self._lock:
            self._fault = fault
            self._send()

    def _repeat(self) -> None:
        while True:
            time.sleep(REPORT_SECONDS)
            with self._lock:
                self._send()
            self.tell_work()

    def tell_work(self) -> None:
        """Report the work since the last report."""
        work = self._tally.take()
        try:
            if work != Work():
                self._ledger.crew.add_work(self._worker, work)
                work = Work()
            self._ledger.totals.report(self._worker)
        except QueueUnavailable as exc:
            self._tally.put_back(work)
            logger.warning("%s cannot report what it has done: %s", self._worker, exc)

    def _send(self) -> None:
        # Before its first report, the report of the process before it must stay.
        if self._holding is None:
            return
        holding = self._holding.model_copy(update={"fault": self._fault})
        try:
            self._ledger.crew.hold(self._worker, self._process, holding)
        except QueueUnavailable as exc:
            logger.warning("%s cannot report what it holds: %s", self._worker, exc)


def _unforeseen(exc: Exception) -> bool:
    return not isinstance(exc, DubbingError)

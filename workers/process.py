"""What happens in a pool process before it takes work: engines are loaded, the runner is set."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from functools import partial
from typing import Any

from celery import current_app
from celery.signals import worker_process_init
from celery.utils.log import current_process_index

from dubbing.engines.engine import Voicing
from dubbing.engines.holding import Holding
from dubbing.engines.published import publish
from dubbing.engines.residency import Residency
from dubbing.errors import DubbingError, QueueUnavailable, StorageUnavailable
from dubbing.jobs.batch_work import BatchRunner
from dubbing.ledger import Ledger
from dubbing.planning.plan import Kind
from dubbing.queue import Publisher
from dubbing.storage import Storage
from dubbing.system import System
from dubbing.telemetry import logs as log
from tasks.context import Context, install
from workers.heartbeat import UNFIT

logger = logging.getLogger(__name__)

ENGINES_VARIABLE, WORKER_VARIABLE = "DUBBING_WORKER_ENGINES", "DUBBING_WORKER_NAME"
"""Tell the pool processes, which are spawned and not forked, what the parent was started for."""

DIED = "a process died while it loaded {engine} (is there memory enough?)"
AGAIN_SECONDS = 2.0
"""How often what a process holds is said again."""


@worker_process_init.connect(weak=False)
def set_up(**_: Any) -> None:
    """Build what the tasks of this process need; without it the whole worker ends."""
    try:
        install(_context())
    except Exception as exc:
        # Celery would log it, and let this process take work all the same.
        logger.critical("this worker cannot work: %s", exc, exc_info=_unforeseen(exc))
        # Another process could not either.
        os.kill(os.getppid(), UNFIT)


def _context() -> Context:
    system = System()
    log.configure(system.settings.log_level)
    runner = BatchRunner(
        storage=system.storage,
        ledger=system.ledger,
        publisher=Publisher(current_app._get_current_object(), system.ledger),
        worker=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
    )
    engines = os.environ[ENGINES_VARIABLE].split()
    if engines == [Kind.ASSEMBLY]:
        # Now, and not when a film waits for it.
        import dubbing.jobs.finish  # noqa: F401, PLC0415

        Word(system.ledger, os.environ[WORKER_VARIABLE], _number()).say(Holding(begun=True))
        return Context(runner=runner)
    return Context(runner=runner, engines=_residency(engines, system))


def _residency(engines: list[str], system: System) -> Residency:
    """Return the engines, those loaded that are not to rest and fit together."""
    worker, number = os.environ[WORKER_VARIABLE], _number()
    # Recorded by the parent, or by the dead process whose place this process takes.
    before = system.ledger.holdings(worker).get(number, Holding())
    resting = dict(before.resting)
    if before.loading:
        resting[before.loading] = DIED.format(engine=before.loading)
    residency = Residency(
        system.catalogue,
        device=system.settings.device,
        budget=system.settings.model_memory,
        resting=resting,
        loaded=partial(_announce, system.storage),
        changed=Word(system.ledger, worker, number).say,
    )
    try:
        residency.begin(engines)
    except DubbingError as exc:
        # The parent ends the worker when it is so in every process.
        logger.error("this process can load none of its engines: %s", exc)
    return residency


def _number() -> int:
    """Return the place of this process among those of its worker, from 0 on.

    Celery gives a place to another process when it has seen the end of the one before.
    """
    return current_process_index(base=0) or 0


def _announce(storage: Storage, engine: Voicing) -> None:
    """Publish what an engine is; a worker can do without."""
    try:
        publish(storage, engine)
    except StorageUnavailable as exc:
        logger.warning("%s is not announced: %s", engine.spec.name, exc)


class Word:
    """What this process says of what it holds; the parent heeds it with its next look.

    It is said again every few seconds, so that a Redis that was away, or was emptied, has it soon.
    """

    def __init__(self, ledger: Ledger, worker: str, process: int) -> None:
        self._ledger = ledger
        self._worker = worker
        self._process = process
        self._holding: Holding | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._repeat, name="word", daemon=True).start()

    def say(self, holding: Holding) -> None:
        """Say it now: what comes next may be the end of this process."""
        with self._lock:
            self._holding = holding
            self._say()

    def _repeat(self) -> None:
        while True:
            time.sleep(AGAIN_SECONDS)
            with self._lock:
                self._say()

    def _say(self) -> None:
        # Before the first word, that of the process before this one stands.
        if self._holding is None:
            return
        try:
            self._ledger.hold(self._worker, self._process, self._holding)
        except QueueUnavailable as exc:
            logger.warning("%s cannot say what it holds: %s", self._worker, exc)


def _unforeseen(exc: Exception) -> bool:
    return not isinstance(exc, DubbingError)

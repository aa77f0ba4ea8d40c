"""What happens in a pool process before it takes work: engines are loaded, the runner is set."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
from functools import partial
from typing import Any

from celery import current_app
from celery.signals import worker_process_init

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

logger = logging.getLogger(__name__)

ENGINES_VARIABLE, WORKER_VARIABLE = "DUBBING_WORKER_ENGINES", "DUBBING_WORKER_NAME"
"""Tell the pool processes, which are spawned and not forked, what the parent was started for."""

AGAIN_SECONDS = 2.0
"""How long after a failure what a process holds is said again."""
UNFIT = signal.SIGUSR2
"""Sent to the parent by a pool process that cannot work: another one could not either."""


@worker_process_init.connect(weak=False)
def set_up(**_: Any) -> None:
    """Build what the tasks of this process need; without it the whole worker ends."""
    try:
        install(_context())
    except Exception as exc:
        # Celery would log it, and let this process take work all the same.
        logger.critical("this worker cannot work: %s", exc, exc_info=_unforeseen(exc))
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

        Word(system.ledger, os.environ[WORKER_VARIABLE]).say(Holding(begun=True))
        return Context(runner=runner)
    return Context(runner=runner, engines=_residency(engines, system))


def _residency(engines: list[str], system: System) -> Residency:
    """Return the engines, those loaded that are not to rest and fit together."""
    worker = os.environ[WORKER_VARIABLE]
    # What was said by the process before this one, or by the parent.
    before = system.ledger.holding(worker) or Holding()
    resting = dict(before.resting)
    if before.loading:
        resting[before.loading] = (
            f"a process died while it loaded {before.loading}: is there memory enough?"
        )
    residency = Residency(
        system.catalogue,
        device=system.settings.device,
        budget=system.settings.model_memory,
        resting=resting,
        loaded=partial(_announce, system.storage),
        changed=Word(system.ledger, worker).say,
    )
    residency.begin(engines)
    return residency


def _announce(storage: Storage, engine: Voicing) -> None:
    """Publish what an engine is; a worker can do without."""
    try:
        publish(storage, engine)
    except StorageUnavailable as exc:
        logger.warning("%s is not announced: %s", engine.spec.name, exc)


class Word:
    """What this process says of what it holds; the parent heeds it with its next look."""

    def __init__(self, ledger: Ledger, worker: str) -> None:
        self._ledger = ledger
        self._worker = worker
        self._unsaid: Holding | None = None
        self._lock = threading.Lock()

    def say(self, holding: Holding) -> None:
        """Say it now, or as soon as Redis is back, unless there is something newer by then."""
        with self._lock:
            self._unsaid = None
            try:
                self._ledger.hold(self._worker, holding)
            except QueueUnavailable as exc:
                logger.warning("%s cannot say what it holds: %s", self._worker, exc)
                self._unsaid = holding
                timer = threading.Timer(AGAIN_SECONDS, self._say_again, [holding])
                timer.daemon = True
                timer.start()

    def _say_again(self, holding: Holding) -> None:
        if self._unsaid is holding:
            self.say(holding)


def _unforeseen(exc: Exception) -> bool:
    return not isinstance(exc, DubbingError)

"""What happens in a pool process before it takes work: engines are loaded, the desk is set."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
from functools import partial
from typing import Any

from celery import current_app
from celery.signals import worker_process_init

from dubbing import log
from dubbing.catalogue import Catalogue, publish
from dubbing.engine import Voicing
from dubbing.errors import DubbingError, QueueUnavailable, StorageUnavailable
from dubbing.ledger import Holding, Ledger
from dubbing.plan import Kind
from dubbing.queue import Publisher
from dubbing.residency import Residency
from dubbing.settings import Settings
from dubbing.storage import Storage
from dubbing.work import Desk
from tasks.context import Context, install

logger = logging.getLogger(__name__)

ENGINES_VARIABLE, WORKER_VARIABLE = "DUBBING_WORKER_ENGINES", "DUBBING_WORKER_NAME"
"""Tell the pool processes, which are spawned and not forked, what the parent was started for."""

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
    settings = Settings()
    log.configure(settings.log_level)
    storage = Storage.at(settings.storage, settings.s3)
    ledger = Ledger(settings.redis)
    desk = Desk(
        storage=storage,
        ledger=ledger,
        publisher=Publisher(current_app._get_current_object(), ledger),
        worker=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
    )
    engines = os.environ[ENGINES_VARIABLE].split()
    if engines == [Kind.ASSEMBLY]:
        # Now, and not when a film waits for it.
        import dubbing.finish  # noqa: F401, PLC0415

        _tell(ledger, os.environ[WORKER_VARIABLE], Holding(loaded=(Kind.ASSEMBLY,)))
        return Context(desk=desk)
    return Context(desk=desk, engines=_residency(engines, settings, storage, ledger))


def _residency(
    engines: list[str], settings: Settings, storage: Storage, ledger: Ledger
) -> Residency:
    """Return the engines, those loaded that are not to rest and fit together."""
    worker = os.environ[WORKER_VARIABLE]
    # What was said by the process before this one, or by the parent.
    before = ledger.holding(worker) or Holding()
    residency = Residency(
        Catalogue.of(settings),
        device=settings.device,
        budget=settings.model_memory,
        resting=before.resting,
        loaded=partial(_announce, storage),
        changed=partial(_tell, ledger, worker),
    )
    for name in engines:
        if name not in before.resting and residency.fits(name):
            residency.wake(name)
    return residency


def _announce(storage: Storage, engine: Voicing) -> None:
    """Publish what an engine is; a worker can do without."""
    try:
        publish(storage, engine)
    except StorageUnavailable as exc:
        logger.warning("%s is not announced: %s", engine.spec.name, exc)


def _tell(ledger: Ledger, worker: str, holding: Holding) -> None:
    """Say what is in memory; the parent heeds it with its next look."""
    try:
        ledger.hold(worker, holding)
    except QueueUnavailable as exc:
        logger.warning("%s cannot say what it holds: %s", worker, exc)


def _unforeseen(exc: Exception) -> bool:
    return not isinstance(exc, DubbingError)

"""What happens in a pool process before it takes work: the engine is loaded, the desk is set."""

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
from dubbing.errors import DubbingError, StorageUnavailable
from dubbing.ledger import Ledger
from dubbing.plan import Kind
from dubbing.queue import Publisher
from dubbing.residency import Residency
from dubbing.settings import Settings
from dubbing.storage import Storage
from dubbing.work import Desk
from tasks.context import Context, install

logger = logging.getLogger(__name__)

ENGINE_VARIABLE = "DUBBING_WORKER_ENGINE"
"""Tells the pool processes, which are spawned and not forked, what the parent was started for."""

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
    name = os.environ[ENGINE_VARIABLE]
    if name == Kind.ASSEMBLY:
        # Now, and not when a film waits for it.
        import dubbing.finish  # noqa: F401, PLC0415

        return Context(desk=desk)
    residency = Residency(
        Catalogue(settings.folders),
        device=settings.device,
        budget=settings.model_memory,
        loaded=partial(_announce, storage),
    )
    residency.voicing(name)
    return Context(desk=desk, engines=residency)


def _announce(storage: Storage, engine: Voicing) -> None:
    """Publish what an engine is; a worker can do without."""
    try:
        publish(storage, engine)
    except StorageUnavailable as exc:
        logger.warning("%s is not announced: %s", engine.spec.name, exc)


def _unforeseen(exc: Exception) -> bool:
    return not isinstance(exc, DubbingError)

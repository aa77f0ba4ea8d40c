"""What happens in a pool process before it takes work: the engine is loaded, the desk is set."""

from __future__ import annotations

import os
import socket
from typing import Any

from celery import current_app
from celery.signals import worker_process_init

from dubbing import log
from dubbing.engine import Catalogue, Engine, publish
from dubbing.ledger import Ledger
from dubbing.plan import Kind
from dubbing.queue import Publisher
from dubbing.settings import Settings
from dubbing.storage import Storage
from dubbing.work import Desk
from tasks.context import Context, install

ENGINE_VARIABLE = "DUBBING_WORKER_ENGINE"
"""Tells the pool processes, which are spawned and not forked, what the parent was started for."""


@worker_process_init.connect(weak=False)
def set_up(**_: Any) -> None:
    """Build what the tasks of this process need."""
    settings = Settings()
    log.configure(settings.log_level)
    storage = Storage.at(settings.storage, settings.s3)
    ledger = Ledger(settings.redis)
    desk = Desk(
        storage=storage,
        ledger=ledger,
        publisher=Publisher(current_app._get_current_object(), ledger),
        worker=f"{socket.gethostname()}-{os.getpid()}",
    )
    name = os.environ[ENGINE_VARIABLE]
    engine = None if name == Kind.ASSEMBLY else _load(name, settings, storage)
    install(Context(desk=desk, engine=engine))


def _load(name: str, settings: Settings, storage: Storage) -> Engine:
    engine = Catalogue().create(name)
    engine.load(settings.device or engine.spec.device)
    publish(storage, engine)
    return engine

"""`dubbing worker`: the parent process of a worker."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import time
from types import FrameType

import click
from celery import Celery, signals
from celery.platforms import EX_FAILURE
from celery.worker import state

from dubbing import log
from dubbing.catalogue import Catalogue
from dubbing.engine import require
from dubbing.ledger import Ledger, WorkerRecord
from dubbing.plan import Kind
from dubbing.queue import Publisher, make_app, queues_of
from dubbing.residency import device_of
from dubbing.settings import Settings
from dubbing.storage import Storage
from workers.process import ENGINE_VARIABLE, UNFIT
from workers.reconciler import Reconciler

KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}
"""Has glibc keep, in pool processes, the memory of a batch's sound for the next one: given back, it
would be cleared by the kernel page by page, which a fast engine feels."""


@click.command()
@click.argument("engine")
@click.option("--slots", type=click.IntRange(min=1), help="Batches spoken at once.")
def worker(engine: str, slots: int | None) -> None:
    """Consume the queues of ENGINE, or of `assembly`, until stopped."""
    settings = Settings()
    log.configure(settings.log_level)
    device = _device(engine, settings)
    storage = Storage.at(settings.storage, settings.s3)
    ledger = Ledger(settings.redis)
    ledger.ping()

    app = make_app(settings.redis)
    record = WorkerRecord(
        name=f"{engine}.{secrets.token_hex(3)}@{socket.gethostname()}",
        engine=engine,
        queues=queues_of(engine),
        slots=slots or settings.slots or default_slots(engine, device),
        state="ready",
        since=time.time(),
    )
    reconciler = Reconciler(storage, ledger, Publisher(app, ledger), record)
    signals.worker_ready.connect(lambda **_: reconciler.start(), weak=False)
    signals.worker_shutdown.connect(lambda **_: reconciler.stop(), weak=False)
    signal.signal(UNFIT, _end_with_failure)
    sys.exit(_consume(app, record, settings.log_level))


def _device(engine: str, settings: Settings) -> str:
    """Return where the engine's model goes; raises EngineMissing, naming the extra."""
    if engine == Kind.ASSEMBLY:
        return "cpu"
    created = Catalogue(settings.folders).create(engine)
    require(created)
    return device_of(created.spec, settings.device)


def _consume(app: Celery, record: WorkerRecord, log_level: str) -> int:
    """Run Celery's worker until it is told to stop; return its exit code."""
    tasks = "tasks.assembly" if record.engine == Kind.ASSEMBLY else "tasks.speech"
    app.conf.include = [tasks, "workers.process"]
    os.environ[ENGINE_VARIABLE] = record.engine
    if record.engine != Kind.ASSEMBLY:
        for name, value in KEPT_MEMORY.items():
            os.environ.setdefault(name, value)
    consumer = app.Worker(
        hostname=record.name,
        queues=list(record.queues),
        concurrency=record.slots,
        pool="prefork",
        loglevel=log_level,
        task_events=True,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    consumer.start()
    return int(consumer.exitcode or 0)


def _end_with_failure(number: int, frame: FrameType | None) -> None:
    """Have Celery end as on SIGTERM, but with an exit code that says so."""
    state.should_stop = EX_FAILURE


def default_slots(engine: str, device: str) -> int:
    """Return how many processes a worker has: one a GPU, one a core, for a film two cores each."""
    if device != "cpu":
        return 1
    cores = os.cpu_count() or 1
    return max(1, cores // 2) if engine == Kind.ASSEMBLY else cores

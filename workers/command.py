"""`dubbing worker`: the parent process of a worker."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import time
import warnings
from collections.abc import Sequence
from types import FrameType

import click
from celery import signals
from celery.exceptions import SecurityWarning
from celery.platforms import EX_FAILURE
from celery.worker import state

from dubbing.engines import threads
from dubbing.engines.engine import require
from dubbing.engines.holding import Holding
from dubbing.engines.residency import device_of
from dubbing.errors import BadInput, DubbingError, EngineFailed
from dubbing.jobs import index
from dubbing.ledger import WorkerRecord, WorkerState
from dubbing.planning.plan import Kind
from dubbing.queue import own_queue
from dubbing.system import System
from dubbing.telemetry import logs as log
from dubbing.telemetry.counts import REPORT_SECONDS
from dubbing.telemetry.options import log_options, metrics_options
from tasks.commands import DRAIN
from workers.gauges import MEASURE_SECONDS
from workers.heartbeat import UNFIT, Heartbeat
from workers.library_logs import adopt
from workers.loop import Loop, stop
from workers.metrics import WorkerMetrics
from workers.pool import NotBegun, pool_of
from workers.process import (
    ENGINES_VARIABLE,
    INSTALLATION_VARIABLE,
    WORKER_VARIABLE,
    log_name,
)
from workers.reconciler import Reconciler
from workers.stalls import SECONDS as STALL_SECONDS
from workers.stalls import Stalls

logger = logging.getLogger(__name__)

STEP_SECONDS = 1.0
"""Seconds between two steps of a loop, and so until an expired lease is noticed."""
INDEX_SECONDS = 600
"""Seconds between two searches for jobs that clients of an earlier release submitted."""
START_SECONDS = 0.1
"""Seconds between two steps of a loop while the worker starts and its engines load."""


@click.command()
@click.argument("engines", nargs=-1, required=True)
@click.option("--slots", type=click.IntRange(min=1), help="Simultaneous batches.")
@click.option(
    "--auto-load/--standby",
    default=True,
    help="Load the engines at the start, or on `dubbing workers load`.",
)
@metrics_options
@log_options
def worker(engines: tuple[str, ...], slots: int | None, auto_load: bool) -> None:
    """Consume the queues of ENGINES, or of `assembly`, until stopped."""
    system = System()
    settings = system.settings
    log.configure(settings, log_name(engines))
    devices = _devices(engines, system)
    slots = slots or settings.slots or default_slots(engines, devices)
    if set(devices) == {"cpu"}:
        os.environ.setdefault(threads.VARIABLE, str(threads.share(slots)))
    if slots > 1 and not auto_load:
        raise BadInput("only a worker of one process can stand by: add --slots 1")
    record = WorkerRecord(
        name=f"{'+'.join(engines)}.{secrets.token_hex(3)}@{socket.gethostname()}",
        engines=engines,
        queues=(),
        slots=slots,
        state=WorkerState.LOADING if auto_load else WorkerState.STANDBY,
        since=time.time(),
        holding=Holding(resting={} if auto_load else dict.fromkeys(engines, "")),
    )
    card = next((device for device in devices if device.startswith("cuda")), "cpu")
    heartbeat = Heartbeat(system.app, system.ledger, system.publisher, record, card)
    # Neither the use of a card nor the threads of storage survive a fork.
    fork = set(devices) == {"cpu"} and "storage" not in vars(system)
    code = _consume(system, heartbeat, fork=fork)
    if heartbeat.unfit:
        raise EngineFailed("; ".join(heartbeat.errors))
    sys.exit(code)


def _begin(system: System, heartbeat: Heartbeat) -> str:
    """Connect to Redis and storage, and start the loops; return the installation's id.

    Raises as `System.greet` does.
    """
    system.greet()
    # Not earlier, because storage may belong to another installation.
    system.add_endpoints()
    if caution := system.ledger.check_writable(consume=True):
        logger.warning(caution)
    heartbeat.begin()
    loops = _loops(system, heartbeat)
    signals.worker_ready.connect(lambda **_: heartbeat.ready(), weak=False)
    signals.worker_shutdown.connect(lambda **_: _leave(loops, heartbeat), weak=False)
    signal.signal(UNFIT, _end_with_failure)
    signal.signal(DRAIN, lambda *_: heartbeat.drain())
    for loop in loops:
        loop.start()
    # For processes that are started later.
    os.environ[INSTALLATION_VARIABLE] = system.installation.id
    return system.installation.id


def _loops(system: System, heartbeat: Heartbeat) -> list[Loop]:
    """Return the loops of the parent process; a wait for storage delays no heartbeat."""
    metrics = WorkerMetrics(system.ledger, heartbeat, system.settings)
    reconciler = Reconciler(system.storage, system.ledger, heartbeat, system.installation)
    silence = system.settings.stall_minutes * 60
    stalls = Stalls(system.storage, system.ledger, silence)

    def fill() -> None:
        system.publisher.fill(heartbeat.record.queues)

    def index_jobs() -> None:
        if not heartbeat.fault and system.ledger.turn("index", INDEX_SECONDS - 1):
            index.complete(system.storage)

    def pause() -> float:
        return STEP_SECONDS if heartbeat.settled else START_SECONDS

    return [
        Loop("gauges", heartbeat.gauges.measure, lambda: MEASURE_SECONDS),
        Loop("metrics", metrics.step, lambda: REPORT_SECONDS),
        Loop("heartbeat", heartbeat.beat, pause),
        Loop("filling of the queues", fill, pause),
        Loop("reconciler", reconciler.step, lambda: STEP_SECONDS),
        Loop("alarm", stalls.step, lambda: min(STALL_SECONDS, silence)),
        Loop("index of the jobs", index_jobs, lambda: INDEX_SECONDS),
    ]


def _leave(loops: Sequence[Loop], heartbeat: Heartbeat) -> None:
    """End the loops, and publish the end of the worker."""
    stop(loops)
    try:
        heartbeat.leave()
    except DubbingError as exc:
        logger.warning("this worker cannot publish its end: %s", exc)


def _devices(engines: Sequence[str], system: System) -> list[str]:
    """Return the device of each engine's model; raises EngineMissing, naming the extra."""
    if Kind.ASSEMBLY in engines:
        if len(engines) > 1:
            raise BadInput("assembly has a worker of its own: start another one for engines")
        return ["cpu"]
    catalogue = system.catalogue
    created = [catalogue.create(engine) for engine in engines]
    catalogue.permit(engine.spec for engine in created)
    for engine in created:
        require(engine)
    return [device_of(engine.spec, system.settings.device) for engine in created]


def _consume(system: System, heartbeat: Heartbeat, *, fork: bool) -> int:
    """Run Celery's worker until it is told to stop; return its exit code.

    fork: whether its first processes are forked. Raises as `_begin` does.
    """
    app, record = system.app, heartbeat.record
    tasks = "tasks.assembly" if Kind.ASSEMBLY in record.engines else "tasks.speech"
    app.conf.include = [tasks, "tasks.commands", "workers.process"]
    os.environ[ENGINES_VARIABLE] = " ".join(record.engines)
    os.environ[WORKER_VARIABLE] = record.name
    # Celery warns the user root about pickled messages, which no worker accepts.
    warnings.simplefilter("ignore", SecurityWarning)
    signals.after_setup_logger.connect(adopt, weak=False)
    consumer = app.Worker(
        hostname=record.name,
        # The heartbeat adds the queues of engines when they are loaded.
        queues=[own_queue(record.name)],
        concurrency=record.slots,
        pool=pool_of(heartbeat, lambda: _begin(system, heartbeat), fork=fork),
        loglevel=system.settings.log_level,
        task_events=True,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    try:
        consumer.start()
    except NotBegun as exc:
        raise exc.__cause__ from None  # type: ignore[misc]
    return int(consumer.exitcode or 0)


def _end_with_failure(number: int, frame: FrameType | None) -> None:
    """Make Celery end as on SIGTERM, but with an exit code of failure."""
    state.should_stop = EX_FAILURE


def default_slots(engines: Sequence[str], devices: Sequence[str]) -> int:
    """Return the number of processes: one per GPU or for remote servers, one per CPU core.

    For assembly it is one per two cores.
    """
    if set(devices) != {"cpu"}:
        return 1
    cores = threads.cores()
    return max(1, cores // 2) if Kind.ASSEMBLY in engines else cores

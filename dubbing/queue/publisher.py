"""The Celery queues: their names, Celery's settings, and publishing.

Celery carries messages and runs processes. The ledger decides which batch is sent when and knows
what was done, so a message may arrive twice or never.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dubbing.errors import BadInput, QueueUnavailable
from dubbing.ledger import Address, Ledger
from dubbing.ledger.connect import sentinel_options, tls_options
from dubbing.planning.plan import Kind
from dubbing.redis_url import Sentinels

if TYPE_CHECKING:
    from celery import Celery
    from kombu.messaging import Producer

INTERACTIVE, LATE, BULK = 0, 3, 5
"""Priorities: on Redis 0 comes first. An unset one would mean 0 too, hence the default."""
STEPS = (INTERACTIVE, LATE, BULK)
BROKER_PREFIX = "dubbing:queue:"
"""Prefix of every key and channel of Celery in Redis: another app on the same database may have
a queue of the same name, and its broadcasts reach all apps. Names of queues lack the prefix."""
BINDINGS = ("_kombu.binding.", "_kombu.binding_permanent.")
"""kombu's names for the keys that record that a queue exists, before the queue's name."""
SEPARATOR = "\x06\x16"
"""kombu's separator between a queue's name and a priority above 0."""

TASKS = {
    Kind.SYNTHESIS: "dubbing.synthesize",
    Kind.EXTRACTION: "dubbing.extract",
    Kind.ASSEMBLY: "dubbing.assemble",
}
REQUEST_ID = "request_id"
"""Field and header of a message: the id of the request over HTTP that asks for the work."""
SAY = "dubbing.say"
STEER = "dubbing.steer"


def celery_settings(redis_url: str) -> dict[str, Any]:
    """Return the Celery settings of every process of the system."""
    broker = _broker(redis_url)
    return {
        "broker_url": broker.url,
        "broker_use_ssl": broker.tls,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            **broker.options,
            "global_keyprefix": BROKER_PREFIX,
            "priority_steps": list(STEPS),
            "sep": SEPARATOR,
            # Interactive requests of all queues first, then late batches, then new ones. Queues
            # take turns, so an extraction does not wait for the last line of every other job.
            "queue_order_strategy": "round_robin",
            # Leases bring work back, so the broker may forget messages that it has delivered.
            "ack_emulation": False,
            "health_check_interval": 10,
            "socket_keepalive": True,
            # A connection may go silent without being closed; a worker would wait for ever.
            "socket_timeout": 10.0,
            "socket_connect_timeout": 5.0,
        },
        "accept_content": ["json"],
        "task_serializer": "json",
        "event_serializer": "json",
        "result_backend": None,
        "task_ignore_result": True,
        "task_default_priority": BULK,
        # Acknowledged late, so that a worker reserves no more than it runs.
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        # CUDA and obstore do not survive a fork.
        "worker_pool_start_method": "spawn",
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # Longer than loading several large models takes from a slow disk.
        "worker_proc_alive_timeout": 1800.0,
    }


@dataclass(frozen=True)
class _Broker:
    """The address and options of a Redis for kombu."""

    url: str
    tls: Mapping[str, Any] | bool = False
    """Options of TLS that are not in the URL."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the transport."""


def _broker(redis_url: str) -> _Broker:
    sentinels = Sentinels.of(redis_url)
    if sentinels is None:
        return _Broker(redis_url.replace("unix://", "redis+socket://", 1))
    # kombu takes a URL for each Sentinel, with the user and the database of the master.
    master = urlsplit(sentinels.server)
    user, at, _ = master.netloc.rpartition("@")
    urls = [f"sentinel://{user}{at}{place}{master.path}" for place in sentinels.places]
    options = {"master_name": sentinels.master, "sentinel_kwargs": sentinel_options(sentinels)}
    return _Broker(";".join(urls), tls_options(sentinels) or False, options)


def make_app(redis_url: str) -> Celery:
    """Return the Celery app of this process."""
    # Imported here, so that a pipeline that only imports the client does not wait for them.
    from celery import Celery  # noqa: PLC0415

    app = Celery(
        "dubbing",
        set_as_current=True,
        amqp="dubbing.queue.broker:Broker",
        events="dubbing.queue.events:OurEvents",
    )
    app.conf.update(celery_settings(redis_url))
    return app


def queues_of(engine: str) -> tuple[str, ...]:
    """Return the queues that the workers of an engine, or of assembly, consume."""
    if engine == Kind.ASSEMBLY:
        return (Kind.ASSEMBLY.value,)
    return (f"{Kind.SYNTHESIS}.{engine}", f"{Kind.EXTRACTION}.{engine}")


def own_queue(worker: str) -> str:
    """Return the queue on which one worker gets its orders."""
    return f"worker.{worker}"


def broker_lists(queue: str) -> list[str]:
    """Return the Redis lists that hold a queue's messages, one per priority."""
    return [_broker_list(queue, step) for step in STEPS]


def batch_lists(queue: str) -> list[str]:
    """Return the Redis lists that hold the batches of a queue.

    The list of interactive requests is left out: requests must not hide a lost batch.
    """
    return [_broker_list(queue, step) for step in (LATE, BULK)]


def _broker_list(queue: str, step: int) -> str:
    return f"{BROKER_PREFIX}{queue}" if step == 0 else f"{BROKER_PREFIX}{queue}{SEPARATOR}{step}"


class Publisher:
    """Sends the batches that the ledger chooses, interactive requests and orders."""

    def __init__(self, app: Celery, ledger: Ledger) -> None:
        self._app = app
        self._ledger = ledger

    def fill(self, queues: Iterable[str]) -> int:
        """Fill the queues to their target depth; return the number of messages sent."""
        # A newer release may have a kind of work that this one cannot send.
        known = [queue for queue in queues if queue.split(".")[0] in TASKS]
        chosen = self._ledger.take({queue: batch_lists(queue) for queue in known}) if known else []
        self.send(chosen)
        return len(chosen)

    def send(self, batches: Sequence[Address]) -> None:
        """Send a message for each batch that the ledger chose, in one round trip."""
        from kombu.exceptions import BatchPublishError  # noqa: PLC0415 - as in `make_app`

        if not batches:
            return
        with _written(*{at.queue for at in batches}):
            try:
                with self._app.producer_or_acquire() as producer, producer.batch():
                    for at in batches:
                        self._send(at, producer)
            except BatchPublishError:
                # Each is sent again, on a new connection if needed; a message may arrive twice.
                for at in batches:
                    self._send(at)

    def say(self, engine: str, request: dict[str, Any]) -> None:
        """Send an interactive request, ahead of every batch."""
        queue = queues_of(engine)[0]
        with _written(queue):
            self._publish(SAY, queue, request, priority=INTERACTIVE, name="say", limit=120.0)

    def steer(self, worker: str, request: dict[str, Any]) -> None:
        """Send an order to a worker, ahead of every batch."""
        queue = own_queue(worker)
        with _written(queue):
            self._publish(STEER, queue, request, priority=INTERACTIVE, name="steer", limit=None)

    def drop_own_queue(self, worker: str) -> None:
        """Remove a worker's own queue, which no other worker consumes."""
        queue = own_queue(worker)
        bindings = (BROKER_PREFIX + binding + queue for binding in BINDINGS)
        self._ledger.drop([*broker_lists(queue), *bindings])

    def _send(self, at: Address, producer: Producer | None = None) -> None:
        name = f"{at.job}/{at.round}/{at.kind if at.number is None else at.number}"
        # The hard limit comes a little after the lease's end, so a killed task holds no lease.
        limit = at.deadline + 5
        priority = LATE if at.late else BULK
        self._publish(
            TASKS[at.kind],
            at.queue,
            asdict(at),
            priority=priority,
            name=name,
            limit=limit,
            producer=producer,
        )

    def _publish(
        self,
        task: str,
        queue: str,
        kwargs: dict[str, Any],
        *,
        priority: int,
        name: str,
        limit: float | None,
        producer: Producer | None = None,
    ) -> None:
        self._app.send_task(
            task,
            kwargs=kwargs,
            queue=queue,
            priority=priority,
            time_limit=limit,
            # Otherwise Celery would search for a result backend again in each thread.
            ignore_result=True,
            # Flower shows the id, so it begins with the job and the batch.
            task_id=f"{name}-{secrets.token_hex(3)}",
            retry_policy={"max_retries": 5, "interval_start": 0.1, "interval_max": 2},
            # Tools that read Celery's messages expect the id in a header.
            headers={REQUEST_ID: id_} if (id_ := kwargs.get(REQUEST_ID)) else None,
            producer=producer,
        )


@contextmanager
def _written(*queues: str) -> Iterator[None]:
    """Map kombu's errors to ours."""
    from kombu.exceptions import OperationalError  # noqa: PLC0415 - as in `make_app`

    try:
        yield
    except (OperationalError, OSError) as exc:
        names = ", ".join(sorted(queues))
        raise QueueUnavailable(f"the queue {names} cannot be written: {exc}") from exc


def start_flower(redis_url: str, address: str, port: int) -> None:
    """Run Flower until it is stopped, then exit this process.

    Raises BadInput when Flower is not installed or cannot listen.
    """
    if find_spec("flower") is None:
        raise BadInput("Flower is not installed: pip install 'dubbing[flower]'")
    app = make_app(redis_url)
    try:
        app.start(["flower", f"--address={address}", f"--port={port}"])
    except OSError as exc:
        where = f"--address {address} --port {port}"
        raise BadInput(f"Flower cannot listen there: {exc.strerror}", where=where) from exc
    # When Redis is gone, threads of Flower wait for ever; they hold nothing of value.
    os._exit(0)

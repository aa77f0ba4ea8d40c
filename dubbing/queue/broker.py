"""Celery's connection to Redis; it drops entries of the queues that are not messages.

Any program may write to a shared Redis. kombu and Celery take each entry of a list for a message,
and a worker that finds anything else ends. So an entry is checked here first, and dropped if it is
not a message, or not a task of its queue. The task itself checks its arguments.
"""

from __future__ import annotations

import logging
from base64 import b64decode
from functools import partial
from typing import Annotated, Any, Literal

from celery.app.amqp import AMQP
from kombu.connection import Connection, ConnectionPool, PooledConnection
from kombu.transport import redis
from kombu.utils.json import loads
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    ValidationError,
)

from dubbing.planning.plan import Kind
from dubbing.queue.publisher import (
    BROKER_PREFIX,
    SAY,
    SEPARATOR,
    STEER,
    TASKS,
    own_queue,
)

log = logging.getLogger(__name__)

SHOWN = 80
"""Number of bytes of a dropped entry that the log shows."""
BINDING_PARTS = 3
"""Number of parts in an entry that binds a queue to an exchange."""
WORDS = 200
"""Maximum length of the logged reason, in characters."""
TASKS_OF = {
    Kind.SYNTHESIS.value: {TASKS[Kind.SYNTHESIS], SAY},
    Kind.EXTRACTION.value: {TASKS[Kind.EXTRACTION]},
    Kind.ASSEMBLY.value: {TASKS[Kind.ASSEMBLY]},
    own_queue("").rstrip("."): {STEER},
}
"""The tasks of our queues, by the beginning of the queue's name."""

Decoded = BeforeValidator(b64decode)
Seconds = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    """The fields of a part of a message that kombu and Celery rely on; other fields are ignored."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Delivery(_Part):
    exchange: str
    routing_key: str


class _Properties(_Part):
    body_encoding: Literal["base64"]
    delivery_tag: str
    delivery_info: _Delivery


class _Envelope(_Part):
    content_type: Literal["application/json"] = Field(alias="content-type")
    content_encoding: Literal["utf-8"] = Field(alias="content-encoding")
    properties: _Properties


class _Message(_Envelope):
    """A broadcast to all workers, or the reply to one."""

    headers: dict[str, Any]
    body: Annotated[Json[Any], Decoded]


class _Headers(_Part):
    """The headers that Celery reads when it receives a task."""

    task: str
    id: str
    compression: None = None
    eta: None = None
    expires: AwareDatetime | None = None
    timelimit: tuple[Seconds | None, Seconds | None] = (None, None)
    retries: int = 0
    ignore_result: bool | None = None
    shadow: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group: str | None = None
    argsrepr: str = ""
    kwargsrepr: str = ""
    origin: str | None = None
    replaced_task_nesting: int = 0
    stamped_headers: None = None
    stamps: dict[str, None] | None = None


class _Task(_Envelope):
    """A call of a task without positional arguments and without follow-up tasks."""

    headers: _Headers
    body: Annotated[Json[tuple[tuple[()], dict[str, Any], dict[str, None]]], Decoded]


def check(entry: bytes, queue: str) -> None:
    """Raise an exception for an entry that kombu or Celery may not survive.

    Values may be nested at most 200 deep: Celery could not send deeper ones to a pool process.
    """
    tasks = TASKS_OF.get(queue.split(".", maxsplit=1)[0])
    if tasks is None:
        _Message.model_validate_json(entry)
    elif (task := _Task.model_validate_json(entry).headers.task) not in tasks:
        raise ValueError(f"{task!r} is no task of this queue")
    # kombu also converts some values into other types, which may raise any exception.
    loads(b64decode(loads(entry.decode())["body"]).decode())


def _is_sound(entry: bytes, where: bytes) -> bool:
    """Whether an entry of a list or channel is a message; other entries are logged."""
    queue = where.decode(errors="replace").split(SEPARATOR)[0]
    try:
        check(entry, queue)
    except Exception as exc:  # noqa: BLE001 - kombu may raise any exception
        reason = _reason(exc)
        log.warning("%a: dropped an entry that is no message: %a: %s", queue, entry[:SHOWN], reason)
        return False
    return True


def _reason(exc: Exception) -> str:
    """Return the fault of an entry in words, which may contain names of its fields."""
    if not isinstance(exc, ValidationError):
        return ascii(str(exc)[:WORDS])
    fault = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    words = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".removeprefix(": ")
    return ascii(words[:WORDS])


class _PubSub(redis.PrefixedRedisPubSub):
    """The subscription to broadcasts to all workers."""

    def parse_response(self, *args: Any, **kwargs: Any) -> Any:
        """Return Redis's answer, or None for a malformed entry."""
        found = super().parse_response(*args, **kwargs)
        if found and found[0] in {b"message", b"pmessage"} and not _is_sound(found[-1], found[-2]):
            return None
        return found


class _Client(redis.PrefixedStrictRedis):
    """The client that takes messages from the lists."""

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        """Return Redis's answer; a malformed entry counts as no entry."""
        found = super().parse_response(connection, command_name, **options)
        if command_name == "BRPOP" and found and not _is_sound(found[1], found[0]):
            return None
        return found

    def pubsub(self, **kwargs: Any) -> _PubSub:
        """Return the connection that receives broadcasts to all workers."""
        return _PubSub(self.connection_pool, global_keyprefix=BROKER_PREFIX, **kwargs)


class _Ours:
    """Our changes to a kombu channel: its client, and no restoring of messages."""

    do_restore = False
    """A worker that lost Redis would try to return its messages to it, and die of the error."""

    def _get_client(self) -> partial[_Client]:
        return partial(_Client, global_keyprefix=BROKER_PREFIX)

    def get_table(self, exchange: str) -> list[tuple[str, ...]]:
        """Return the queues that are bound to an exchange, each with its key and pattern.

        Malformed entries are skipped: with one of them, kombu could send no reply to a broadcast,
        and a starting worker would never take work.
        """
        rows = super().get_table(exchange)  # type: ignore[misc]
        return [row for row in rows if len(row) == BINDING_PARTS]


class Channel(_Ours, redis.Channel):
    """kombu's channel to a server, with our client."""


class SentinelChannel(_Ours, redis.SentinelChannel):
    """kombu's channel to the master that Sentinels name, with our client."""


class Transport(redis.Transport):
    """kombu's transport, with our channel."""

    Channel = Channel


class SentinelTransport(redis.SentinelTransport):
    """kombu's transport for Sentinels, with our channel."""

    Channel = SentinelChannel


class _OurTransport:
    """A connection that uses our transport."""

    def get_transport_cls(self) -> type[Transport | SentinelTransport]:
        """Return the class of the transport."""
        return SentinelTransport if self.transport_cls == "sentinel" else Transport  # type: ignore[attr-defined]


class PooledOurs(_OurTransport, PooledConnection):
    """A pooled connection; it sends messages and replies to broadcasts."""


class Pool(ConnectionPool):
    """A pool of connections with our transport; kombu's own pool would not use it."""

    def new(self) -> PooledOurs:
        """Return a new connection."""
        return PooledOurs(self, **dict(self.connection._info(resolve=False)))


class OurConnection(_OurTransport, Connection):
    """A connection with our transport, as are the connections in its pools."""

    def Pool(self, limit: int | None = None, **options: Any) -> Pool:  # noqa: N802 - kombu's name
        """Return a pool of connections like this one."""
        return Pool(self, limit, **options)


class Broker(AMQP):
    """The messaging of a Celery app, which the app refers to as ``amqp``."""

    Connection = OurConnection

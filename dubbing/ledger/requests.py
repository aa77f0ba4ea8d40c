"""Requests without a job, such as `say`: whether they may go ahead, and their answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dubbing.errors import Damaged
from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

WAIT_SECONDS = 10.0
"""Longest blocking call to Redis; well below the timeout of the socket."""
ASKING_SECONDS = 15
"""Time for which a killed caller counts as waiting; longer than one wait for the answer."""


class Requests:
    """Requests that callers wait for, each under a ticket. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def express(self, queue: str) -> bool:
        """Whether a request without a job may go ahead of the batches of a queue.

        A few requests per slot may; then a waiting batch has to begin first.
        """
        return bool(self._server.run("express", queue))

    @contextmanager
    def asking(self, ticket: str) -> Iterator[None]:
        """Mark during the block that a caller waits for the answer to a request."""
        key = f"{PREFIX}asking:{ticket}"
        try:
            # Within the try: an interrupt may come after Redis has the mark, and before its answer.
            with self._server.commands() as redis:
                redis.set(key, "", ex=ASKING_SECONDS)
            yield
        finally:
            with self._server.commands() as redis:
                redis.delete(key)

    def asked(self, ticket: str) -> bool:
        """Whether the caller of a request still waits for the answer."""
        with self._server.commands() as redis:
            return bool(redis.exists(f"{PREFIX}asking:{ticket}"))

    def set_reply(self, ticket: str, reply: dict[str, Any], *, keep: int = 300) -> None:
        """Answer a request that has no job, such as `say`."""
        key = f"{PREFIX}reply:{ticket}"
        with self._server.commands() as redis, redis.pipeline() as pipe:
            pipe.rpush(key, json.dumps(reply))
            pipe.expire(key, keep)
            pipe.execute()

    def wait_reply(self, ticket: str, *, wait: float) -> dict[str, Any] | None:
        """Return the answer, or None if none comes within ``wait`` seconds.

        Raises Damaged for an answer that is no JSON object.
        """
        key, deadline = f"{PREFIX}reply:{ticket}", time.monotonic() + wait
        with self._server.commands() as redis:
            while (left := deadline - time.monotonic()) > 0:
                redis.expire(f"{PREFIX}asking:{ticket}", ASKING_SECONDS)
                found: Any = redis.blpop([key], timeout=min(left, WAIT_SECONDS))
                if found:
                    return _reply(found[1])
        return None


def _reply(text: str) -> dict[str, Any]:
    try:
        reply = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise Damaged("the answer of a worker") from exc
    if not isinstance(reply, dict):
        raise Damaged("the answer of a worker")
    return reply

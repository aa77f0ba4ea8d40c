"""The heartbeats of servers that are registered as endpoints of an engine."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from dubbing.documents import Model, stored
from dubbing.engines.remote.pool import Endpoint
from dubbing.errors import Damaged, NewerRelease
from dubbing.ledger.records import OFFLINE_SECONDS, PREFIX, WorkerState
from dubbing.ledger.server import Server
from dubbing.ledger.vitals import Vitals

log = logging.getLogger(__name__)

KEY = f"{PREFIX}servers"
KEPT_SECONDS = 7 * 86400
"""Time for which heartbeats are kept after the last one of any server."""


class ServerBeat(Model):
    """A heartbeat of a server."""

    at: float
    """Time of its arrival, in seconds since 1970 by the receiver's clock."""
    state: WorkerState | None = None
    active: int | None = None
    """Requests in progress."""
    requests: int = 0
    errors: int = 0
    """Failed requests."""
    mean_seconds: float | None = None
    """Mean seconds of a request."""
    vitals: Vitals = Vitals()

    def age(self, now: float) -> float:
        """Return the seconds since it came. now: in seconds since 1970."""
        return max(0.0, now - self.at)


def id_of(engine: str, endpoint: Endpoint) -> str:
    """Return the id of a server: its registered id, or one made from its address."""
    digest = hashlib.sha256(endpoint.url.encode()).hexdigest()
    return endpoint.node or f"{engine}-{digest[:8]}"


def state_of(endpoint: Endpoint, beat: ServerBeat | None, now: float) -> WorkerState:
    """Return the state of a server. beat: its last heartbeat, if it sends any."""
    if beat and beat.age(now) >= OFFLINE_SECONDS:
        return WorkerState.OFFLINE
    if endpoint.draining:
        return WorkerState.STANDBY
    return (beat and beat.state) or WorkerState.READY


class Servers:
    """The last heartbeat of each server. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def beat(self, id_: str, beat: ServerBeat) -> None:
        """Record a heartbeat of a server."""
        with self._server.commands() as redis, redis.pipeline() as pipe:
            pipe.hset(KEY, id_, beat.model_dump_json())
            pipe.expire(KEY, KEPT_SECONDS)
            pipe.execute()

    def forget(self, id_: str) -> None:
        """Remove the heartbeat of a server that is no longer registered."""
        with self._server.commands() as redis:
            redis.hdel(KEY, id_)

    def beats(self) -> dict[str, ServerBeat]:
        """Return the last heartbeats, by id, without unreadable ones."""
        with self._server.commands() as redis:
            found: Any = redis.hgetall(KEY)
        beats = {}
        for id_, text in found.items():
            try:
                beats[id_] = stored(ServerBeat, text, KEY)
            except (Damaged, NewerRelease) as exc:
                log.warning("a heartbeat of %.100r is passed over: %s", id_, exc)
        return beats

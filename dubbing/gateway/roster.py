"""The nodes of an installation: workers, by their heartbeats, and the servers of engines."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from dubbing.client import Client
from dubbing.documents import nearest, validated
from dubbing.engines.holding import Holding
from dubbing.engines.remote.pool import Endpoint, Pool
from dubbing.engines.remote.registry import Registry
from dubbing.errors import BadInput, Conflict, NotFound
from dubbing.gateway.node import NodeBody, server_node, worker_node
from dubbing.kept import Kept
from dubbing.ledger.servers import ServerBeat, id_of
from dubbing.queue.fleet import Order

POOLS_SECONDS = 5.0
"""Time for which the servers of engines are cached."""


class Roster:
    """Lists and controls nodes, and registers servers. Safe to use from several threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pools: Kept[dict[str, Pool]] = Kept(client.registry.all, POOLS_SECONDS)
        self._writing = threading.Lock()
        """A pool is one document: of two simultaneous registrations, one would be lost."""

    def nodes(self) -> list[NodeBody]:
        """Return all nodes: workers by name, with those offline for up to an hour, then servers."""
        now = datetime.now(UTC)
        workers = [worker_node(worker, now) for worker in self._client.fleet.workers()]
        beats = self._client.ledger.servers.beats()
        servers = [
            server_node(engine, endpoint, beats.get(id_), now)
            for id_, (engine, endpoint) in self._servers().items()
        ]
        return workers + servers

    def node(self, id_: str) -> NodeBody:
        """Return a node; raises NotFound."""
        nodes = {node.node_id: node for node in self.nodes()}
        if id_ not in nodes:
            raise NotFound(f"there is no node {id_!r}; {nearest(id_, list(nodes))}")
        return nodes[id_]

    def steer(self, id_: str, order: Order, engine: str) -> Holding:
        """Send an order to a node; return its engines afterwards.

        A server only takes lines or not, and has no other orders. Raises as `Fleet.steer`.
        """
        if self.node(id_).kind == "worker":
            return self._client.fleet.steer(id_, order, engine)
        served, endpoint = self._server(id_)
        draining = order is not Order.LOAD
        with self.writing() as registry:
            registry.drain(served, endpoint.url, draining=draining)
        return Holding(resting={served: ""}) if draining else Holding(loaded=(served,), begun=True)

    def register(
        self, engine: str, fields: Mapping[str, Any], declared: Mapping[str, Any]
    ) -> tuple[NodeBody, bool]:
        """Add a server to the endpoints of an engine; return it, and whether it is new.

        It replaces a server of the same id, whose price is kept. fields, declared: as of
        `Registry.add`. Raises BadInput for an invalid address, and as `Registry.add` does.
        """
        asked = validated(Endpoint, fields, engine)
        _check_host(asked.url)
        id_ = id_of(engine, asked)
        with self.writing() as registry:
            of, before = self._servers().get(id_, (engine, None))
            if of != engine:
                raise Conflict(
                    f"the id {id_!r} is that of a server of {of}: choose another one, or "
                    "unregister that one"
                )
            kept: dict[str, Any] = {"since": time.time()}
            if before:
                kept = {"since": before.since, "price": before.price}
            registry.add(engine, {**fields, **kept}, declared)
            if before and before.url != asked.url:
                registry.remove(engine, before.url)
        return self.node(id_), before is None

    def hear(self, id_: str, beat: ServerBeat) -> NodeBody:
        """Record a heartbeat of a server; raises NotFound for one that is not registered."""
        engine, endpoint = self._server(id_)
        self._client.ledger.servers.beat(id_, beat)
        return server_node(engine, endpoint, beat, datetime.now(UTC))

    def remove(self, id_: str) -> None:
        """Remove a server; lines that it has begun are still taken from it. Raises NotFound."""
        engine, endpoint = self._server(id_)
        self.withdraw(engine, endpoint.url)

    def withdraw(self, engine: str, url: str) -> Pool:
        """Remove the server of an engine at an address, as `remove` does; return its pool."""
        with self.writing() as registry:
            endpoint = registry.pools.get(engine).endpoint(url)
            left = registry.remove(engine, url)
        if endpoint:
            self._client.ledger.servers.forget(id_of(engine, endpoint))
        return left

    @contextmanager
    def writing(self) -> Iterator[Registry]:
        """Yield the registry for changes of servers, to one caller at a time."""
        with self._writing:
            self._pools.forget()
            try:
                yield self._client.registry
            finally:
                self._pools.forget()

    def _servers(self) -> dict[str, tuple[str, Endpoint]]:
        """Return the engine and the endpoint of each server, by its id."""
        return {
            id_of(engine, endpoint): (engine, endpoint)
            for engine, pool in self._pools.get().items()
            for endpoint in pool.endpoints
        }

    def _server(self, id_: str) -> tuple[str, Endpoint]:
        """Return the engine and the endpoint of a server; raises NotFound."""
        if id_ not in self._servers():
            # Another gateway may have registered it in this moment.
            self._pools.forget()
        if found := self._servers().get(id_):
            return found
        raise NotFound(f"no server is registered as {id_!r}: register it again")


def _check_host(url: str) -> None:
    """Raise BadInput for an address on which a server may listen, but which cannot be reached."""
    try:
        nowhere = ip_address(urlsplit(url).hostname or "").is_unspecified
    except ValueError:
        return
    if nowhere:
        raise BadInput(
            "a server may listen on this address, but workers cannot reach it: send the host by "
            "which they reach the server",
            where=url,
        )

"""Adding endpoints to a pool and checking them: each is asked what it serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, NamedTuple

from dubbing.documents import validated
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.remote.engine import RemoteEngine
from dubbing.engines.remote.pool import Endpoint, Pool, Pools
from dubbing.engines.remote.wire import Unfit, Unreachable, Wire
from dubbing.errors import BadInput, NotFound


class Check(NamedTuple):
    """What became of asking one endpoint."""

    engine: str
    endpoint: Endpoint
    error: str
    """Why it cannot be used; ``""`` when it can."""


class Registry:
    """The endpoints of this installation."""

    def __init__(self, catalogue: Catalogue, pools: Pools) -> None:
        """Keep where pools are stored, and the engines that may have one."""
        self._catalogue = catalogue
        self._pools = pools

    def all(self) -> dict[str, Pool]:
        """Return the pools that have an endpoint, by engine."""
        return {name: self._pools.get(name) for name in self._pools.names()}

    def add(self, engine: str, fields: Mapping[str, Any], declared: Mapping[str, Any]) -> Pool:
        """Add an endpoint, or change the one at its address; return its pool.

        fields: those of `Endpoint`. declared: those of `Pool` that the caller names; the endpoint
        is asked for the others.
        Raises BadInput for an endpoint that does not answer or serves another model than the
        pool's, and for a model that differs from it.
        """
        adapter = self._adapter(engine)
        endpoint = validated(Endpoint, fields, engine)
        before = self._pools.get(engine)
        wanted = {**before.model_dump(), **declared}
        pool = validated(Pool, wanted, engine)
        rest = before.without(endpoint)
        if rest.endpoints and pool.digest != before.digest:
            raise BadInput(
                f"the endpoints of {engine} serve {_described(before)}: remove them first, or name "
                f"another instance, such as {engine}-2",
                where=endpoint.url,
            )
        try:
            with closing(Wire()) as wire:
                pool = adapter.probe(wire, endpoint, pool)
                adapter.pool = pool
                adapter.identify(wire, endpoint)
        except Unreachable as exc:
            raise BadInput(f"nobody answers there: {exc}", where=endpoint.url) from exc
        except Unfit as exc:
            raise BadInput(str(exc), where=endpoint.url) from exc
        if not pool.voices:
            raise BadInput("it lists no voices: name them with --voice", where=endpoint.url)
        pool = pool.having(endpoint)
        self._pools.put(engine, pool)
        return pool

    def remove(self, engine: str, url: str) -> Pool:
        """Remove an endpoint; raises NotFound. Return what is left of its pool."""
        pool, endpoint = self._found(engine, url)
        pool = pool.without(endpoint)
        self._pools.put(engine, pool)
        return pool

    def drain(self, engine: str, url: str, *, draining: bool = True) -> Pool:
        """Send an endpoint no more lines, or send it lines again; raises NotFound."""
        pool, endpoint = self._found(engine, url)
        pool = pool.having(endpoint.model_copy(update={"draining": draining}))
        self._pools.put(engine, pool)
        return pool

    def check(self, engine: str | None = None) -> Iterator[Check]:
        """Ask each endpoint, of one engine or of all, whether it serves its pool's model."""
        for name, pool in self.all().items():
            if engine in {None, name}:
                adapter = self._adapter(name)
                adapter.pool = pool
                for endpoint in pool.endpoints:
                    yield Check(name, endpoint, _fault(adapter, endpoint))

    def _adapter(self, engine: str) -> RemoteEngine:
        adapter = self._catalogue.generic(engine)
        if not isinstance(adapter, RemoteEngine):
            raise BadInput(f"engine {engine!r} speaks on its workers: it has no endpoints")
        return adapter

    def _found(self, engine: str, url: str) -> tuple[Pool, Endpoint]:
        pool = self._pools.get(engine)
        if endpoint := pool.endpoint(url):
            return pool, endpoint
        known = ", ".join(one.url for one in pool.endpoints) or "none"
        raise NotFound(f"{engine} has no endpoint {url}; its endpoints are: {known}")


def _fault(adapter: RemoteEngine, endpoint: Endpoint) -> str:
    try:
        with closing(Wire()) as wire:
            adapter.identify(wire, endpoint)
    except (Unreachable, Unfit) as exc:
        return str(exc)
    return ""


def _described(pool: Pool) -> str:
    revision = [f"revision {pool.revision!r}"] if pool.revision else []
    fields = [f"{name}={value!r}" for name, value in pool.fields.items()]
    return ", ".join([f"model {pool.model or 'default'!r}", *revision, *fields])

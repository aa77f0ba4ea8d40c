"""Adding endpoints to pools, and checking their models and voices."""

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
    """The result of checking one endpoint."""

    engine: str
    endpoint: Endpoint
    error: str
    """Why it cannot be used; ``""`` when it can."""


class Registry:
    """The endpoints of this installation."""

    def __init__(self, catalogue: Catalogue, pools: Pools) -> None:
        """Take the stored pools, and the engines that may have a pool."""
        self._catalogue = catalogue
        self.pools = pools

    def all(self) -> dict[str, Pool]:
        """Return the pools that have an endpoint, by engine."""
        return {name: self.pools.get(name) for name in self.pools.names()}

    def add(self, engine: str, fields: Mapping[str, Any], declared: Mapping[str, Any]) -> Pool:
        """Add an endpoint, or change the endpoint at its address; return its pool.

        fields: of `Endpoint`. declared: fields of `Pool` that the caller sets; for the others, the
        endpoint is asked. Raises BadInput for an endpoint that does not answer, and for a model
        other than the pool's.
        """
        adapter = self._adapter(engine)
        endpoint = validated(Endpoint, fields, engine)
        if endpoint.slots > adapter.most_slots:
            raise BadInput(
                f"its servers speak {adapter.most_slots} at once: leave --slots out, and start "
                "more servers",
                where=endpoint.url,
            )
        before = self.pools.get(engine)
        named = {name: value for name, value in declared.items() if value}
        wanted = {**before.model_dump(), **named}
        pool = validated(Pool, wanted, engine)
        try:
            with closing(Wire(self.pools.key, self.pools.ca_file)) as wire:
                pool = adapter.probe(wire, endpoint, pool)
                adapter.pool = pool
                adapter.identify(wire, endpoint)
        except Unreachable as exc:
            raise BadInput(f"no server answers there: {exc}", where=endpoint.url) from exc
        except Unfit as exc:
            raise BadInput(str(exc), where=endpoint.url) from exc
        others = before.without(endpoint).endpoints
        if others and pool.digest != before.digest:
            raise BadInput(
                f"the endpoints of {engine} serve {_described(before)}, and it serves "
                f"{_described(pool)}: remove them first, or name another instance, such as "
                f"{engine}-2",
                where=endpoint.url,
            )
        if not (pool.voices or pool.clones or adapter.spec.clones):
            raise BadInput(
                "it lists no voices: name them with --voice, or give --clones if it clones",
                where=endpoint.url,
            )
        pool = pool.having(endpoint)
        _check_prices(pool)
        self.pools.put(engine, pool)
        return pool

    def cap(self, engine: str, amount: str | None) -> Pool:
        """Set the monthly cap on an engine's cost; return its pool.

        amount: such as ``200 CNY``; None for no cap. Raises BadInput for an endpoint without a
        price in that currency, and for an invalid amount.
        """
        self._adapter(engine)
        fields = {**self.pools.get(engine).model_dump(), "cap": amount}
        pool = validated(Pool, fields, engine)
        _check_prices(pool)
        self.pools.put(engine, pool)
        return pool

    def remove(self, engine: str, url: str) -> Pool:
        """Remove an endpoint; return its remaining pool. Raises NotFound."""
        pool, endpoint = self._found(engine, url)
        pool = pool.without(endpoint)
        self.pools.put(engine, pool)
        return pool

    def drain(self, engine: str, url: str, *, draining: bool = True) -> Pool:
        """Stop sending lines to an endpoint, or resume; return its pool. Raises NotFound."""
        pool, endpoint = self._found(engine, url)
        pool = pool.having(endpoint.model_copy(update={"draining": draining}))
        self.pools.put(engine, pool)
        return pool

    def check(self, engine: str | None = None) -> Iterator[Check]:
        """Yield whether each endpoint, of one engine or of all, serves its pool's model."""
        for name, pool in self.all().items():
            if engine in {None, name}:
                adapter = self._adapter(name)
                adapter.pool = pool
                with closing(Wire(self.pools.key, self.pools.ca_file)) as wire:
                    for endpoint in pool.endpoints:
                        yield Check(name, endpoint, _fault(adapter, wire, endpoint))

    def _adapter(self, engine: str) -> RemoteEngine:
        adapter = self._catalogue.generic(engine)
        if not isinstance(adapter, RemoteEngine):
            raise BadInput(f"engine {engine!r} speaks on its workers: it has no endpoints")
        return adapter

    def _found(self, engine: str, url: str) -> tuple[Pool, Endpoint]:
        pool = self.pools.get(engine)
        if endpoint := pool.endpoint(url):
            return pool, endpoint
        known = ", ".join(one.url for one in pool.endpoints) or "none"
        raise NotFound(f"{engine} has no endpoint {url}; its endpoints are: {known}")


def _fault(adapter: RemoteEngine, wire: Wire, endpoint: Endpoint) -> str:
    try:
        adapter.identify(wire, endpoint)
    except (Unreachable, Unfit) as exc:
        return str(exc)
    return ""


def _check_prices(pool: Pool) -> None:
    """Raise BadInput if a pool has a cap, and an endpoint without a price in its currency."""
    cap = pool.cap
    for endpoint in pool.endpoints:
        if cap and not (endpoint.price and endpoint.price.currency == cap.currency):
            raise BadInput(
                f"a cap of {cap} counts servers by their prices, and this one has no price in "
                f"{cap.currency}: `dubbing endpoints add` it with --price",
                where=endpoint.url,
            )


def _described(pool: Pool) -> str:
    revision = [f"revision {pool.revision!r}"] if pool.revision else []
    fields = [f"{name}={value!r}" for name, value in pool.fields.items()]
    for tag, told in pool.language_fields.items():
        fields += [f"{name}={value!r} for {tag}" for name, value in told.items()]
    dialect = [f"by {pool.dialect}"] if pool.dialect else []
    rate = [f"at {pool.rate} Hz"] if pool.rate else []
    return ", ".join([f"model {pool.model or 'default'!r}", *dialect, *revision, *rate, *fields])

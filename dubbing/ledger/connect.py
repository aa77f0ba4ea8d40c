"""Clients of Redis, by the URL of a server or of its Sentinels."""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.connection import SSLConnection, parse_url
from redis.sentinel import Sentinel

from dubbing.redis_url import Sentinels

SENTINEL_SECONDS = 1.0
"""Timeout of a Sentinel before the next one is asked."""
Options = dict[str, Any]


def connect(url: str, **options: Any) -> redis.Redis:
    """Return a client of a server, or of the master that its Sentinels name when it connects."""
    if sentinels := Sentinels.of(url):
        client: redis.Redis = _master(Sentinel, sentinels, options)
        return client
    return redis.Redis.from_url(url, **options)


def connect_async(url: str, **options: Any) -> redis.asyncio.Redis:
    """Return such a client for an event loop."""
    if sentinels := Sentinels.of(url):
        client: redis.asyncio.Redis = _master(AsyncSentinel, sentinels, options)
        return client
    return redis.asyncio.Redis.from_url(url, **options)


def _master(kind: Any, sentinels: Sentinels, options: Options) -> Any:
    """Return a client of the master; ``kind``: a class of redis-py, which has no types."""
    asked = kind(sentinels.addresses, sentinel_kwargs=sentinel_options(sentinels))
    return asked.master_for(sentinels.master, **{**master_options(sentinels), **options})


def master_options(sentinels: Sentinels) -> Options:
    """Return the options of a connection to the master: its user, its database and its TLS."""
    options: Options = dict(parse_url(sentinels.server))  # type: ignore[no-untyped-call]
    secure = options.pop("connection_class", None) is SSLConnection
    del options["host"], options["port"]
    return {**options, "ssl": True} if secure else options


def tls_options(sentinels: Sentinels) -> Options:
    """Return the options of TLS, which hold for the master and its Sentinels; none without it."""
    options = master_options(sentinels)
    return {name: value for name, value in options.items() if name.split("_")[0] == "ssl"}


def sentinel_options(sentinels: Sentinels) -> Options:
    """Return the options of a connection to a Sentinel."""
    return {
        **tls_options(sentinels),
        **sentinels.credentials,
        "socket_timeout": SENTINEL_SECONDS,
        "socket_connect_timeout": SENTINEL_SECONDS,
        # The next one is asked instead.
        "retry": None,
    }

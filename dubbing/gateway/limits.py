"""The limits of requests of all gateways together: in a minute, and at once.

Redis counts them. While it is away, requests are served: they fail, or do not need it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dubbing.gateway.callers import Caller, is_open
from dubbing.gateway.crowd import Crowd
from dubbing.gateway.refusals import FAULTS, LimitReached
from dubbing.ledger.connect import connect_async
from dubbing.settings import Settings

log = logging.getLogger(__name__)

PREFIX = "dubbing:limits"
"""Begins the keys of the counts in Redis."""
AT_ONCE_SECONDS = 1
"""Seconds until a retry after too many simultaneous requests."""
LONG = re.compile(r"/v1/jobs/[^/]+/events|/v1/uploads.*|/ws")
"""Paths of long requests: they count for the limit a minute, not as simultaneous ones."""


@dataclass(frozen=True)
class Left:
    """The rest of a limit."""

    most: int
    left: int
    reset: float
    """Seconds until there is more."""


class Counter:
    """Counts in Redis, which all gateways share."""

    def __init__(self, redis_url: str) -> None:
        """Take the Redis of the installation; it is reached with the first count."""
        self._redis = connect_async(redis_url)
        storage = RedisStorage(
            "async+redis://",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=self._redis.connection_pool,  # type: ignore[arg-type]
        )
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def end(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def count(self, most: RateLimitItem, *names: str, by: int = 1) -> tuple[bool, Left]:
        """Count a request unless it exceeds a limit; return whether it fits, and the rest."""
        fits = await self.hit(most, *names, by=by)
        return fits, await self.left(most, *names)

    async def hit(self, most: RateLimitItem, *names: str, by: int = 1) -> bool:
        """Count a request unless it exceeds a limit; return whether it fits."""
        return await self._limiter.hit(most, *names, cost=by)

    async def left(self, most: RateLimitItem, *names: str) -> Left:
        """Return the rest of a limit."""
        found = await self._limiter.get_window_stats(most, *names)
        return Left(most.amount, found.remaining, max(0.0, found.reset_time - time.time()))


class Limits:
    """The limits of requests."""

    def __init__(self, settings: Settings, counter: Counter, crowd: Crowd) -> None:
        """Take the limits of the settings. Nothing is counted yet."""
        self._settings = settings
        self._counter = counter
        self._crowd = crowd

    async def check(self, path: str, address: str, caller: Caller | None) -> Left | None:
        """Count a request; return the rest of the caller's limit, or None while it is unknown.

        address: the caller's. Raises LimitReached.
        """
        limits = [
            (RateLimitItemPerMinute(most), names)
            for most, names in self._limits(path, address, caller)
        ]
        try:
            fits = await asyncio.gather(
                *(self._counter.hit(most, *names) for most, names in limits)
            )
            # An accepted request learns only the rest of the caller's own limit: each query costs
            # time.
            most, names = limits[fits.index(False)] if False in fits else limits[-1]
            left = await self._counter.left(most, *names)
        except StorageError as exc:
            log.warning("requests are not counted: %s", exc)
            return None
        if False in fits:
            raise LimitReached(
                f"more than {left.most} requests a minute: try again later", retry_after=left.reset
            )
        return left

    def enter(self) -> None:
        """Begin a request; raises LimitReached while too many are in progress."""
        if (served := self._crowd.size) >= self._settings.requests_at_once:
            raise LimitReached(
                f"{served} requests are being served: try again later", retry_after=AT_ONCE_SECONDS
            )
        self._crowd.here += 1

    def leave(self) -> None:
        """End it."""
        self._crowd.here -= 1

    def _limits(
        self, path: str, address: str, caller: Caller | None
    ) -> Iterable[tuple[int, tuple[str, ...]]]:
        yield self._settings.requests_per_minute, ("all",)
        for above, most in self._settings.requests_per_minute_of_paths.items():
            if path == above or path.startswith(f"{above}/"):
                yield most, ("path", above)
        yield self._settings.requests_per_minute_per_address, ("address", address)
        if caller and caller.requests_per_minute:
            yield caller.requests_per_minute, ("key", caller.key)


class Turnstile:
    """ASGI middleware: counts requests, and refuses those above a limit."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request within the limits."""
        if is_open(scope):
            await self._app(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else ""
        lasts = LONG.fullmatch(scope["path"]) is not None
        try:
            caller = scope.get("state", {}).get("caller")
            left = await self._limits.check(scope["path"], address, caller)
            if not lasts:
                self._limits.enter()
        except LimitReached as exc:
            await FAULTS.answer(HTTPConnection(scope), exc)(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if left and message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Limit"] = str(left.most)
                headers["RateLimit-Remaining"] = str(left.left)
                headers["RateLimit-Reset"] = str(math.ceil(left.reset))
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            if not lasts:
                self._limits.leave()

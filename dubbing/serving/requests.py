"""Middleware for every request: an id, a log line, and a time limit for its body."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Iterator

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dubbing.documents import is_identifier
from dubbing.telemetry.context import bound
from dubbing.telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS
from dubbing.telemetry.tracing import new_request_id, span, trace_in

log = logging.getLogger(__name__)

BODY_SECONDS = 60.0
"""Seconds that a server waits for a request's body, or for the next `STRIDE` bytes of a long
one."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
"""The label of an unknown method or route in metrics."""
STRIDE = 16 << 10
"""Bytes after which the time limit starts anew: a long body may take any time, but a client that
sends a few bytes at a time is disconnected."""


class Requests:
    """ASGI middleware that gives each request an id, logs it, and limits the time of its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request under the client's request id, or else a new one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _name_of(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        began, status, body = time.monotonic(), 0, _Body(receive)

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _count(scope, status, time.monotonic() - began)
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                if body.cut_off:
                    # Otherwise the server would keep waiting for the rest of the body.
                    headers["Connection"] = "close"
            await send(message)

        with bound(request=request_id), span(scope["method"], **{"url.path": scope["path"]}):
            try:
                await self._app(scope, body.receive, named)
            finally:
                spent = time.monotonic() - began
                with bound(tenant=scope["state"].get("tenant")):
                    log.info("%s %s: %d in %.2f s", scope["method"], scope["path"], status, spent)


def _name_of(headers: Headers) -> str:
    """Return the id of a request: the client's request id or trace id, or else a new one."""
    given = headers.get("x-request-id", "")
    if is_identifier(given):
        return given
    return trace_in(headers.get("traceparent", "")) or new_request_id()


def _count(scope: Scope, status: int, seconds: float) -> None:
    """Count an answer by its route, not its path: there are few routes."""
    method = scope["method"] if scope["method"] in METHODS else OTHER
    HTTP_REQUESTS.add(method, getattr(scope.get("route"), "path", OTHER), str(status))
    HTTP_SECONDS.observe(seconds, method)


def keys_in(headers: Headers) -> Iterator[str]:
    """Yield the API keys in a request, from Authorization: Bearer and X-Api-Key."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        yield token.strip()
    if key := headers.get("x-api-key"):
        yield key


def same(given: str, key: str) -> bool:
    """Whether two secrets are equal, in constant time."""
    return hmac.compare_digest(given.encode(), key.encode())


class _Body:
    """The body of a request. A client that sends too slowly counts as disconnected."""

    def __init__(self, receive: Receive) -> None:
        self.cut_off = False
        self._receive = receive
        self._left = BODY_SECONDS
        self._due = STRIDE
        self._whole = False

    async def receive(self) -> Message:
        """Return the next message, as ASGI's ``receive`` does."""
        if self._whole:
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._left):
                message = await self._receive()
        except TimeoutError:
            self.cut_off = True
            return {"type": "http.disconnect"}
        # Only the wait counts: the time between two calls is the server's own.
        self._left = max(0.0, self._left - (time.monotonic() - began))
        self._due -= len(message.get("body", b""))
        if self._due <= 0:
            self._left, self._due = BODY_SECONDS, STRIDE
        self._whole = not message.get("more_body", False)
        return message

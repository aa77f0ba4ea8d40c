"""What is done with every request: it gets an id, a line in the log, and a minute for its body."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import secrets
import time
from collections.abc import Iterator

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dubbing.telemetry.logs import bound

log = logging.getLogger(__name__)

BODY_SECONDS = 60.0
"""How long a caller may take to send a request's body."""
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Requests:
    """ASGI middleware: names each request, logs it, and bounds the time of its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request under an id, the caller's if it sent one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        began, status = time.monotonic(), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        with bound(request=request_id):
            try:
                await self._app(scope, _in_time(receive), named)
            finally:
                spent = time.monotonic() - began
                log.info("%s %s: %d in %.2f s", scope["method"], scope["path"], status, spent)


def keys_in(headers: Headers) -> Iterator[str]:
    """Yield the API keys that a request bears, as Authorization: Bearer and as X-Api-Key."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        yield token.strip()
    if key := headers.get("x-api-key"):
        yield key


def same(given: str, key: str) -> bool:
    """Whether two secrets are the same; the time that it takes tells nothing of them."""
    return hmac.compare_digest(given.encode(), key.encode())


def _in_time(receive: Receive) -> Receive:
    """Take a caller that is too slow with its body for one that is gone."""
    end = time.monotonic() + BODY_SECONDS
    whole = False

    async def bounded() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout(max(0.0, end - time.monotonic())):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        whole = not message.get("more_body", False)
        return message

    return bounded

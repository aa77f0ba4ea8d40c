"""Who may ask: the caller's network and key are checked before anything of a request is read."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dubbing.engine_server.faults import Form
from dubbing.engine_server.schema import FaultBody
from dubbing.telemetry.logs import bound

log = logging.getLogger(__name__)

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

OPEN = "/health"
"""The one route without a key, for load balancers."""
BODY_SECONDS = 60.0
"""How long a caller may take to send a request's body."""
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Access:
    """Whose requests are served."""

    key: str = field(default="", repr=False)
    """The API key; without one, all callers of the networks."""
    networks: Sequence[Network] = ()
    """Networks of the callers; none: all."""

    def refusal(self, client: str, headers: Headers) -> tuple[int, str, str] | None:
        """Return the status, code and words of a refusal, or None.

        client: the caller's address.
        """
        if self.networks and not _within(client, self.networks):
            return 403, "forbidden", "callers from your network are not served"
        if self.key and not any(_same(given, self.key) for given in _given(headers)):
            return 401, "unauthorized", "send the API key as Authorization: Bearer, or X-Api-Key"
        return None


class Guard:
    """ASGI middleware: names each request, refuses callers, and bounds the time of a body."""

    def __init__(self, app: ASGIApp, access: Access, form: Form) -> None:
        self._app = app
        self._access = access
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        began, status = time.monotonic(), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        client = scope["client"][0] if scope.get("client") else ""
        if scope["path"] != OPEN and (refused := self._access.refusal(client, headers)):
            status, code, words = refused
            fault = FaultBody(code=code, message=words, request_id=request_id)
            await _refuse(named, *self._form(status, fault))
        else:
            await self._app(scope, _in_time(receive), named)
        spent = time.monotonic() - began
        with bound(request=request_id):
            log.info("%s %s: %d in %.2f s", scope["method"], scope["path"], status, spent)


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


async def _refuse(send: Send, status: int, body: Mapping[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _given(headers: Headers) -> Sequence[str]:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return (token.strip() if scheme.lower() == "bearer" else "", headers.get("x-api-key", ""))


def _same(given: str, key: str) -> bool:
    return hmac.compare_digest(given.encode(), key.encode())


def _within(client: str, networks: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)

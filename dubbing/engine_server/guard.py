"""Access control: the caller's network and key are checked before a request is read."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from dubbing.serving.faults import FaultBody, Form
from dubbing.serving.requests import keys_in, same

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

OPEN = "/health"
"""The one route without a key, for load balancers."""


@dataclass(frozen=True)
class Access:
    """The callers whose requests are served."""

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
        if self.key and not any(same(given, self.key) for given in keys_in(headers)):
            return 401, "unauthorized", "send the API key as Authorization: Bearer, or X-Api-Key"
        return None


class Guard:
    """ASGI middleware that refuses callers. The request already has its id."""

    def __init__(self, app: ASGIApp, access: Access, form: Form) -> None:
        self._app = app
        self._access = access
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        client = scope["client"][0] if scope.get("client") else ""
        refused = None
        if scope["type"] == "http" and scope["path"] != OPEN:
            refused = self._access.refusal(client, Headers(scope=scope))
        if refused is None:
            await self._app(scope, receive, send)
            return
        status, code, words = refused
        request_id = scope["state"]["request_id"]
        fault = FaultBody(code=code, message=words, request_id=request_id)
        await _refuse(send, *self._form(status, fault))


async def _refuse(send: Send, status: int, body: Mapping[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _within(client: str, networks: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)

"""Authentication: the key of a request becomes a `Caller` before the request is read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from dubbing.errors import DubbingError
from dubbing.gateway.pages.addresses import is_of_pages
from dubbing.gateway.people import People
from dubbing.gateway.refusals import FAULTS, Forbidden, Unauthorized
from dubbing.keyring import ApiKey, Keyring
from dubbing.keyring import Scope as Right
from dubbing.serving.requests import keys_in

OPEN = frozenset({"/health", "/api/health", "/ready", "/openapi.json", "/docs"})
"""Routes without a key, besides pages: for load balancers, and for discovery."""
SIGNING = frozenset({("POST", "/session"), ("DELETE", "/session")})
"""Requests without a key that are counted like all others."""
COOKIE = "dubbing-session"
"""Holds the id of a person's session."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
KNOWN_SECONDS = 5.0
"""Time for which a key is cached; a revoked key is refused after that."""
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
Find: TypeAlias = Callable[[str], ApiKey | None]
"""Finds the key of a secret that was sent."""


@dataclass(frozen=True)
class Caller:
    """The sender of a request, with the sender's rights."""

    tenant: str
    rights: frozenset[Right]
    granted: tuple[str, ...] = ()
    """Where jobs may read media and write results: ``s3://bucket/prefix``."""
    key: str = ""
    """Id of the key; ``""`` for a caller on this machine without one."""
    requests_per_minute: int | None = None
    """Most requests with the key; None for the general limit."""

    @property
    def is_admin(self) -> bool:
        """Whether the caller may see and do everything, for every tenant."""
        return Right.ADMIN in self.rights

    def check(self, right: Right) -> None:
        """Raise Forbidden unless the caller may do this."""
        if not self.is_admin and right not in self.rights:
            raise Forbidden(f"your key has no scope {right.value!r}: ask for another one")

    def sees(self, tenant: str) -> bool:
        """Whether the caller may see a tenant's objects."""
        return self.is_admin or tenant == self.tenant


ANYBODY = Caller(tenant="default", rights=frozenset(Right))
"""The caller of a gateway that needs no key."""


class Callers:
    """Identifies callers by their keys, and people by the sessions that they began with a key.

    Until a key is made, callers on this machine need none.
    """

    def __init__(self, keyring: Keyring, people: People, *, loopback: bool) -> None:
        """Take the known keys and people.

        loopback: whether only this machine reaches the gateway.
        """
        self._keyring = keyring
        self._people = people
        self._loopback = loopback
        self._known: dict[tuple[Find, str], tuple[float, Caller | None]] = {}
        """A key and the id of a session have different forms, so neither is taken for the other."""
        self._open: tuple[float, bool] = (0.0, False)

    def of(self, headers: Headers, sent: Sequence[str], session: str = "") -> Caller:
        """Return the sender of a request; raises Unauthorized.

        It may read storage and Redis.
        sent: the keys in the request.
        session: the id in its cookie.
        """
        for key in sent:
            if caller := self._known_caller(key, self._keyring.find):
                return caller
        if session and (caller := self._known_caller(session, self._people.key_of)):
            return caller
        # OpenAI's client always sends a key.
        if self._is_open(headers):
            return ANYBODY
        if sent:
            raise Unauthorized("this API key is unknown or was revoked")
        if session:
            raise Unauthorized("the session has ended: sign in again")
        raise Unauthorized(
            "send an API key as Authorization: Bearer, or X-Api-Key; `dubbing keys add` makes one"
        )

    def _known_caller(self, secret: str, find: Find) -> Caller | None:
        until, caller = self._known.get((find, secret), (0.0, None))
        if time.monotonic() < until:
            return caller
        found = find(secret)
        caller = _caller(found) if found else None
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[find, secret] = time.monotonic() + KNOWN_SECONDS, caller
        return caller

    def _is_open(self, headers: Headers) -> bool:
        """Whether a request without a key is served.

        A request through a proxy, or by a host name that a browser's page made up, is not: it may
        come from anywhere.
        """
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if not self._loopback or host.strip("[]") not in LOCAL:
            return False
        if any(name in headers for name in FORWARDED) or _foreign(headers.get("origin", "")):
            return False
        until, is_open = self._open
        if time.monotonic() > until:
            is_open = not self._keyring.any()
            self._open = time.monotonic() + KNOWN_SECONDS, is_open
        return is_open


def _caller(key: ApiKey) -> Caller:
    return Caller(
        tenant=key.tenant,
        rights=frozenset(key.scopes),
        granted=key.granted,
        key=key.id,
        requests_per_minute=key.requests_per_minute,
    )


def _foreign(origin: str) -> bool:
    """Whether a page of another site sent the request."""
    host = origin.partition("://")[2].partition("/")[0]
    return bool(origin) and (host.rpartition(":")[0] or host).strip("[]") not in LOCAL


def is_open(scope: Scope) -> bool:
    """Whether a request needs no key and has no limit."""
    if scope["type"] not in {"http", "websocket"}:
        return True
    return scope["path"] in OPEN or is_of_pages(scope["path"])


def from_own_page(headers: Headers) -> bool:
    """Whether no page of another origin can have caused a request.

    The browser itself sets the one header; to set the other header, such a page needs permission by
    CORS.
    """
    return headers.get("sec-fetch-site") == "same-origin" or "x-requested-with" in headers


class Door:
    """ASGI middleware that identifies callers, and refuses those without permission."""

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of a known caller."""
        if is_open(scope) or (scope.get("method"), scope["path"]) in SIGNING:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        sent = [*keys_in(headers), *_taken_from_query(scope)]

        async def known() -> Caller:
            return await asyncio.to_thread(self._callers.of, headers, sent, _session(scope))

        try:
            caller = await known()
        except DubbingError as exc:
            await _refuse(exc, scope, receive, send)
            return
        scope.setdefault("state", {}).update(caller=caller, tenant=caller.tenant, known=known)
        await self._app(scope, receive, send)


def _taken_from_query(scope: Scope) -> list[str]:
    """Remove and return the key in the address of a WebSocket, as a browser sends it.

    The server logs the address when the WebSocket is accepted or refused.
    """
    if scope["type"] != "websocket":
        return []
    fields = parse_qsl(scope["query_string"].decode("latin-1"))
    scope["query_string"] = urlencode([one for one in fields if one[0] != "key"]).encode()
    return [value for name, value in fields if name == "key"]


def _session(scope: Scope) -> str:
    """Return the id of a session in a request's cookie, or ``""``.

    SameSite keeps pages of other sites from sending the cookie, and not those at other ports of
    this host: so a request that changes data must come from one of our own pages.
    """
    connection = HTTPConnection(scope)
    changes = scope["type"] == "http" and scope["method"] not in SAFE
    if changes and not from_own_page(connection.headers):
        return ""
    return connection.cookies.get(COOKIE, "")


async def _refuse(exc: DubbingError, scope: Scope, receive: Receive, send: Send) -> None:
    response = FAULTS.answer(HTTPConnection(scope), exc)
    if isinstance(exc, Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer"
    await response(scope, receive, send)


def caller_of(connection: HTTPConnection) -> Caller:
    """Return the sender of a request or the opener of a WebSocket."""
    caller: Caller = connection.state.caller
    return caller


async def is_known(connection: HTTPConnection) -> bool:
    """Whether the key or the session of an open connection is still valid."""
    try:
        await connection.state.known()
    except Unauthorized:
        return False
    except DubbingError:
        # Storage or Redis is away.
        pass
    return True


async def until_unknown(connection: HTTPConnection) -> None:
    """Return once the key or the session of an open connection has ended."""
    while await is_known(connection):
        await asyncio.sleep(KNOWN_SECONDS)


def _having(right: Right) -> Callable[[HTTPConnection], Caller]:
    def caller(connection: HTTPConnection) -> Caller:
        found = caller_of(connection)
        found.check(right)
        return found

    return caller


def _needs(right: Right) -> Any:
    return Depends(_having(right))


Reader = Annotated[Caller, _needs(Right.READ)]
Submitter = Annotated[Caller, _needs(Right.SUBMIT)]
VoiceMaker = Annotated[Caller, _needs(Right.VOICES)]
Admin = Annotated[Caller, _needs(Right.ADMIN)]
"""The caller of a route, who needs a right; other callers are refused."""

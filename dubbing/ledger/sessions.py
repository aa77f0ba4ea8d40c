"""The sessions of people who have signed in on a page of the gateway.

Redis holds the digest of a session's id, never the id itself. If Redis loses a session, its person
has to sign in again.
"""

from __future__ import annotations

import hashlib
from typing import Any

from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

LASTS_SECONDS = 14 * 86400
"""Time after which a person has to sign in again."""


class Sessions:
    """The sessions of all gateways. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def begin(self, session: str, told: str) -> None:
        """Begin a session. session: its id, a secret. told: the value to keep for it."""
        with self._server.commands() as redis:
            redis.set(_key(session), told, ex=LASTS_SECONDS)

    def get(self, session: str) -> str:
        """Return the value of a session; ``""`` for an unknown one."""
        with self._server.commands() as redis:
            told: Any = redis.get(_key(session))
        return told or ""

    def end(self, session: str) -> None:
        """End a session, if there is one."""
        with self._server.commands() as redis:
            redis.delete(_key(session))


def _key(session: str) -> str:
    return f"{PREFIX}session:{hashlib.sha256(session.encode()).hexdigest()}"

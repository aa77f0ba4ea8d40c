"""The sessions of people who have signed in on a page of the gateway.

Redis holds the digest of a session's id, and never the id itself. When Redis loses it, its person
signs in again.
"""

from __future__ import annotations

import hashlib
from typing import Any

from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

LASTS_SECONDS = 14 * 86400
"""After which a person signs in again."""


class Sessions:
    """The sessions of all gateways. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def begin(self, session: str, told: str) -> None:
        """Begin a session under an id, a secret. told: what is to be known of it."""
        with self._server.commands() as redis:
            redis.set(_key(session), told, ex=LASTS_SECONDS)

    def get(self, session: str) -> str:
        """Return what is known of a session, ``""`` when there is none."""
        with self._server.commands() as redis:
            told: Any = redis.get(_key(session))
        return told or ""

    def end(self, session: str) -> None:
        """End a session, if there is one."""
        with self._server.commands() as redis:
            redis.delete(_key(session))


def _key(session: str) -> str:
    return f"{PREFIX}session:{hashlib.sha256(session.encode()).hexdigest()}"

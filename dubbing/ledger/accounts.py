"""The costs of engines, cached for an hour; storage holds the marks that add up to them.

The script that completes a batch adds its costs to the cached accounts.
"""

from __future__ import annotations

from typing import Any

from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

REMEMBERED_SECONDS = 3600
"""Time for which the sum of an account is cached; then it is summed up again from storage."""


class Accounts:
    """The cached accounts. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def spent(self, account: str) -> int | None:
        """Return the sum of an account, or None if it is not cached."""
        with self._server.commands() as redis:
            found: Any = redis.get(_key(account))
        try:
            return int(found or "")
        except ValueError:
            return None

    def remember(self, account: str, amount: int) -> None:
        """Cache the sum of an account for an hour, unless it is already known."""
        with self._server.commands() as redis:
            redis.set(_key(account), amount, nx=True, ex=REMEMBERED_SECONDS)


def _key(account: str) -> str:
    return f"{PREFIX}spent:{account}"

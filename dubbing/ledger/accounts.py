"""What engines have cost, remembered for an hour; storage holds the marks that add up to it.

The script that completes a batch adds its costs to the accounts that are remembered.
"""

from __future__ import annotations

from typing import Any

from dubbing.ledger.records import PREFIX
from dubbing.ledger.server import Server

REMEMBERED_SECONDS = 3600
"""How long the sum of an account is remembered; then it is summed up anew from storage."""


class Accounts:
    """The accounts that are remembered. Safe to use from several threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def spent(self, account: str) -> int | None:
        """Return what an account has come to, or None when that is not remembered."""
        with self._server.commands() as redis:
            found: Any = redis.get(_key(account))
        try:
            return int(found or "")
        except ValueError:
            return None

    def remember(self, account: str, amount: int) -> None:
        """Remember for an hour what an account has come to, unless it is known already."""
        with self._server.commands() as redis:
            redis.set(_key(account), amount, nx=True, ex=REMEMBERED_SECONDS)


def _key(account: str) -> str:
    return f"{PREFIX}spent:{account}"

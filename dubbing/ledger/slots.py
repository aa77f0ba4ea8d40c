"""The slots of endpoints, which the processes of an installation share."""

from __future__ import annotations

from collections.abc import Sequence

from dubbing.engines.remote.shares import Part, Place
from dubbing.ledger.server import Server

WISH_SECONDS = 3.0
"""Seconds without a renewal after which nothing is kept for what a process wants."""


class Slots:
    """The slots as one process asks for them. Safe to use from several threads."""

    def __init__(self, server: Server, process: str) -> None:
        """Keep the name of the process, which no other one has."""
        self._server = server
        self._process = process

    def share(self, engine: str, wanted: int, places: Sequence[Place], seconds: float) -> Part:
        """Renew the lease of this process; see `Shares`."""
        head = engine, self._process, wanted, WISH_SECONDS, seconds
        fields = (field for place in places for field in place)
        due, *slots = map(int, self._server.run("share", *head, *fields))
        return Part(slots, bool(due))

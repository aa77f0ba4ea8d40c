"""The slots of endpoints, which the processes of an installation share."""

from __future__ import annotations

from collections.abc import Sequence

from dubbing.engines.remote.shares import Part, Place
from dubbing.ledger.server import Server

WISH_SECONDS = 3.0
"""Seconds after which a wish of a process that is not renewed is dropped."""


class Slots:
    """The slots of one process. Safe to use from several threads."""

    def __init__(self, server: Server, process: str) -> None:
        """Keep the name of the process, which must be unique."""
        self._server = server
        self._process = process

    def share(self, engine: str, wanted: int, places: Sequence[Place], seconds: float) -> Part:
        """Renew the lease of this process; see `Shares`."""
        head = engine, self._process, wanted, WISH_SECONDS, seconds
        fields = (field for place in places for field in place)
        due, *slots = map(int, self._server.run("share", *head, *fields))
        return Part(slots, bool(due))

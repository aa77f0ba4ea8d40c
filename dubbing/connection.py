"""The client's way to Redis: the ledger, and what publishes messages."""

from __future__ import annotations

from dataclasses import dataclass

from dubbing.errors import QueueUnavailable
from dubbing.ledger import Ledger
from dubbing.queue import Publisher, make_app
from dubbing.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Connection:
    """What is reached in one Redis."""

    ledger: Ledger
    publisher: Publisher

    @classmethod
    def of(cls, settings: Settings) -> Connection:
        """Return what the settings name; raises QueueUnavailable when it does not answer."""
        if not settings.redis_url and not settings.socket.exists():
            raise QueueUnavailable(
                "nothing is up for this home: start `dubbing up` in another terminal, or set "
                "DUBBING_REDIS_URL"
            )
        ledger = Ledger(settings.redis)
        ledger.ping()
        return cls(ledger=ledger, publisher=Publisher(make_app(settings.redis), ledger))

"""The standing of one endpoint in a process: its load and its failures."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from dubbing.engines.remote.pool import Endpoint
from dubbing.engines.remote.shares import RENEW_SECONDS, Place

STRIKES = 3
"""Failures in a row after which an endpoint counts as away."""
SHORT_REST = 2 * RENEW_SECONDS
"""Longest rest in seconds during which this process keeps the slots of an endpoint."""


@dataclass
class Standing:
    """The standing of an endpoint in this process."""

    endpoint: Endpoint
    in_flight: int = 0
    strikes: int = 0
    """Failures in a row."""
    rests_until: float = 0.0
    """A time of `time.monotonic`."""
    why: str = ""
    """Message of the last failure."""
    fit: bool = False
    """Whether it was found to serve the pool's model since it was last away."""
    asking: threading.Lock = field(default_factory=threading.Lock)
    """Held during this check; other lines wait for its result."""

    @property
    def away(self) -> bool:
        """Whether it counts as away after repeated failures."""
        return self.strikes >= STRIKES

    def place(self, now: float) -> Place:
        """Return its slots that this process could use soon, and its slots in use."""
        slots = 1 if self.away else self.endpoint.slots
        # During a longer rest, other processes may use its slots.
        idle = self.endpoint.draining or self.rests_until > now + SHORT_REST
        return Place(self.endpoint.url, 0 if idle else slots, self.in_flight)

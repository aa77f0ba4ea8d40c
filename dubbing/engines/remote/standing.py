"""The standing of one endpoint in a process: its load and its failures."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from dubbing.engines.remote.pool import Endpoint
from dubbing.engines.remote.shares import RENEW_SECONDS, Place

STRIKES = 3
"""Failures in a row after which an endpoint is away."""
SHORT_REST = 2 * RENEW_SECONDS
"""Seconds of a rest during which this process keeps the slots of an endpoint."""


@dataclass
class Standing:
    """The standing of an endpoint in this process."""

    endpoint: Endpoint
    in_flight: int = 0
    strikes: int = 0
    """Failures in a row."""
    rests_until: float = 0.0
    """Moment of `time.monotonic`."""
    why: str = ""
    """The last failure."""
    fit: bool = False
    """Whether it was checked to serve the pool's model since it was last away."""
    asking: threading.Lock = field(default_factory=threading.Lock)
    """Held during this check; lines that arrive meanwhile wait for the result."""

    @property
    def away(self) -> bool:
        """Whether it counts as away after repeated failures."""
        return self.strikes >= STRIKES

    def place(self, now: float) -> Place:
        """Return the number of its slots that could be used soon, and that are in use."""
        slots = 1 if self.away else self.endpoint.slots
        # Meanwhile it may work for another process.
        idle = self.endpoint.draining or self.rests_until > now + SHORT_REST
        return Place(self.endpoint.url, 0 if idle else slots, self.in_flight)

"""This process's share of the slots of its endpoints, which other processes use, too.

`Shares` leases slots to a process. A thread renews all leases of an engine in one call, and a
process without work releases its slots. A line is sent only if its timeout is before the end of the
lease, because another process may get the slot then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from dubbing.engines.remote.pool import Endpoint
from dubbing.telemetry.attempts import Attempts

log = logging.getLogger(__name__)

RENEW_SECONDS = 1.0
"""Seconds between two renewals while there is work."""
LEASE_SECONDS = 6.0
"""Seconds without a renewal after which no line is sent; a lease is longer by a line's timeout."""
CLOSE_SECONDS = 2.0
"""Longest wait for the release of the slots at the end; without it, their lease expires."""


class Place(NamedTuple):
    """An endpoint whose slots a process requests."""

    url: str
    slots: int
    """Slots that the process could use; 0 for an endpoint that it does not use."""
    having: int
    """Slots that the process uses, or may begin to use before it gets the answer."""


class Part(NamedTuple):
    """The slots of a process."""

    slots: Sequence[int]
    """Its slots at each endpoint."""
    due: bool
    """Whether more slots will follow. If not, a process without slots will get none, because
    processes with work outnumber the slots."""


class Shares(Protocol):
    """Shares the slots of endpoints among all processes of an installation."""

    def share(self, engine: str, wanted: int, places: Sequence[Place], seconds: float) -> Part:
        """Renew the lease of a process, and return its slots; raises QueueUnavailable.

        engine: the engine whose pool holds the places.
        wanted: slots that the process could use now; 0 releases all unused slots.
        seconds: length of the lease, from this call on.
        """


class Allotment:
    """This process's slots of an engine's endpoints. Safe to use from several threads."""

    def __init__(
        self,
        engine: str,
        shares: Shares | None,
        changed: threading.Condition,
        places: Callable[[], Sequence[Place]],
    ) -> None:
        """Begin without slots; without ``shares``, with all slots.

        changed: held by callers of `slots`, and notified when the slots change.
        places: returns the endpoints and their slots in use; called while ``changed`` is held.
        """
        self._engine = engine
        self._shares = shares
        self._changed = changed
        self._places = places
        self._mine: dict[str, int] = {}
        """Slots by the address of their endpoint."""
        self._until = 0.0
        """End of the lease, a time of `time.monotonic`."""
        self._due = True
        self._expected = self._peak = 0
        """Lines of the current calls, and their maximum since the last renewal."""
        self._longest = 0.0
        """Longest time of one of these lines, in seconds."""
        self._wake = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="slots", daemon=True)
        if shares:
            self._thread.start()

    def close(self) -> None:
        """Release the slots once no line is in flight."""
        self._closed = True
        self._wake.set()
        if self._shares:
            self._thread.join(timeout=CLOSE_SECONDS)

    def slots(self, endpoint: Endpoint, seconds: float) -> int:
        """Return the most simultaneous lines, each of up to ``seconds``, for an endpoint."""
        if self._shares is None:
            return endpoint.slots
        mine = self._mine.get(endpoint.url, 0) if self.lasts(seconds) else 0
        return min(endpoint.slots, mine)

    def lasts(self, seconds: float) -> bool:
        """Whether a line that begins now and takes ``seconds`` ends before the lease."""
        return self._shares is None or time.monotonic() + seconds <= self._until

    @property
    def hopeless(self) -> bool:
        """Whether other processes have all slots, and this process is not due any."""
        return self._shares is not None and not any(self._mine.values()) and not self._due

    @contextmanager
    def expecting(self, lines: int, seconds: float) -> Iterator[None]:
        """Request slots during the block; the first ones arrive asynchronously.

        lines: number of simultaneous lines. seconds: longest time of one line.
        """
        with self._changed:
            self._longest = max(seconds, self._longest if self._expected else 0.0)
            self._expected += lines
            self._peak = max(self._peak, self._expected)
            if sum(self._mine.values()) < self._expected or not self.lasts(seconds):
                self._wake.set()
        try:
            yield
        finally:
            with self._changed:
                self._expected -= lines

    def _run(self) -> None:
        attempts = Attempts(log, f"the slots of {self._engine} are requested again")
        while not self._closed:
            # Without work and slots there is nothing to renew.
            self._wake.wait(RENEW_SECONDS if self._mine or self._peak else None)
            self._wake.clear()
            with attempts.one():
                self._renew()

    def _renew(self) -> None:
        if self._shares is None:
            return
        with self._changed:
            wanted = 0 if self._closed else max(self._peak, self._expected)
            self._peak = self._expected
            now = time.monotonic()
            if not wanted or now > self._until:
                self._mine = {}
            places = [
                place._replace(having=max(place.having, self._mine.get(place.url, 0)))
                for place in self._places()
            ]
            lease = LEASE_SECONDS + self._longest
        part = self._shares.share(self._engine, wanted, places, lease)
        with self._changed:
            self._until = now + lease
            self._due = part.due or not wanted
            self._mine = {}
            for place, slots in zip(places, part.slots, strict=True):
                self._mine[place.url] = slots
                if slots < place.having:
                    # Others get the released slots once this process has confirmed the release.
                    self._wake.set()
            self._changed.notify_all()

"""Which endpoint of a pool takes the next line: the least loaded one that is not resting.

An endpoint that nobody answers at rests, each time longer. After a few failures in a row it is
away: then one line at a time tries whether it is back. When all are away, `EngineAway` says so, and
the batch waits in its queue: it is no line's fault.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from dubbing.engines.remote.pool import Endpoint
from dubbing.engines.remote.wire import Failed, Unfit, Unreachable
from dubbing.errors import DubbingError, EngineAway, SpeechRejected

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Pause between two looks for an endpoint while none can be used."""
STRIKES = 3
"""Failures in a row after which an endpoint is away."""
FIRST_REST, LONGEST_REST = 0.5, 10.0
"""Seconds that an endpoint rests after its first failure in a row, and at most."""
SHORTEST_WISH, LONGEST_WISH = 0.2, 120.0
"""Seconds of a ``Retry-After`` that are heeded, at least and at most."""


@dataclass
class _State:
    """What is known of one endpoint."""

    endpoint: Endpoint
    in_flight: int = 0
    strikes: int = 0
    """Failures in a row."""
    rests_until: float = 0.0
    """Moment of `time.monotonic`."""
    why: str = ""
    """The last failure."""
    fit: bool = False
    """Whether it was found to serve the pool's model since it was last away."""
    asking: threading.Lock = field(default_factory=threading.Lock)
    """Held while it is asked that; lines that come meanwhile wait for the answer."""

    @property
    def away(self) -> bool:
        """Whether it failed again and again."""
        return self.strikes >= STRIKES

    @property
    def load(self) -> float:
        """The share of its slots that are taken; 1 or more when it is sent no more."""
        slots = 1 if self.away else self.endpoint.slots
        return self.in_flight / slots


class _Nobody(EngineAway):
    """No endpoint can be used, now and for some time."""


class Dispatch:
    """The endpoints of one engine. Safe to use from several threads."""

    def __init__(
        self,
        name: str,
        fit: Callable[[Endpoint], None],
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        """Know no endpoint yet.

        name: the engine's. fit: raises Unfit or Unreachable for an endpoint that does not serve the
        pool's model; it is called before an endpoint is used, and after each time it was away.
        refresh: calls `follow` if the endpoints may have changed; it is called while all are away.
        """
        self._name = name
        self._fit = fit
        self._refresh = refresh
        self._why_none = ""
        self.trouble = ""
        """Why no endpoint can be used; ``""`` while one can."""
        self.changed: Callable[[], object] = lambda: None
        """Called whenever `trouble` comes or goes."""
        self._states: dict[str, _State] = {}
        self._changed = threading.Condition()
        self._closed = threading.Event()

    def follow(self, endpoints: Iterable[Endpoint], why_none: str = "") -> None:
        """Use these endpoints from now on; what is known of those that stay is kept.

        why_none: why there are none.
        """
        with self._changed:
            self._why_none = why_none
            known = self._states
            self._states = {}
            for endpoint in endpoints:
                state = known.get(endpoint.url) or _State(endpoint)
                state.endpoint = endpoint
                self._states[endpoint.url] = state
            self._changed.notify_all()

    def close(self) -> None:
        """Look for no endpoint any more."""
        self._closed.set()

    @contextmanager
    def turn(self, end: float, avoid: Collection[str] = ()) -> Iterator[Endpoint]:
        """Provide an endpoint for one line, and learn from the errors of the block.

        end: moment of `time.monotonic` until which to wait for a free one. avoid: addresses that
        are taken only when no other endpoint is there.
        Raises EngineAway when no endpoint is there, or none is free in time.
        """
        try:
            state = self._taken(end, avoid)
        except _Nobody as exc:
            self._note_trouble(str(exc))
            raise
        try:
            with state.asking:
                if not state.fit:
                    self._fit(state.endpoint)
                    state.fit = True
            yield state.endpoint
        except Unreachable as exc:
            if exc.retry_after is None:
                self._strike(state, exc)
            else:
                # One that says when to come again is busy, not away.
                self._strike(state, exc, max(SHORTEST_WISH, exc.retry_after), strikes=0)
            raise
        except Unfit as exc:
            self._strike(state, exc, LONGEST_REST, strikes=STRIKES)
            raise
        except Failed as exc:
            # It may be the line's fault, so it never rests; but others take lines before it.
            self._strike(state, exc, 0.0)
            raise
        except SpeechRejected:
            self._well(state)
            raise
        else:
            self._well(state)
        finally:
            with self._changed:
                state.in_flight -= 1
                self._changed.notify_all()

    def _taken(self, end: float, avoid: Collection[str]) -> _State:
        with self._changed:
            while True:
                now = time.monotonic()
                usable = [s for s in self._states.values() if not s.endpoint.draining]
                there = [s for s in usable if not (s.away and s.rests_until > now)]
                if not there:
                    raise _Nobody(self._nobody(usable))
                if now >= end:
                    raise EngineAway(f"no endpoint of {self._name} became free in time")
                wanted = [s for s in there if s.endpoint.url not in avoid] or there
                free = [s for s in wanted if s.rests_until <= now and s.load < 1]
                if free:
                    best = min(free, key=lambda s: (s.away, s.load))
                    best.in_flight += 1
                    return best
                resting = [s.rests_until for s in usable if s.rests_until > now]
                self._changed.wait(min([end, *resting]) - now)

    def _strike(
        self, state: _State, exc: Exception, rest: float | None = None, *, strikes: int = 1
    ) -> None:
        """Note a failure. rest: seconds that the endpoint rests; by default longer each time."""
        with self._changed:
            now = time.monotonic()
            if state.rests_until > now:
                # Lines that were sent at the same time failed for the same reason.
                return
            state.strikes += strikes
            state.why = str(exc)
            if rest is None:
                rest = min(LONGEST_REST, FIRST_REST * 2.0 ** (state.strikes - 1))
                rest *= random.uniform(0.5, 1.0)  # noqa: S311 - it only spreads the load
            state.rests_until = now + min(rest, LONGEST_WISH)
            state.fit = state.fit and not state.away
        log.warning("%s at %s: %s", self._name, state.endpoint.url, exc)

    def _well(self, state: _State) -> None:
        with self._changed:
            if state.away:
                log.info("%s at %s is back", self._name, state.endpoint.url)
            state.strikes = 0

    def _note_trouble(self, why: str) -> None:
        """Note that no endpoint can be used, and look for one that can."""
        with self._changed:
            if self.trouble:
                return
            self.trouble = why
        threading.Thread(target=self._look_out, name="endpoints", daemon=True).start()
        self.changed()

    def _look_out(self) -> None:
        """Ask endpoints that do not rest whether they are back, until one is."""
        while not self._closed.wait(LOOK_SECONDS):
            with suppress(DubbingError, Unreachable, Unfit):
                self._refresh()
                # One that was away is asked what it serves before its turn.
                with self.turn(time.monotonic() + 1):
                    self.trouble = ""
                    self.changed()
                    return

    def _nobody(self, usable: Collection[_State]) -> str:
        if self._why_none:
            return self._why_none
        if not usable:
            return f"{self._name} has no endpoint: add one with `dubbing endpoints add`"
        reasons = "; ".join(f"{state.endpoint.url}: {state.why}" for state in usable)
        return f"no endpoint of {self._name} can be used: {reasons}"

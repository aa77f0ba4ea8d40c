"""Chooses the endpoint of the next line: the least loaded one that is not resting.

The simultaneous lines of an endpoint are limited to this process's slots of it (`shares`). An
endpoint that does not answer rests, longer each time. After a few failures in a row it counts as
away, and is tested with one line at a time. When all endpoints are away, `EngineAway` is raised,
and the batch waits in its queue, because its lines are not at fault.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from dubbing.engines.remote.pool import Endpoint
from dubbing.engines.remote.shares import Allotment, Place, Shares
from dubbing.engines.remote.standing import STRIKES, Standing
from dubbing.engines.remote.wire import Failed, Unfit, Unreachable
from dubbing.errors import DubbingError, EngineAway, SpeechRejected
from dubbing.telemetry.metrics import ENDPOINT_ANSWERS

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Pause between two searches for an endpoint while none is usable."""
FIRST_REST, LONGEST_REST = 0.5, 10.0
"""Seconds that an endpoint rests after its first failure in a row, and at most."""
SHORTEST_WISH, LONGEST_WISH = 0.2, 120.0
"""Bounds on the seconds of a ``Retry-After``."""


class _Nobody(EngineAway):
    """No endpoint is usable for some time."""


class LateError(Exception):
    """The slot of a line was lost before sending; neither line nor endpoint is at fault."""


class Dispatch:
    """The endpoints of one engine. Safe to use from several threads."""

    def __init__(
        self,
        name: str,
        fit: Callable[[Endpoint], None],
        refresh: Callable[[], object] = lambda: None,
        shares: Shares | None = None,
    ) -> None:
        """Begin without endpoints.

        name: the engine's. fit: raises Unfit or Unreachable for an endpoint that does not serve the
        pool's model; called before the first use of an endpoint, and after each time it was away.
        refresh: calls `follow` if the endpoints may have changed; called while all are away.
        shares: shares the slots with other processes; by default, all slots are this process's.
        """
        self._name = name
        self._fit = fit
        self._refresh = refresh
        self._why_none = ""
        self.trouble = ""
        """Why no endpoint is usable; ``""`` while one is."""
        self.changed: Callable[[], object] = lambda: None
        """Called whenever `trouble` changes."""
        self._states: dict[str, Standing] = {}
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._allotment = Allotment(name, shares, self._changed, self._places)

    def follow(self, endpoints: Iterable[Endpoint], why_none: str = "") -> None:
        """Replace the endpoints; those that stay keep their standing.

        why_none: the reason, if there are none.
        """
        with self._changed:
            self._why_none = why_none
            known = self._states
            self._states = {}
            for endpoint in endpoints:
                state = known.get(endpoint.url) or Standing(endpoint)
                state.endpoint = endpoint
                self._states[endpoint.url] = state
            self._changed.notify_all()

    def close(self) -> None:
        """Stop looking for endpoints, and release all slots."""
        self._closed.set()
        self._allotment.close()

    def expecting(self, lines: int, seconds: float) -> AbstractContextManager[None]:
        """Request slots for simultaneous lines during the block; see `Allotment.expecting`."""
        return self._allotment.expecting(lines, seconds)

    @contextmanager
    def turn(self, end: float, seconds: float, avoid: Collection[str] = ()) -> Iterator[Endpoint]:
        """Yield an endpoint for one line; errors of the block change the endpoint's standing.

        end: time of `time.monotonic` until which to wait for a free endpoint. seconds: longest
        duration of the block. avoid: addresses to use only if there is no other endpoint.
        Raises EngineAway when there is no endpoint, or none is free in time, and LateError when the
        slot was lost meanwhile.
        """
        try:
            state = self._taken(end, seconds, avoid)
        except _Nobody as exc:
            self._note_trouble(str(exc))
            raise
        try:
            with self._noted(state):
                with state.asking:
                    if not state.fit:
                        self._fit(state.endpoint)
                        state.fit = True
                if not self._allotment.lasts(seconds):
                    raise LateError
                yield state.endpoint
        finally:
            with self._changed:
                state.in_flight -= 1
                self._changed.notify_all()

    @contextmanager
    def _noted(self, state: Standing) -> Iterator[None]:
        """Count how an endpoint answers in the block, and change its standing."""
        try:
            yield
        except Unreachable as exc:
            ENDPOINT_ANSWERS.add(self._name, "unreachable" if exc.retry_after is None else "busy")
            if exc.retry_after is None:
                self._strike(state, exc)
            else:
                # An endpoint that sends Retry-After is busy, not away.
                self._strike(state, exc, max(SHORTEST_WISH, exc.retry_after), strikes=0)
            raise
        except Unfit as exc:
            ENDPOINT_ANSWERS.add(self._name, "unfit")
            self._strike(state, exc, LONGEST_REST, strikes=STRIKES)
            raise
        except Failed as exc:
            ENDPOINT_ANSWERS.add(self._name, "failed")
            # The line may be at fault, so this is no strike; but other endpoints are preferred.
            self._strike(state, exc, self._rest_after_failure(state))
            raise
        except SpeechRejected:
            ENDPOINT_ANSWERS.add(self._name, "refused")
            self._well(state)
            raise
        else:
            ENDPOINT_ANSWERS.add(self._name, "answered")
            self._well(state)

    def _places(self) -> list[Place]:
        now = time.monotonic()
        return [state.place(now) for state in self._states.values()]

    def _taken(self, end: float, seconds: float, avoid: Collection[str]) -> Standing:
        with self._changed:
            while True:
                now = time.monotonic()
                usable = [s for s in self._states.values() if not s.endpoint.draining]
                there = [s for s in usable if not (s.away and s.rests_until > now)]
                if not there:
                    raise _Nobody(self._nobody(usable))
                if self._allotment.hopeless:
                    raise _Nobody(f"other workers use all slots of the endpoints of {self._name}")
                if now >= end:
                    raise EngineAway(f"no endpoint of {self._name} became free in time")
                slots = {s.endpoint.url: self._slots(s, seconds) for s in there}
                ours = [s for s in there if slots[s.endpoint.url]]
                wanted = [s for s in ours if s.endpoint.url not in avoid] or ours
                awake = [s for s in wanted if s.rests_until <= now]
                free = [s for s in awake if s.in_flight < slots[s.endpoint.url]]
                if free:
                    best = min(free, key=lambda s: (s.away, s.in_flight / slots[s.endpoint.url]))
                    best.in_flight += 1
                    return best
                resting = [s.rests_until for s in usable if s.rests_until > now]
                self._changed.wait(min([end, *resting]) - now)

    def _slots(self, state: Standing, seconds: float) -> int:
        """Return the most simultaneous lines of ``seconds`` for an endpoint."""
        slots = self._allotment.slots(state.endpoint, seconds)
        return min(1, slots) if state.away else slots

    def _strike(
        self, state: Standing, exc: Exception, rest: float | None = None, *, strikes: int = 1
    ) -> None:
        """Note a failure. rest: seconds that the endpoint rests; by default, longer each time."""
        with self._changed:
            now = time.monotonic()
            if state.rests_until > now:
                # Simultaneous lines that fail for the same reason count as one failure.
                return
            state.strikes += strikes
            state.why = str(exc)
            if rest is None:
                rest = min(LONGEST_REST, FIRST_REST * 2.0 ** (state.strikes - 1))
                rest *= random.uniform(0.5, 1.0)  # noqa: S311 - it only spreads the load
            state.rests_until = now + min(rest, LONGEST_WISH)
            state.fit = state.fit and not state.away
        log.warning("%s at %s: %s", self._name, state.endpoint.url, exc)

    def _rest_after_failure(self, state: Standing) -> float:
        """Return the seconds for which an endpoint rests after an answer without speech.

        An endpoint that keeps failing rests while the pool has others, even if other processes have
        all their slots: otherwise all lines of this process would fail at it.
        """
        with self._changed:
            others = (other for other in self._states.values() if other is not state)
            better = any(not (other.away or other.endpoint.draining) for other in others)
        return LONGEST_REST if better and state.strikes + 1 >= STRIKES else 0.0

    def _well(self, state: Standing) -> None:
        with self._changed:
            if state.away:
                log.info("%s at %s is back", self._name, state.endpoint.url)
            state.strikes = 0

    def _note_trouble(self, why: str) -> None:
        """Note that no endpoint is usable, and start to test endpoints."""
        with self._changed:
            if self.trouble:
                return
            self.trouble = why
        threading.Thread(target=self._look_out, name="endpoints", daemon=True).start()
        self.changed()

    def _look_out(self) -> None:
        """Test endpoints that do not rest, until one is usable again."""
        while not self._closed.wait(LOOK_SECONDS):
            with suppress(DubbingError, Unreachable, Unfit, LateError):
                self._refresh()
                # `turn` checks an endpoint that was away before it yields it.
                with self.expecting(1, 0.0), self.turn(time.monotonic() + 1, 0.0):
                    self.trouble = ""
                    self.changed()
                    return

    def _nobody(self, usable: Collection[Standing]) -> str:
        if self._why_none:
            return self._why_none
        if not usable:
            return f"{self._name} has no endpoint: add one with `dubbing endpoints add`"
        reasons = "; ".join(f"{state.endpoint.url}: {state.why}" for state in usable)
        return f"no endpoint of {self._name} can be used: {reasons}"

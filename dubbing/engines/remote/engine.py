"""The base of remote engines.

As many threads as the pool has slots speak lines simultaneously. A line whose endpoint fails goes
to another one, within the time of the call.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from dubbing.engines.engine import EngineSpec, Line, Spoken, described
from dubbing.engines.models.folders import Weights
from dubbing.engines.remote.pool import Endpoint, Pool, Pools
from dubbing.engines.usage import note
from dubbing.errors import DubbingError, EngineFailed, EngineMissing

# Commands that list engines import the adapters, and send nothing.
if TYPE_CHECKING:
    from dubbing.engines.remote.dispatch import Dispatch
    from dubbing.engines.remote.shares import Shares
    from dubbing.engines.remote.wire import Wire
    from dubbing.media.samples import Audio

Answer = TypeVar("Answer")

FAILURES = 3
"""Number of tries of a line before it gets the error."""
LINES_A_SLOT = 8
"""Lines of a batch for each slot of the pool."""
MOST_LINES = 64
MOST_THREADS = 64
REFRESH_SECONDS = 5.0
"""Seconds after which the endpoints are read again: they may be changed at any time."""
PATIENCE, PATIENCE_A_SECOND = 20.0, 4.0
"""Timeout of a line: a fixed part, and a part for each second of speech."""
SHARE = 0.9
"""Share of the time of a call after which no more lines are begun."""


class RemoteEngine:
    """An engine that speaks by the endpoints of a pool. Each subclass implements one contract."""

    weights: ClassVar[Weights | None] = None
    extra: ClassVar[str] = ""
    libraries: ClassVar[tuple[str, ...]] = ()
    most_slots: ClassVar[int] = 1000
    """Most simultaneous lines of one of its servers."""
    spec: EngineSpec
    model: str
    shares: Shares | None = None
    """Shares the slots of the endpoints with other processes, if it is set before `load`."""

    def __init__(self, name: str, folder: Path, pools: Pools | None = None) -> None:
        """Read the pool, without calling any endpoint.

        pools: without it, the engine has no endpoint yet.
        """
        self._pools = pools
        self._key = pools.key if pools else lambda variable: ""
        self._ca_file = pools.ca_file if pools else None
        self.pool = pools.get(name) if pools else Pool()
        self.spec = self._described(described(type(self).spec, name, folder))
        self._wire: Wire | None = None
        self._dispatch: Dispatch | None = None
        self._read_at = -math.inf

    def load(self, device: str) -> None:
        """Take the pool's model as that of its endpoints; each is checked before its first line.

        An endpoint that does not answer does not prevent the start of a worker. Raises
        EngineMissing for an engine without endpoints.
        """
        from dubbing.engines.remote.dispatch import Dispatch  # noqa: PLC0415 - see above
        from dubbing.engines.remote.wire import Wire  # noqa: PLC0415 - see above

        self.require_endpoints()
        self.model = self.pool.digest
        self._wire = Wire(self._key, self._ca_file)
        self._dispatch = Dispatch(self.spec.name, self._check_fit, self._refresh, self.shares)
        self._dispatch.follow(self.pool.endpoints)

    @property
    def trouble(self) -> str:
        """Why no endpoint is usable; ``""`` while one is."""
        return self._dispatch.trouble if self._dispatch else ""

    def watch(self, changed: Callable[[], object]) -> None:
        """Call ``changed``, from any thread, whenever `trouble` changes."""
        if self._dispatch:
            self._dispatch.changed = changed

    def require_endpoints(self) -> None:
        """Raise EngineMissing for an engine without endpoints."""
        if not self.pool.endpoints:
            raise EngineMissing(
                f"{self.spec.name} has no endpoint: add one with "
                f"`dubbing endpoints add {self.spec.name} URL`"
            )

    def unload(self) -> None:
        """Close the connections, and give up the slots."""
        if self._dispatch:
            self._dispatch.close()
        if self._wire:
            self._wire.close()
        self._wire = self._dispatch = None

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, as many simultaneously as this process has slots of the pool."""
        if not lines:
            return []
        dispatch = self._refresh()
        end = self.end_of_call()
        threads = min(len(lines), MOST_THREADS, max(1, self.pool.slots))
        longest = max(self._patience(line, end) for line in lines)
        with (
            dispatch.expecting(threads, longest),
            ThreadPoolExecutor(threads, thread_name_prefix="line") as pool,
        ):
            # The meter of the caller's context counts what each thread uses.
            spoken = [pool.submit(copy_context().run, self._speak, line, end) for line in lines]
            return [line.result() for line in spoken]

    def end_of_call(self) -> float:
        """Return the end of a call that begins now, as a moment of `time.monotonic`."""
        return time.monotonic() + SHARE * self.spec.seconds_per_call

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit unless an endpoint serves the pool's model, as far as it tells."""
        raise NotImplementedError

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return a pool with an endpoint's own description in place of undeclared fields.

        Raises Unreachable and Unfit.
        """
        raise NotImplementedError

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Let an endpoint speak a line; raises the errors of `wire`."""
        raise NotImplementedError

    def refusal(self, line: Line) -> DubbingError | None:
        """Return why a line is not sent to any endpoint, or None."""
        raise NotImplementedError

    def _described(self, spec: EngineSpec) -> EngineSpec:
        pool = self.pool
        lines = min(MOST_LINES, LINES_A_SLOT * max(1, pool.slots))
        update = {
            "voices": pool.voices,
            "languages": pool.languages,
            "batch_lines": lines,
            "needs_transcript": pool.transcripts,
            "sample_rate": pool.rate or spec.sample_rate,
        }
        return spec.model_copy(update=update if pool.endpoints else {})

    def _check_fit(self, endpoint: Endpoint) -> None:
        if self._wire:
            self.identify(self._wire, endpoint)

    def _refresh(self) -> Dispatch:
        """Read endpoints and cap again, unless that was just done; return the dispatcher."""
        if self._dispatch is None:
            raise EngineFailed(f"{self.spec.name} is not loaded")
        if self._pools is None or time.monotonic() < self._read_at + REFRESH_SECONDS:
            return self._dispatch
        pool = self._pools.get(self.spec.name)
        why = self._pools.reached_cap(self.spec.name, pool)
        if pool.endpoints and pool.digest != self.model:
            why = (
                f"the endpoints of {self.spec.name} serve another model now: `dubbing workers "
                "unload` and `load` make a worker take it"
            )
        self._read_at = time.monotonic()
        if why:
            self._dispatch.follow([], why)
            return self._dispatch
        self.pool = pool
        self._dispatch.follow(pool.endpoints)
        return self._dispatch

    def _patience(self, line: Line, end: float) -> float:
        """Return the seconds after which an endpoint counts as hanging."""
        speech = self.spec.foresee(line.text, line.language) / line.speed
        return max(1.0, min(PATIENCE + PATIENCE_A_SECOND * speech, end - time.monotonic()))

    def _speak(self, line: Line, end: float) -> Spoken:
        """Return a line's sound, or its error; EngineAway when no endpoint can be used."""
        if refusal := self.refusal(line):
            return refusal

        def ask(wire: Wire, endpoint: Endpoint) -> Audio:
            return self.ask(wire, endpoint, line, self._patience(line, end))

        try:
            return self.by_some_endpoint(ask, end, self._patience(line, end))
        except DubbingError as exc:
            return exc

    def by_some_endpoint(
        self, ask: Callable[[Wire, Endpoint], Answer], end: float, seconds: float
    ) -> Answer:
        """Return the answer of an endpoint to a question; one that fails is followed by another.

        ask: raises the errors of `wire`. end: moment of `time.monotonic` until which to try.
        seconds: how long an answer may take.
        Raises SpeechRejected, EngineFailed, and EngineAway when no endpoint can be used.
        """
        from dubbing.engines.remote.dispatch import LateError  # noqa: PLC0415
        from dubbing.engines.remote.wire import Failed, Unfit, Unreachable  # noqa: PLC0415

        wire, dispatch = self._wire, self._dispatch
        if wire is None or dispatch is None:
            raise EngineFailed(f"{self.spec.name} is not loaded")
        failed: list[str] = []
        while True:
            endpoint = None
            try:
                with dispatch.turn(end, seconds, avoid=failed) as endpoint, self._noted(endpoint):
                    return ask(wire, endpoint)
            except (Unreachable, Unfit, LateError):
                # The endpoint rests, so another one answers, or the same one does later.
                continue
            except Failed as exc:
                failed.append(endpoint.url if endpoint else "")
                if len(failed) == FAILURES:
                    raise EngineFailed(f"{self.spec.name} failed: {exc}") from exc

    @contextmanager
    def _noted(self, endpoint: Endpoint) -> Iterator[None]:
        """Record the block's usage of an endpoint, also when it fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            note(endpoint.use(self.spec.name, time.monotonic() - began))

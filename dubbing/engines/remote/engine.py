"""The base of remote engines.

A thread for each slot of the pool sends lines. A line whose endpoint fails is sent to another
endpoint, within the time of the call.
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
"""Tries of a line before its error is returned."""
LINES_A_SLOT = 8
"""Lines of a batch per slot of the pool."""
MOST_LINES = 64
MOST_THREADS = 64
REFRESH_SECONDS = 5.0
"""Seconds after which the endpoints are read again, because they may change at any time."""
PATIENCE, PATIENCE_A_SECOND = 20.0, 4.0
"""Timeout of a line in seconds: a fixed part, and a part per second of speech."""
SHARE = 0.9
"""Share of a call's time after which no more lines are begun."""


class RemoteEngine:
    """An engine that speaks with the endpoints of a pool. Each subclass implements one API."""

    weights: ClassVar[Weights | None] = None
    extra: ClassVar[str] = ""
    libraries: ClassVar[tuple[str, ...]] = ()
    most_slots: ClassVar[int] = 1000
    """Most simultaneous lines of one server."""
    spec: EngineSpec
    model: str
    shares: Shares | None = None
    """Shares the slots of the endpoints with other processes, if set before `load`."""

    def __init__(self, name: str, folder: Path, pools: Pools | None = None) -> None:
        """Read the pool, without calling any endpoint.

        pools: the stored pools; without them, the engine has no endpoint.
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
        """Take the model from the pool; each endpoint is compared with it before its first line.

        So a worker starts even if endpoints do not answer. Raises EngineMissing for an engine
        without endpoints.
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
            # In copies of the context, each thread records its usage in the caller's meter.
            spoken = [pool.submit(copy_context().run, self._speak, line, end) for line in lines]
            return [line.result() for line in spoken]

    def end_of_call(self) -> float:
        """Return the deadline of a call that begins now, as a time of `time.monotonic`."""
        return time.monotonic() + SHARE * self.spec.seconds_per_call

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit if an endpoint lacks the API, or reports another model than the pool's."""
        raise NotImplementedError

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return the pool, with fields that were not declared taken from an endpoint.

        Raises Unreachable and Unfit.
        """
        raise NotImplementedError

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Let an endpoint speak a line; raises the errors of `wire`."""
        raise NotImplementedError

    def refusal(self, line: Line) -> DubbingError | None:
        """Return the error of a line that no endpoint could speak; None to send the line."""
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
        """Read the endpoints and the cap again after `REFRESH_SECONDS`; return the dispatcher."""
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
        """Return a line's sound, or its error; raises EngineAway when no endpoint is usable."""
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
        """Return the answer of an endpoint; after a failure, ask another endpoint.

        ask: sends the request; raises the errors of `wire`. end: time of `time.monotonic` until
        which to try. seconds: longest time of an answer.
        Raises SpeechRejected, EngineFailed, and EngineAway when no endpoint is usable.
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
                # The endpoint rests now: the next try uses another one, or the same one later.
                continue
            except Failed as exc:
                failed.append(endpoint.url if endpoint else "")
                if len(failed) == FAILURES:
                    raise EngineFailed(f"{self.spec.name} failed: {exc}") from exc

    @contextmanager
    def _noted(self, endpoint: Endpoint) -> Iterator[None]:
        """Record the block's usage of an endpoint, even if the block fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            note(endpoint.use(self.spec.name, time.monotonic() - began))

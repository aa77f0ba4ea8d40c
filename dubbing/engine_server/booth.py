"""One engine with its thread, and a queue of its requests.

A request is one call to the engine. Waiting requests are joined to one call as far as the engine's
batch allows, so that a card speaks many lines at once although each came alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from dubbing.engine_server.counting import count_call
from dubbing.engines.engine import Engine, EngineSpec, Line, Spoken, VoiceForm
from dubbing.errors import (
    DubbingError,
    EngineAway,
    EngineFailed,
    SpeechRejected,
    Transient,
)
from dubbing.media.samples import Audio

log = logging.getLogger(__name__)

WAITING_BATCHES = 4
"""Full batches that may wait; later callers have to try again."""
BUSY_SECONDS = 1
LOADING_SECONDS = 5
"""Seconds after which a caller may try again."""


class Busy(Transient):
    """The queue is full."""

    code = "busy"


class State(StrEnum):
    """The state of a booth."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    """Its engine could not be loaded."""
    ENDING = "ending"


@dataclass(frozen=True)
class _Speech:
    lines: Sequence[Line]
    future: Future[list[Spoken]]


@dataclass(frozen=True)
class _Extraction:
    reference: Audio
    transcript: str
    future: Future[VoiceForm]


_Asked: TypeAlias = _Speech | _Extraction


class Booth:
    """An engine that one thread loads and uses. Its methods are for any thread."""

    def __init__(
        self, name: str, spec: EngineSpec, load: Callable[[], Engine], device: str
    ) -> None:
        """Load nothing yet. spec: the engine's spec, as far as it is known before ``load``."""
        self.name = name
        self.spec = spec
        self.device = device
        """The device of the engine: cpu, cuda or remote."""
        self.model = ""
        """Hex digest of the engine's model, once it is loaded."""
        self.state = State.LOADING
        self.error: DubbingError | None = None
        """Why the engine could not be loaded."""
        self._load = load
        self._waiting: deque[_Asked] = deque()
        self._changed = threading.Condition()
        self._called_at: float | None = None
        self.running = 0
        """How many lines the engine speaks now."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def begin(self) -> None:
        """Load the engine, and then serve requests."""
        self._thread.start()

    def end(self) -> None:
        """Take no more requests, and return once the waiting ones are served."""
        with self._changed:
            self.state = State.ENDING
            self._changed.notify_all()
        self._thread.join()

    @property
    def overdue(self) -> float:
        """Seconds by which the engine's current call exceeds its limit; 0 or less: it does not."""
        called_at = self._called_at
        spent = time.monotonic() - called_at if called_at is not None else 0.0
        return spent - self.spec.seconds_per_call

    @property
    def waiting(self) -> int:
        """The number of waiting lines."""
        return _lines(tuple(self._waiting))

    def speak(self, lines: Sequence[Line]) -> Future[list[Spoken]]:
        """Speak lines by one call, perhaps with others; return one result for each.

        Raises EngineAway while the engine loads or the server ends, and Busy.
        """
        future: Future[list[Spoken]] = Future()
        self._add(_Speech(lines, future))
        return future

    def extract(self, reference: Audio, transcript: str) -> Future[VoiceForm]:
        """Derive a voice from a recording; raises as `speak` does."""
        future: Future[VoiceForm] = Future()
        self._add(_Extraction(reference, transcript, future))
        return future

    def _add(self, asked: _Asked) -> None:
        with self._changed:
            if self.state is not State.READY:
                raise EngineAway(f"{self.name} is {self.state}")
            most = WAITING_BATCHES * self.spec.batch_lines
            if self.waiting >= most or len(self._waiting) >= most:
                raise Busy(f"{self.name} has {len(self._waiting)} requests waiting")
            self._waiting.append(asked)
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            engine = self._load()
        except Exception as exc:  # noqa: BLE001 - the server ends with it
            self.error = exc if isinstance(exc, DubbingError) else _failure(exc)
            self.state = State.FAILED
            return
        with self._changed:
            self.spec, self.model = engine.spec, engine.model
            if self.state is State.LOADING:
                self.state = State.READY
        while asked := self._next():
            self._called_at, self.running = time.monotonic(), _lines(asked)
            _serve(engine, asked)
            self._called_at, self.running = None, 0
        engine.unload()

    def _next(self) -> list[_Asked]:
        """Return the next request and the ones that join it; nothing at the end."""
        found: list[_Asked] = []
        with self._changed:
            while not found and (self._waiting or self.state is State.READY):
                if not self._waiting:
                    self._changed.wait()
                    continue
                while self._waiting and self._joins(found, self._waiting[0]):
                    asked = self._waiting.popleft()
                    # The caller may be gone.
                    if asked.future.set_running_or_notify_cancel():
                        found.append(asked)
        return found

    def _joins(self, found: Sequence[_Asked], asked: _Asked) -> bool:
        """Whether a request may be served by the same call as others."""
        if not found:
            return True
        both = [*found, asked]
        lines = [line for one in both if isinstance(one, _Speech) for line in one.lines]
        if len(lines) > self.spec.batch_lines or any(isinstance(o, _Extraction) for o in both):
            return False
        longest = max(self.spec.foresee(line.text, line.language) / line.speed for line in lines)
        alike = len({(line.language, _identity(line.voice)) for line in lines}) == 1
        return alike and longest * len(lines) <= self.spec.batch_seconds


def _lines(asked: Sequence[_Asked]) -> int:
    return sum(len(one.lines) for one in asked if isinstance(one, _Speech))


def _identity(voice: str | VoiceForm) -> object:
    """Return the identity of a voice: a form is kept once, and its lines share it."""
    return voice if isinstance(voice, str) else id(voice)


def _serve(engine: Engine, asked: Sequence[_Asked]) -> None:
    """Answer requests; if they fail together, try each alone."""
    match asked:
        case [_Extraction(reference, transcript, future)]:
            try:
                future.set_result(_form(engine, reference, transcript))
            except DubbingError as exc:
                future.set_exception(exc)
            return
    speeches = [one for one in asked if isinstance(one, _Speech)]
    lines = [line for one in speeches for line in one.lines]
    began = time.monotonic()
    try:
        spoken = engine.synthesize(lines)
    except Exception as exc:  # noqa: BLE001 - an engine may raise anything
        if len(speeches) > 1:
            for one in speeches:
                _serve(engine, [one])
            return
        log.warning("%s failed: %s: %s", engine.spec.name, type(exc).__name__, exc)
        spoken = [exc if isinstance(exc, DubbingError) else _failure(exc)] * len(lines)
    count_call(engine.spec.name, spoken, time.monotonic() - began)
    results = iter(spoken)
    for one in speeches:
        one.future.set_result([next(results) for _ in one.lines])


def _form(engine: Engine, reference: Audio, transcript: str) -> VoiceForm:
    try:
        form = engine.extract(reference, transcript)
    except DubbingError:
        raise
    except Exception as exc:
        raise _failure(exc) from exc
    if not all(np.isfinite(array).all() for array in form.values()):
        raise SpeechRejected("the engine derived NaN or infinite values from the recording")
    return form


def _failure(exc: Exception) -> EngineFailed:
    return EngineFailed(f"{type(exc).__name__}: {exc}")

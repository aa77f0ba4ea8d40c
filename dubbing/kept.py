"""Answers of storage and Redis that are cached for some seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """A cached answer, refreshed when it is old. Safe to use from several threads."""

    def __init__(self, ask: Callable[[], Answer], seconds: float) -> None:
        """Cache nothing yet. seconds: longest age of the answer."""
        self._ask = ask
        self._seconds = seconds
        self._known: tuple[float, Answer] | None = None
        self._lock = threading.Lock()

    def get(self) -> Answer:
        """Return the answer; raises as the call does."""
        with self._lock:
            known = self._known
            if known is None or time.monotonic() > known[0] + self._seconds:
                answer = self._ask()
                known = self._known = time.monotonic(), answer
            return known[1]

    def forget(self) -> None:
        """Drop the answer, so that the next caller refreshes it."""
        with self._lock:
            self._known = None

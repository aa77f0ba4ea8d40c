"""Answers of storage and Redis that are kept for some seconds, however many ask for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """An answer that is asked for anew when it is old. Safe to use from several threads."""

    def __init__(self, ask: Callable[[], Answer], seconds: float) -> None:
        """Ask nothing yet. seconds: how old the answer may be."""
        self._ask = ask
        self._seconds = seconds
        self._known: tuple[float, Answer] | None = None
        self._lock = threading.Lock()

    def get(self) -> Answer:
        """Return the answer; raises as the question does."""
        with self._lock:
            known = self._known
            if known is None or time.monotonic() > known[0] + self._seconds:
                answer = self._ask()
                known = self._known = time.monotonic(), answer
            return known[1]

    def forget(self) -> None:
        """Have the next caller ask anew."""
        with self._lock:
            self._known = None

"""The threads of a worker's parent process, each of which repeats one step.

They are threads, because a blocking timer of Celery would freeze dispatch and ping. They are
several, because a wait for storage must not delay the heartbeat.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from dubbing.telemetry.attempts import Attempts

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
"""Longest wait for a step that is under way when the loop is stopped."""


class Loop:
    """Repeats a step until it is stopped, whatever the step raises."""

    def __init__(self, name: str, step: Callable[[], object], pause: Callable[[], float]) -> None:
        """Take the step, and a function that returns the seconds until it is repeated."""
        self._attempts = Attempts(log, f"the {name} tries again")
        self._step = step
        self._pause = pause
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its step."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_SECONDS)

    def _run(self) -> None:
        while True:
            with self._attempts.one():
                self._step()
            if self._over.wait(self._pause()):
                return

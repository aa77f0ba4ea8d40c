"""The threads of a worker's parent process, each of which repeats one step.

They are threads because a blocking timer of Celery would freeze dispatch and ping. Each step has
its own thread because a wait for storage must not delay the heartbeat.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from dubbing.telemetry.attempts import Attempts

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
"""Maximum seconds to wait for running steps when loops are stopped."""


class Loop:
    """Repeats a step until it is stopped, whatever the step raises."""

    def __init__(self, name: str, step: Callable[[], object], pause: Callable[[], float]) -> None:
        """pause: returns the seconds until the step is repeated."""
        self._attempts = Attempts(log, f"the {name} tries again")
        self._step = step
        self._pause = pause
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def end(self) -> None:
        """Make the thread end after its present step."""
        self._over.set()

    def join(self, seconds: float) -> None:
        """Wait at most ``seconds`` for the end of the thread."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._attempts.one():
                self._step()
            if self._over.wait(self._pause()):
                return


def stop(loops: Iterable[Loop], seconds: float = STOP_SECONDS) -> None:
    """End loops after their present steps; wait at most ``seconds`` for all of them together."""
    loops = list(loops)
    for loop in loops:
        loop.end()
    deadline = time.monotonic() + seconds
    for loop in loops:
        loop.join(max(0.0, deadline - time.monotonic()))

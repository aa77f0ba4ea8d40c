"""Workers that join for a while: workers of the previous release, or with a wrong storage."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from soaking.before import RELEASE_BEFORE, Before
from soaking.strikes import WORKERS, Blow, Strike
from system import System

PATIENCE = 60.0
"""Seconds that a guest may take to end before it is killed."""


class Guests:
    """The guests of a system.

    before: the previous release, or None without one.
    """

    def __init__(self, system: System, before: Before | None) -> None:
        self.killed = 0
        """Number of guests that had to be killed."""
        self._system = system
        self._before = before
        self._here: dict[str, subprocess.Popen[bytes]] = {}

    def join(self, strike: Strike) -> str:
        """Start a guest; return its release or engine, for the log."""
        if strike.blow is Blow.DOWNGRADE:
            if not self._before:
                return "there is no release before"
            self._start(strike.target, WORKERS[strike.target], **self._before.variables)
            return f"{RELEASE_BEFORE:.12}"
        folder = self._system.settings.home / "stray"
        engine = ("faulty", "tone", "assembly")[strike.pick % 3]
        self._start(strike.target, engine, DUBBING_STORAGE_URL=str(folder))
        return engine

    def left(self, target: str, since: float) -> bool:
        """Terminate a guest; return whether it has ended. Its exit code is ignored.

        since: when it was first asked to end, in seconds since 1970.
        """
        guest = self._here.get(target)
        if guest is None:
            return True
        if guest.poll() is None:
            guest.terminate()
            if time.time() - since < PATIENCE:
                return False
            self._kill(guest)
        del self._here[target]
        return True

    def close(self) -> None:
        """Kill the remaining guests."""
        for guest in self._here.values():
            guest.terminate()
        deadline = time.monotonic() + PATIENCE
        for guest in self._here.values():
            try:
                guest.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._kill(guest)
        self._here.clear()

    def _start(self, target: str, engine: str, **variables: str) -> None:
        log = f"guest-{target}"
        self._here[target] = self._system.launch(engine, log=log, **variables)

    def _kill(self, guest: subprocess.Popen[bytes]) -> None:
        os.killpg(guest.pid, signal.SIGKILL)
        guest.wait()
        self.killed += 1

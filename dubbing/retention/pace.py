"""Gives jobs precedence: a collection pauses while other processes want all CPU cores.

A low priority is not enough, because Linux divides CPU time between sessions first.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

LEISURE = 6.0
"""Seconds of rest for each second of CPU time, on a busy machine."""
SHORTEST = 0.02
"""Seconds of CPU time between two checks whether to rest."""
REMEMBERED = 5.0
"""Seconds for which a machine still counts as busy, because jobs pause at times."""
LOAD = Path("/proc/loadavg")


class Pace:
    """The pace of a collection."""

    def __init__(self) -> None:
        """Start counting this process's CPU time."""
        self._since = time.process_time()
        self._busy_until = 0.0

    def rest(self) -> None:
        """Rest as long as is due."""
        used = time.process_time() - self._since
        if used > SHORTEST:
            if busy():
                self._busy_until = time.monotonic() + REMEMBERED
            if time.monotonic() < self._busy_until:
                time.sleep(used * LEISURE)
            self._since = time.process_time()


def busy() -> bool:
    """Whether other processes want all CPU cores now; True if unknown."""
    try:
        running = int(LOAD.read_text().split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return True
    # This process is one of them. The load is that of the machine, whatever part of it is ours.
    return running > (os.cpu_count() or 1)

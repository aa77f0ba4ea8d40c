"""Leaving the machine to jobs: a collection rests while others want all processors.

A low priority alone does not do that, as Linux divides processors between sessions first.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

LEISURE = 6.0
"""Seconds of rest for each second of a processor that was used, on a machine that is busy."""
SHORTEST = 0.02
"""Seconds of a processor after which it is looked whether to rest."""
REMEMBERED = 5.0
"""Seconds for which a machine counts as busy after it was: jobs wait now and then."""
LOAD = Path("/proc/loadavg")


class Pace:
    """How fast a collection goes."""

    def __init__(self) -> None:
        """Begin to count what this process uses."""
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
    """Whether others want all processors at this moment; where nobody tells, they do."""
    try:
        running = int(LOAD.read_text().split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return True
    # This process is one of them. The load is that of the machine, whatever part of it is ours.
    return running > (os.cpu_count() or 1)

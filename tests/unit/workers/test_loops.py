"""The loops of a worker's parent process, some of which hang."""

from __future__ import annotations

import threading
import time

from workers.loop import Loop, stop


def test_loops_that_hang_are_waited_for_together() -> None:
    released = threading.Event()
    loops = [Loop(f"hanging {n}", released.wait, lambda: 60.0) for n in range(10)]
    for loop in loops:
        loop.start()
    began = time.monotonic()
    stop(loops, seconds=0.2)
    took = time.monotonic() - began
    released.set()
    stop(loops)
    assert 0.2 <= took < 1.0
    assert "hanging" not in " ".join(thread.name for thread in threading.enumerate())

"""How many threads a model may use on the CPU: the processes of a worker share its cores."""

from __future__ import annotations

import os

VARIABLE = "OMP_NUM_THREADS"
"""Environment variable that a worker sets for its processes, unless its user has. Libraries of
numbers read it by themselves; onnxruntime does not."""


def threads() -> int:
    """Return the number of threads for this process; 1 outside of a worker."""
    written = os.environ.get(VARIABLE, "")
    return max(1, int(written)) if written.isdecimal() else 1


def share(slots: int) -> int:
    """Return the number of threads for each of so many processes on this machine."""
    return max(1, (os.cpu_count() or 1) // slots)

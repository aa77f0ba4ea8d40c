"""The number of CPU threads of a model: the processes of a worker share its cores."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "OMP_NUM_THREADS"
"""Environment variable that a worker sets for its processes unless the user has set it. Numeric
libraries read it themselves; onnxruntime does not."""
GROUPS = Path("/sys/fs/cgroup")
"""Linux's control groups, with the CPU limits of containers and services."""
OWN_GROUP = Path("/proc/self/cgroup")


def threads() -> int:
    """Return the number of threads for this process; 1 outside a worker."""
    written = os.environ.get(VARIABLE, "")
    return max(1, int(written)) if written.isdecimal() else 1


def share(slots: int) -> int:
    """Return the number of threads for each of ``slots`` processes on this machine."""
    return max(1, cores() // slots)


def cores() -> int:
    """Return the number of cores that this process may use.

    The CPU affinity of the process and the CPU quotas of its control groups count.
    """
    bound = hasattr(os, "sched_getaffinity")
    own = len(os.sched_getaffinity(0)) if bound else os.cpu_count() or 1
    return max(1, min(own, math.ceil(min(_limits(), default=own))))


def _limits() -> Iterator[float]:
    """Yield the CPU quotas of the process's control groups, in cores."""
    newer = [[folder / "cpu.max"] for folder in (GROUPS, GROUPS / _own_group())]
    older = [GROUPS / "cpu" / f"cpu.cfs_{part}_us" for part in ("quota", "period")]
    for files in [*newer, older]:
        try:
            quota, period = map(int, " ".join(file.read_text() for file in files).split())
        except (OSError, ValueError):
            # There is no such file, or no quota ("max").
            continue
        if quota > 0:
            yield quota / period


def _own_group() -> str:
    """Return the path of this process's control group below `GROUPS`; ``""`` without one."""
    try:
        groups = OWN_GROUP.read_text().splitlines()
    except OSError:
        return ""
    return next((line.removeprefix("0::/") for line in groups if line.startswith("0::/")), "")

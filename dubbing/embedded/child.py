"""Child processes that end with the process that started them."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import IO

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
"""Loaded at import, because only system calls are safe between fork and exec."""


def start_child(
    command: Sequence[str],
    log: IO[bytes],
    *,
    env: Mapping[str, str] | None = None,
    orphaned: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a process without input, in a group of its own; its output goes to ``log``.

    orphaned: the signal that it gets when its parent is killed, on Linux.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=env,
        # Ctrl-C on the terminal is for the parent, which ends its children in order.
        start_new_session=True,
        preexec_fn=partial(_die_with_parent, orphaned),  # noqa: PLW1509 - see LIBC
    )


def _die_with_parent(number: signal.Signals) -> None:
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, number)

"""Runs a command with less than it could do: ``confined.py [flock=ENOLCK]… -- COMMAND…``.

The command and all its processes are bound by the permissions of files, also as root, and each
system call that is named fails with the given error: so a file system without locks or links
behaves, which no test can mount.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 24, 38, 22
SECCOMP_MODE_FILTER = 2
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
LOAD_NUMBER = (0x20, 0, 0, 0)
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
CALLS = {
    "x86_64": {"flock": 73, "link": 86, "linkat": 265},
    "aarch64": {"flock": 32, "linkat": 37},
}


def confined(*denied: str) -> list[str]:
    """Return the beginning of a command that runs the rest of it so, as in ``linkat=EPERM``."""
    return [sys.executable, str(Path(__file__)), *denied, "--"]


def possible() -> bool:
    """Whether this machine lets a process confine itself."""
    return sys.platform == "linux" and platform.machine() in CALLS


def _call(libc: ctypes.CDLL, *arguments: object) -> None:
    if libc.prctl(*arguments, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _deny(libc: ctypes.CDLL, denied: Sequence[str]) -> None:
    known = CALLS[platform.machine()]
    steps = [LOAD_NUMBER]
    for name, _, error in (each.partition("=") for each in denied):
        if name in known:
            # A jump over the answer, unless it is this call.
            steps += [(0x15, 0, 1, known[name]), (0x06, 0, 0, ERRNO | getattr(errno, error))]
    code = b"".join(struct.pack("HBBI", *step) for step in (*steps, (0x06, 0, 0, ALLOW)))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    _call(libc, PR_SET_NO_NEW_PRIVS, 1, 0)
    _call(libc, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.create_string_buffer(program))


if __name__ == "__main__":
    at = sys.argv.index("--")
    libc = ctypes.CDLL(None, use_errno=True)
    if os.getuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            _call(libc, PR_CAPBSET_DROP, capability, 0)
    _deny(libc, sys.argv[1:at])
    os.execvp(sys.argv[at + 1], sys.argv[at + 1 :])

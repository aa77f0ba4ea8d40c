"""The gate at which a worker's first processes wait until their parent has connected.

They are forked before the parent has a thread or a connection: neither survives a fork.
"""

from __future__ import annotations

import os

LETTERS = 64
"""Bytes that each process reads: the id of the installation, padded with blanks."""


class Gate:
    """A pipe that all first processes read."""

    def __init__(self) -> None:
        """Make the pipe. Called in the parent, before it forks the processes."""
        self._out, self._in = os.pipe()

    def wait(self) -> str:
        """Return the id of the installation when the parent sends it. Called in a process.

        Raises SystemExit when the parent ends without sending it.
        """
        os.close(self._in)
        told = os.read(self._out, LETTERS)
        os.close(self._out)
        if not told:
            raise SystemExit(0)
        return told.decode().strip()

    def open(self, installation: str, processes: int) -> None:
        """Send the id of the installation to the waiting processes. Called in the parent.

        processes: their number.
        """
        with os.fdopen(self._in, "wb") as pipe:
            pipe.write(installation.ljust(LETTERS).encode() * processes)
        os.close(self._out)

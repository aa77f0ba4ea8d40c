"""Counts the round trips to a Redis, by who speaks on the line to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from line import Ear, line_to


@dataclass
class Turns:
    """The round trips so far, of all connections together."""

    port: int = 0
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ear(self) -> Ear:
        """Return what counts the round trips of a connection.

        One begins when the client sends something after it has heard something.
        """
        heard = True

        def hear(asks: bool, data: bytes) -> bool:
            nonlocal heard
            if asks and heard:
                with self.lock:
                    self.count += 1
            heard = not asks
            return True

        return hear


@contextmanager
def counting_turns(path: str) -> Iterator[Turns]:
    """Forward to a server's socket during the block, and count."""

    def connect() -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        server.connect(path)
        return server

    turns = Turns()
    with line_to(connect, turns.ear) as port:
        turns.port = port
        yield turns

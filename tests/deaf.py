"""A line that goes deaf: connections stay open, and nothing on them is answered."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from line import line_to


@dataclass
class DeafLine:
    """Whether a line is deaf."""

    port: int = 0
    deaf: bool = False
    """While this is set, each connection on which something is sent is lost for good."""
    lost: int = 0
    """Connections that were lost."""

    def hear(self, asks: bool, data: bytes) -> bool:
        """Whether a chunk is passed on; ``asks``: whether the client sent it."""
        loses = asks and self.deaf
        self.lost += loses
        return not loses


@contextmanager
def deaf_line(port: int) -> Iterator[DeafLine]:
    """Forward to a port on 127.0.0.1 during the block."""
    deaf = DeafLine()
    with line_to(lambda: socket.create_connection(("127.0.0.1", port)), lambda: deaf.hear) as own:
        deaf.port = own
        yield deaf

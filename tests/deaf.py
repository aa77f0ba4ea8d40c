"""A line to a server that goes deaf: connections stay open, and nothing on them is answered."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

CHUNK = 1 << 16


@dataclass
class Line:
    """A forwarder, and whether it is deaf."""

    port: int
    deaf: bool = False
    """While this is set, each connection on which something is sent is lost for good."""
    lost: int = 0
    """Connections that were lost."""


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    """Forward to a port on 127.0.0.1 during the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, port, line), daemon=True).start()
        yield line
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, port: int, line: Line) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_forward, args=(client, port, line), daemon=True).start()


def _forward(client: socket.socket, port: int, line: Line) -> None:
    server = socket.create_connection(("127.0.0.1", port))
    with client, server, selectors.DefaultSelector() as selector, suppress(OSError):
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(CHUNK)
                if not data:
                    return
                if key.fileobj is client and line.deaf:
                    line.lost += 1
                    while client.recv(CHUNK):
                        pass
                    return
                key.data.sendall(data)

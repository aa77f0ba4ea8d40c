"""Counts the round trips to a Redis: a TCP proxy that sees who speaks."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CHUNK = 1 << 16


@dataclass
class Turns:
    """The round trips so far, of all connections together."""

    port: int
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self) -> None:
        """Count one."""
        with self.lock:
            self.count += 1


@contextmanager
def counting_turns(path: str) -> Iterator[Turns]:
    """Run a proxy before a server's socket during the block.

    A round trip begins when a client sends something after it has heard something.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        turns = Turns(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, path, turns), daemon=True).start()
        try:
            yield turns
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, path: str, turns: Turns) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(path)
        threading.Thread(target=_forward, args=(client, server, turns), daemon=True).start()


def _forward(client: socket.socket, server: socket.socket, turns: Turns) -> None:
    heard = True
    with client, server, selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                source, target = key.fileobj, key.data
                data = source.recv(CHUNK)
                if not data:
                    return
                if source is client and heard:
                    turns.note()
                heard = source is server
                target.sendall(data)

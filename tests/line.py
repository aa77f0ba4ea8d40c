"""A line to a server: a TCP proxy in which a test listens, or cuts in."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias

CHUNK = 1 << 16

Ear: TypeAlias = Callable[[bool, bytes], bool]
"""Hears each chunk, and whether the client sent it; returns whether the chunk is passed on.

An OSError that it raises ends the connection.
"""


@contextmanager
def line_to(connect: Callable[[], socket.socket], ear: Callable[[], Ear]) -> Iterator[int]:
    """Forward connections to a server during the block; yields the port on 127.0.0.1.

    connect: returns a new connection to the server. ear: returns the ear of a new connection. Where
    it holds a chunk back, the connection stays open and silent.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, connect, ear), daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(
    listener: socket.socket, connect: Callable[[], socket.socket], ear: Callable[[], Ear]
) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_forward, args=(client, connect(), ear()), daemon=True).start()


def _forward(client: socket.socket, server: socket.socket, ear: Ear) -> None:
    with client, server, selectors.DefaultSelector() as selector, suppress(OSError):
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(CHUNK)
                if not data:
                    return
                if not ear(key.fileobj is client, data):
                    while client.recv(CHUNK):
                        pass
                    return
                key.data.sendall(data)

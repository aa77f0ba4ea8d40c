"""The sockets that servers listen on."""

from __future__ import annotations

import socket

from dubbing.serving.listening import Address, listen


def test_the_parts_of_an_answer_are_sent_at_once() -> None:
    with (
        listen(Address(host="127.0.0.1", port=0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as connection,
    ):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

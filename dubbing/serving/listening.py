"""The address of a server, and its socket and graceful shutdown."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import uvicorn
from starlette.types import ASGIApp

from dubbing.errors import BadInput

KEEP_SECONDS = 75
"""Seconds for which an idle connection is kept: longer than clients keep theirs, so that the server
does not close a connection that a client is about to use."""
LARGEST_MESSAGE = 1 << 16
"""Most bytes of a message from a WebSocket client."""

Ending: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Address:
    """The address of a server."""

    host: str
    port: int
    """0 for any free port."""
    certificate: Path | None = None
    """A PEM file with the certificate and its chain; without one, plain HTTP."""
    certificate_key: Path | None = None
    """A PEM file with the private key, unless ``certificate`` contains it."""

    def url(self, listener: socket.socket) -> str:
        """Return the URL of a server at this address."""
        scheme = "https" if self.certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{listener.getsockname()[1]}"


def listen(address: Address) -> socket.socket:
    """Return the socket of an address; raises BadInput when it cannot be opened."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family, backlog=2048)
    except (OSError, OverflowError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise BadInput(
            f"{why}: choose another --host or --port", where=f"{address.host}:{address.port}"
        ) from exc
    # Accepted connections inherit the option. Without it, the second part of an answer waits about
    # 40 ms for the client's acknowledgement of the first. asyncio sets it only for its own sockets.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class Server(uvicorn.Server):
    """A uvicorn server that announces its shutdown before it waits for open requests."""

    def __init__(self, config: uvicorn.Config, ending: Ending | None) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Announce the shutdown, finish the open requests, and end."""
        if self._ending:
            await self._ending()
        await super().shutdown(sockets)


def server_of(
    app: ASGIApp,
    address: Address,
    *,
    ending: Ending | None = None,
    end_seconds: int | None = None,
    proxies: Sequence[str] = (),
) -> Server:
    """Return the server of an app. On SIGTERM or Ctrl-C it finishes open requests and ends.

    ending: called when the shutdown begins, to end long requests and WebSockets.
    end_seconds: most seconds to wait for open requests; by default, no limit.
    proxies: networks of proxies whose headers about the client's address are trusted.
    Raises BadInput for an unusable certificate.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_keep_alive=KEEP_SECONDS,
        timeout_graceful_shutdown=end_seconds,
        ws_max_size=LARGEST_MESSAGE,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.certificate_key,
    )
    try:
        config.load()
    except OSError as exc:  # and ssl.SSLError
        raise BadInput(
            f"it cannot be used: {exc.strerror or exc}", where=str(address.certificate)
        ) from exc
    # At DEBUG, uvicorn would log the headers of WebSockets, which contain keys.
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)
    # uvicorn raises the signal again after its shutdown.
    signal.signal(signal.SIGTERM, lambda *_: None)
    return Server(config, ending)

"""The address of a server, and serving until it has to end."""

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
"""Seconds for which an idle connection is kept: longer than callers keep theirs, so none is cut
in use."""
LARGEST_MESSAGE = 1 << 16
"""Bytes of a message to a WebSocket."""

Ending: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Address:
    """The address of a server."""

    host: str
    port: int
    """0: any free one."""
    certificate: Path | None = None
    """A PEM file with the certificate and its chain; without one, plain HTTP."""
    certificate_key: Path | None = None
    """A PEM file with its private key, if the certificate's file does not hold it."""

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
    # Connections inherit it. Without it, the second part of an answer waits some 40 ms until the
    # caller has acknowledged the first one; asyncio sets it for sockets of its own alone.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class Server(uvicorn.Server):
    """uvicorn's server, which announces its end before it waits for requests."""

    def __init__(self, config: uvicorn.Config, ending: Ending | None) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the requests, and end."""
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
    """Return the server of an app, which ends by SIGTERM or Ctrl-C and finishes its requests.

    ending: called at the begin of the end, for long requests and WebSockets.
    end_seconds: time for requests to end; by default, no limit.
    proxies: networks of proxies that are trusted on the caller's address. Raises BadInput for a
    certificate that cannot be used.
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
    # In detail, it would log the headers of WebSockets, and keys with them.
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)
    # uvicorn raises it again at its end.
    signal.signal(signal.SIGTERM, lambda *_: None)
    return Server(config, ending)

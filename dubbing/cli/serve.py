"""`dubbing serve`: the gateway, over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from dubbing.cli.addresses import is_loopback
from dubbing.cli.libraries import check_libraries
from dubbing.cli.output import echo
from dubbing.errors import BadInput
from dubbing.settings import Settings
from dubbing.telemetry import logs, tracing
from dubbing.telemetry.options import log_options, metrics_options

EXTRA = "gateway"
LIBRARIES = ("fastapi", "uvicorn", "multipart", "limits", "standardwebhooks", "websockets")
PORT = 8080
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
END_SECONDS = 30
"""Time for requests to end when the gateway has to stop."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option("--certificate", type=FILE, help="Serve HTTPS with this certificate (PEM).")
@click.option("--certificate-key", type=FILE, help="Its private key, if it is in another file.")
@metrics_options
@log_options
def serve(host: str, port: int, certificate: Path | None, certificate_key: Path | None) -> None:
    """Serve jobs, voices and speech over HTTP, with keys that `dubbing keys add` makes.

    The loopback address needs no key until the first key exists.
    """
    check_libraries(LIBRARIES, EXTRA)
    # Nothing else needs these libraries.
    from dubbing.client import Client  # noqa: PLC0415
    from dubbing.gateway.app import make_app  # noqa: PLC0415
    from dubbing.keyring import Keyring  # noqa: PLC0415
    from dubbing.serving.listening import Address, listen, server_of  # noqa: PLC0415
    from dubbing.telemetry import exposition  # noqa: PLC0415

    settings = Settings()
    logs.configure(settings, "gateway")
    tracing.configure(settings, "gateway")
    client, loopback = Client.connect(settings), is_loopback(host)
    client.greet()
    if not loopback and not Keyring(client.storage).any():
        raise BadInput(
            "anyone who reaches it could use the system: make a key with `dubbing keys "
            "add`, or listen on 127.0.0.1",
            where=f"--host {host}",
        )
    address = Address(
        host=host, port=port, certificate=certificate, certificate_key=certificate_key
    )
    app = make_app(client, settings, loopback=loopback)
    with listen(address) as listener:
        if settings.metrics_port:
            exposition.serve(app.state.office.metrics, settings.metrics_host, settings.metrics_port)
        server = server_of(
            app,
            address,
            ending=app.state.office.end,
            end_seconds=END_SECONDS,
            proxies=settings.proxies,
        )
        echo(f"gateway: {address.url(listener)}")
        asyncio.run(server.serve(sockets=[listener]))
    tracing.close()

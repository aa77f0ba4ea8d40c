"""`dubbing engine-server`: engines as a service over HTTP."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dubbing.cli.addresses import Network, NetworkType, is_loopback
from dubbing.cli.libraries import check_libraries
from dubbing.cli.output import echo
from dubbing.engine_server.contracts import CONTRACTS, load
from dubbing.engines import threads
from dubbing.errors import BadInput
from dubbing.settings import Settings
from dubbing.system import System
from dubbing.telemetry import logs
from dubbing.telemetry.counts import counts
from dubbing.telemetry.options import log_options

EXTRA = "engine-server"
LIBRARIES = ("fastapi", "uvicorn", "multipart")


FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("engine-server")
@click.argument("engines", nargs=-1)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=6006, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--allow", multiple=True, type=NetworkType(), help="Serve only this network; may be repeated."
)
@click.option("--certificate", type=FILE, help="Serve HTTPS with this certificate (PEM).")
@click.option("--certificate-key", type=FILE, help="Its private key, if it is in another file.")
@click.option("--language", default="", help="Language of texts that name none.")
@click.option(
    "--contract",
    type=click.Choice([*CONTRACTS]),
    help="Answer the routes of another service, in place of the usual ones.",
)
@log_options
def engine_server(
    engines: tuple[str, ...],
    host: str,
    port: int,
    allow: tuple[Network, ...],
    certificate: Path | None,
    certificate_key: Path | None,
    language: str,
    contract: str | None,
) -> None:
    """Serve ENGINES over HTTP, for `dubbing endpoints add remote` and OpenAI's clients.

    DUBBING_ENGINE_SERVER_KEY holds the API key.
    """
    check_libraries(LIBRARIES, EXTRA)
    # Nothing else needs these libraries.
    from dubbing.engine_server.app import OWN, make_app  # noqa: PLC0415
    from dubbing.engine_server.desk import Desk  # noqa: PLC0415
    from dubbing.engine_server.guard import Access  # noqa: PLC0415
    from dubbing.engine_server.serve import booths_of, serve  # noqa: PLC0415
    from dubbing.serving.listening import Address, listen  # noqa: PLC0415

    settings = Settings()
    logs.configure(settings, "engine-server")
    counts.wanted = settings.metrics
    key = settings.engine_server_key.get_secret_value() if settings.engine_server_key else ""
    if not key and not is_loopback(host):
        raise BadInput(
            "anyone who reaches it could use the engines: set DUBBING_ENGINE_SERVER_KEY, "
            "or listen on 127.0.0.1",
            where=f"--host {host}",
        )
    spoken = load(contract) if contract else OWN
    spoken.check(engines)
    os.environ.setdefault(threads.VARIABLE, str(threads.share(max(1, len(engines)))))
    booths = booths_of(engines, System(settings).local_catalogue, settings.device)
    address = Address(
        host=host, port=port, certificate=certificate, certificate_key=certificate_key
    )
    app = make_app(Desk(booths, language), Access(key=key, networks=allow), spoken)
    with listen(address) as listener:
        served = ", ".join([*engines, contract] if contract else engines)
        echo(f"{served}: {address.url(listener)}")
        serve(app, booths, address, listener)

"""Commands that stay up until Ctrl-C: `up` and `flower`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from importlib.util import find_spec

import click

from dubbing.cli.addresses import is_loopback
from dubbing.cli.output import echo, stopping, warn
from dubbing.cli.serve import LIBRARIES, PORT
from dubbing.embedded.stack import Stack
from dubbing.errors import BadInput
from dubbing.planning.plan import Kind
from dubbing.settings import Settings
from dubbing.system import System
from dubbing.telemetry.options import log_options


@click.command()
@click.argument("engines", nargs=-1)
@click.option(
    "--port",
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port of the gateway on this machine; 0 for any free port.",
)
@log_options
def up(engines: tuple[str, ...], port: int) -> None:
    """Run a Redis and workers for ENGINES until Ctrl-C; submit in another terminal.

    With the extra `gateway`, also runs a gateway, as `dubbing serve` does.
    """
    settings = Settings()
    names = list(dict.fromkeys(engines or (settings.engine,)))
    unwind_when_terminated()
    System(settings).add_endpoints()
    with Stack(settings, [*names, Kind.ASSEMBLY]) as stack, stopping():
        echo(f"up: {', '.join(names)}; logs in {settings.log_dir or stack.logs}; Ctrl-C stops it")
        news = _of_gateway(stack, port)
        while True:
            stack.check()
            next(news, None)
            time.sleep(0.5)


@click.command()
@click.option("--address", default="127.0.0.1", show_default=True)
@click.option("--port", default=5555, show_default=True, type=click.IntRange(1, 65535))
def flower(address: str, port: int) -> None:
    """Watch workers, queues and batches in a browser."""
    settings = Settings()
    password = settings.flower_basic_auth
    if password is None and not is_loopback(address):
        raise BadInput(
            "Flower can stop workers and send tasks: set DUBBING_FLOWER_BASIC_AUTH=user:password "
            "before it listens on an address that other machines reach",
            where=f"--address {address}",
        )
    if password:
        os.environ["FLOWER_BASIC_AUTH"] = password.get_secret_value()
    from dubbing.client import Client  # noqa: PLC0415 - Celery is only needed from here on
    from dubbing.queue import start_flower  # noqa: PLC0415 - as above

    Client.connect(settings).ledger.greet()
    start_flower(settings.redis, address, port)


def _of_gateway(stack: Stack, port: int) -> Iterator[None]:
    """Start a gateway if its libraries are installed; later steps report its address and end."""
    if not all(map(find_spec, LIBRARIES)):
        return
    gateway = stack.serve(port)
    while not (gateway.ended or gateway.address):
        yield
    if address := gateway.address:
        echo(f"gateway: {address}")
    while not gateway.ended:
        yield
    warn(f"the gateway has ended: {stack.why_ended('gateway', gateway.process)}")


def unwind_when_terminated() -> None:
    """Make SIGTERM end this process as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)

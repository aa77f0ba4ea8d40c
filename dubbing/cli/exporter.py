"""`dubbing exporter`: metrics of the whole installation for Prometheus."""

from __future__ import annotations

import signal

import click

from dubbing.cli.options import deadline_option
from dubbing.cli.output import echo
from dubbing.settings import Settings
from dubbing.telemetry import logs
from dubbing.telemetry.options import log_options

PORT = 9464


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(1, 65535))
@deadline_option
@log_options
def exporter(host: str, port: int, deadline: float) -> None:
    """Serve metrics of the whole installation at /metrics, without a key, until Ctrl-C."""
    # Nothing else needs these libraries.
    from dubbing.client import Client  # noqa: PLC0415
    from dubbing.exporter import Exporter  # noqa: PLC0415
    from dubbing.telemetry import exposition  # noqa: PLC0415

    settings = Settings()
    logs.configure(settings, "exporter")
    # Threads inherit it; one that did not block them would die of them, and the process with it.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    client = Client.connect(settings)
    client.greet()
    stop = exposition.serve(Exporter(client, deadline).registry, host, port)
    echo(f"exporter: http://{host}:{port}/metrics")
    signal.sigwait(signals)
    stop()

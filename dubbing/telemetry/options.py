"""The options of long-running commands for logs and metrics."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def log_options(command: Command) -> Command:
    """Add the log options to a command. They set variables that its child processes inherit."""
    for option in (
        click.option(
            "--log-dir",
            type=click.Path(path_type=Path, file_okay=False),
            callback=_set("DUBBING_LOG_DIR"),
            expose_value=False,
            help="Write logs to rotated files in this folder.",
        ),
        click.option(
            "--json-logs",
            is_flag=True,
            callback=_set("DUBBING_LOG_FORMAT", "json"),
            expose_value=False,
            help="Write each log line as a JSON object.",
        ),
        click.option(
            "--log-level",
            type=click.Choice(LEVELS, case_sensitive=False),
            callback=_set("DUBBING_LOG_LEVEL"),
            expose_value=False,
            help="Lowest level to log.",
        ),
    ):
        command = option(command)
    return command


def metrics_options(command: Command) -> Command:
    """Add the options for serving metrics to a command; they work as those of `log_options`."""
    for option in (
        click.option(
            "--metrics-host",
            callback=_set("DUBBING_METRICS_HOST"),
            expose_value=False,
            help="Address for metrics; by default, only this machine reaches them.",
        ),
        click.option(
            "--metrics-port",
            type=click.IntRange(0, 65535),
            callback=_set("DUBBING_METRICS_PORT"),
            expose_value=False,
            help="Serve metrics at this port, without a key.",
        ),
    ):
        command = option(command)
    return command


def _set(variable: str, value: str = "") -> Callable[[click.Context, click.Parameter, Any], None]:
    """Return a callback that sets an environment variable to the option, or to ``value`` for it."""

    def put(_context: click.Context, _option: click.Parameter, given: Any) -> None:
        if given:
            os.environ[variable] = value or str(given)

    return put

"""The end of a failed command: one message without a traceback, and an exit code.

An unexpected exception leaves its traceback in a file that only its user can read.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import click

from dubbing.cli.exit_codes import of_error
from dubbing.cli.output import echo, print_error
from dubbing.errors import BadInput, DubbingError, Unforeseen
from dubbing.settings import Settings

SHOWN = 300
"""Most characters of an unexpected exception's text in the message."""


def report(exc: Exception, *, as_json: bool) -> int:
    """Print the error of a command; return its exit code."""
    error = _as_ours(exc)
    # The program that read the output may have ended, and the pipe with it.
    with suppress(OSError):
        if isinstance(exc, click.ClickException) and not as_json:
            _print_usage(exc)
        else:
            print_error(error, as_json=as_json)
    return of_error(error)


def _print_usage(exc: click.ClickException) -> None:
    words = io.StringIO()
    exc.show(words)
    echo(words.getvalue().rstrip("\n"), err=True)


def _as_ours(exc: Exception) -> DubbingError:
    if isinstance(exc, DubbingError):
        return exc
    if isinstance(exc, click.ClickException):
        return BadInput(exc.format_message())
    return _unforeseen(exc)


def _unforeseen(exc: Exception) -> Unforeseen:
    """Return the error that names the file of the traceback."""
    details = "".join(traceback.format_exception(exc))
    settings = _settings()
    if settings and settings.log_level == "DEBUG":
        with suppress(OSError):
            echo(details, err=True)
    path = _keep(details, settings)
    where = f"the details are in {path}" if path else "DUBBING_LOG_LEVEL=DEBUG shows the details"
    first = next(iter(str(exc).splitlines()), "")[:SHOWN]
    words = f"{type(exc).__name__}: {first}" if first else type(exc).__name__
    return Unforeseen(f"unexpected error: {words}; {where}")


def _settings() -> Settings | None:
    try:
        return Settings()
    except Exception:  # noqa: BLE001 - they may be the fault, and another one is being reported
        return None


def _keep(details: str, settings: Settings | None) -> Path | None:
    """Write a traceback into a new private file; return its path, or None if none can be made."""
    command = " ".join(sys.argv)
    head = f"{time.strftime('%F %T%z')} dubbing {version('dubbing')}, Python {sys.version}\n"
    for folder in _folders(settings):
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(prefix="error-", suffix=".log", dir=folder)
            try:
                with os.fdopen(number, "w", errors="backslashreplace") as file:
                    file.write(f"{head}{command}\n\n{details}")
                return Path(name)
            except OSError:
                Path(name).unlink()
    return None


def _folders(settings: Settings | None) -> Iterator[Path]:
    if settings:
        yield settings.logs
    with suppress(OSError):
        yield Path(tempfile.gettempdir())

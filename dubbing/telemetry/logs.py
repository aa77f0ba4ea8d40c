"""The destination and format of a process's log."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from dubbing import redis_url
from dubbing.errors import BadInput
from dubbing.settings import Settings
from dubbing.telemetry.lines import Lines
from dubbing.telemetry.masking import Mask

OURS = ("dubbing", "tasks", "workers")
MEGABYTE = 1 << 20
STANDARD_ERROR = 2
PRIVATE = 0o600
"""Mode of a log file; logs contain names of films and words of lines."""


def configure(settings: Settings, process: str) -> None:
    """Log messages of this project from the configured level on, and of libraries from WARNING on.

    process: name of the log file, which several processes may share.
    Raises BadInput when the file cannot be written.
    """
    handler = _handler(settings, process)
    handler.setFormatter(_formatter(settings))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level)


def _formatter(settings: Settings) -> logging.Formatter:
    """Return the formatter of the lines."""
    mask = Mask(_secrets(settings))
    if settings.log_format == "json":
        from dubbing.telemetry.json_lines import JsonLines  # noqa: PLC0415 - it takes long

        return JsonLines(mask)
    watched = settings.log_dir is None and os.isatty(STANDARD_ERROR)
    return Lines(mask=mask, coloured=watched and not os.environ.get("NO_COLOR"))


def _handler(settings: Settings, process: str) -> logging.Handler:
    """Return the handler of the lines: standard error, or a rotated file."""
    folder = settings.log_dir
    if folder is None:
        return logging.StreamHandler()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _rotated(folder / f"{process}.log", settings)
    except OSError as exc:
        raise BadInput(
            f"no log can be written there: {exc.strerror}", where=f"DUBBING_LOG_DIR={folder}"
        ) from exc


def _rotated(path: Path, settings: Settings) -> logging.Handler:
    """Return the handler of a rotated file that several processes may share; raises OSError."""
    from concurrent_log_handler import (
        ConcurrentRotatingFileHandler,
        ConcurrentTimedRotatingFileHandler,
    )

    # The handler would open the file only for the first line, and print an error to stderr.
    path.touch(mode=PRIVATE)
    size, kept = int(settings.log_mb * MEGABYTE), settings.log_files
    if hours := settings.log_hours:
        return ConcurrentTimedRotatingFileHandler(
            str(path), "h", hours, backupCount=kept, maxBytes=size, chmod=PRIVATE, encoding="utf-8"
        )
    return ConcurrentRotatingFileHandler(
        str(path), maxBytes=size, backupCount=kept, chmod=PRIVATE, encoding="utf-8"
    )


def _secrets(settings: Settings) -> Iterator[str]:
    """Yield the secrets among the settings."""
    for value in settings.model_dump().values():
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
    yield from redis_url.secrets(settings.redis_url)

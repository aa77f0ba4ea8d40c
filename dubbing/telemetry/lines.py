"""Log lines for people."""

from __future__ import annotations

import logging
from typing import Any

import click

from dubbing.telemetry.context import context
from dubbing.telemetry.masking import Mask
from dubbing.visible import visible

FORMAT = "%(asctime)s %(levelname)s %(processName)s %(name)s: %(message)s"
COLOURS = {"DEBUG": "cyan", "INFO": "green", "WARNING": "yellow", "ERROR": "red"}


class Lines(logging.Formatter):
    """Writes an event, its context, and below it the traceback, without control characters."""

    def __init__(
        self, form: str = FORMAT, mask: Mask | None = None, *, coloured: bool = False
    ) -> None:
        """Take the format of a line. coloured: whether to colour lines for a terminal."""
        super().__init__(form)
        self._mask = mask or Mask()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        """Return the event's lines, without secrets."""
        return self._mask(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the base class
        """Return the event's line."""
        line = visible(super().formatMessage(record))
        values = visible(" ".join(f"{name}={value}" for name, value in context().items()))
        if not self._coloured:
            return f"{line} [{values}]" if values else line
        level = record.levelname
        line = line.replace(level, click.style(level, fg=COLOURS.get(level, "red")), 1)
        return f"{line} {click.style(values, dim=True)}" if values else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 - of the base class
        """Return the traceback's lines."""
        return visible(super().formatException(ei), kept="\n")


def print_warnings() -> None:
    """Print warnings of a process without a log, such as a command, as plain text."""
    if logging.lastResort:
        logging.lastResort.setFormatter(Lines("warning: %(message)s"))

"""Logging: one line per event, to standard error, for people and for log collectors."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from dubbing.visible import visible

FORMAT = "%(asctime)s %(levelname)s %(processName)s %(name)s: %(message)s%(context)s"

_context: ContextVar[Mapping[str, object]] = ContextVar("context", default=MappingProxyType({}))


def configure(level: str) -> None:
    """Log this project's messages from ``level`` on, and those of libraries from WARNING on."""
    logging.basicConfig(level=logging.WARNING, force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Lines(FORMAT))
        handler.addFilter(_add_context)
    for name in ("dubbing", "tasks", "workers"):
        logging.getLogger(name).setLevel(level)


def configure_command() -> None:
    """Print warnings of a process that keeps no log, such as a command, as words alone."""
    if logging.lastResort:
        logging.lastResort.setFormatter(Lines("warning: %(message)s"))


class Lines(logging.Formatter):
    """Writes one line per event, and below it the traceback, without control characters."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the base class
        """Return the event's line."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - of the base class
        """Return the traceback's lines."""
        return visible(super().formatException(ei), kept="\n")


@contextmanager
def bound(**values: object) -> Iterator[None]:
    """Add ``name=value`` to every line that is logged in the block.

    A value of None adds nothing. A thread started in the block does so only if it runs in a copy of
    the context.
    """
    token = _context.set({**_context.get(), **values})
    try:
        yield
    finally:
        _context.reset(token)


def request_id() -> str | None:
    """Return the id of the request over HTTP that is bound here, or None."""
    found = _context.get().get("request")
    return found if isinstance(found, str) else None


def _add_context(record: logging.LogRecord) -> bool:
    """Add the bound values to a record; return True, as no record is dropped."""
    named = ((name, value) for name, value in _context.get().items() if value is not None)
    values = " ".join(f"{name}={value}" for name, value in named)
    record.context = f" [{values}]" if values else ""
    return True

"""Logging: one line an event, to standard error, for people and for collectors alike."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

FORMAT = "%(asctime)s %(levelname)s %(processName)s %(name)s: %(message)s%(context)s"

_context: ContextVar[Mapping[str, object]] = ContextVar("context", default=MappingProxyType({}))


def configure(level: str) -> None:
    """Log from ``level`` on; libraries from WARNING on."""
    logging.basicConfig(level=logging.WARNING, format=FORMAT, force=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_add_context)
    for name in ("dubbing", "tasks", "workers"):
        logging.getLogger(name).setLevel(level)


@contextmanager
def bound(**values: object) -> Iterator[None]:
    """Add ``name=value`` to every line that is logged in the block.

    A thread that the block starts logs without them, unless it runs in a copy of the context.
    """
    token = _context.set({**_context.get(), **values})
    try:
        yield
    finally:
        _context.reset(token)


def _add_context(record: logging.LogRecord) -> bool:
    """Give a record what is bound where it was logged; it is never held back."""
    values = " ".join(f"{name}={value}" for name, value in _context.get().items())
    record.context = f" [{values}]" if values else ""
    return True

"""The context of a process's current work: names and values for each of its log lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_context: ContextVar[Mapping[str, object]] = ContextVar("context", default=MappingProxyType({}))


@contextmanager
def bound(**values: object) -> Iterator[None]:
    """Add ``name=value`` to every line that is logged in the block.

    A value of None adds nothing. Lines of a thread that is started in the block get the values only
    if the thread runs in a copy of the context.
    """
    token = _context.set({**_context.get(), **values})
    try:
        yield
    finally:
        _context.reset(token)


def rebind(**values: object) -> None:
    """Add ``name=value`` to every line that is logged until the innermost `bound` block ends."""
    _context.set({**_context.get(), **values})


def context() -> dict[str, object]:
    """Return the bound names and values."""
    return {name: value for name, value in _context.get().items() if value is not None}


def request_id() -> str | None:
    """Return the bound id of the HTTP request, or None."""
    found = _context.get().get("request")
    return found if isinstance(found, str) else None

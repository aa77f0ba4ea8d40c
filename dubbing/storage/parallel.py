"""Concurrent calls: a bucket is far away, and answers many requests as quickly as one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

AT_ONCE = 32


def each(call: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Call ``call`` on all items; return the results in order, or raise the first error."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="each") as pool:
        return list(pool.map(call, items))


def in_order(
    call: Callable[[Item], Found], items: Iterable[Item], *, at_once: int
) -> Generator[Found, None, None]:
    """Yield the results in order, with so many calls under way; raise the first error.

    Each call runs in a copy of the context, so its log lines name what is bound here.
    """
    ahead: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(at_once, thread_name_prefix="in-order") as pool:
        try:
            for item in items:
                ahead.append(pool.submit(copy_context().run, call, item))
                if len(ahead) == at_once:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

"""Concurrent calls: storage is far away, and answers many requests as soon as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

AT_ONCE = 16


def each(call: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Call ``call`` on all items; return the results in order, or raise the first error."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="each") as pool:
        return list(pool.map(call, items))

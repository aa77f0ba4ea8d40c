"""Calls that are made at once: storage is far away, and answers many as soon as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

AT_ONCE = 16


def each(call: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Return what ``call`` returns for each item, in order; raises what the first one raised."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="each") as pool:
        return list(pool.map(call, items))

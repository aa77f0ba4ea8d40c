"""Sounds that callers fetch by name: the latest ones, as files in a temporary folder."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from pathlib import Path

from dubbing.errors import NotFound


class Shelf:
    """Files with unguessable names. For use by one thread."""

    def __init__(self, folder: Path, most: int) -> None:
        """Keep no file yet. most: the most files at a time."""
        self._folder = folder
        self._most = most
        self._kept: OrderedDict[str, Path] = OrderedDict()

    def keep(self, data: bytes, suffix: str) -> str:
        """Keep a file; return its name. If there are too many, remove the oldest."""
        name = f"{secrets.token_hex(16)}.{suffix}"
        path = self._folder / name
        path.write_bytes(data)
        self._kept[name] = path
        while len(self._kept) > self._most:
            _, oldest = self._kept.popitem(last=False)
            oldest.unlink()
        return name

    def get(self, name: str) -> bytes:
        """Return a file; raises NotFound for an unknown or removed one."""
        # No path is made of the name that a caller sends.
        if name not in self._kept:
            raise NotFound(f"there is no sound {name!r}, or no longer")
        return self._kept[name].read_bytes()

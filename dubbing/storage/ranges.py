"""An object of storage as a file that is read in place, so that little of a film is fetched."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from dubbing.errors import NotFound
from dubbing.storage.store import Storage

READ_AHEAD = 1 << 20
"""Least bytes of a call to a bucket."""


class _Ranges(io.RawIOBase):
    """Reads an object range by range."""

    def __init__(self, storage: Storage, key: str, size: int) -> None:
        self._storage, self._key, self._size, self._at = storage, key, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        length = min(len(buffer), self._size - self._at)
        if length <= 0:
            return 0
        data = self._storage.get_range(self._key, self._at, length)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def opened(storage: Storage, key: str) -> BinaryIO:
    """Return an object as a file for reading; raises NotFound. The caller closes it."""
    if path := storage.path(key):
        try:
            return path.open("rb")
        except FileNotFoundError as exc:
            raise NotFound(f"storage holds no {key!r}") from exc
    size = storage.size(key)
    if size is None:
        raise NotFound(f"storage holds no {key!r}")
    return cast(BinaryIO, io.BufferedReader(_Ranges(storage, key, size), READ_AHEAD))

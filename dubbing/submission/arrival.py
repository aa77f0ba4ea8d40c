"""A file that arrives piece by piece; its digest becomes its key in storage."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dubbing.errors import StorageUnavailable
from dubbing.media.disk import SPARE
from dubbing.media.scratch import scratch
from dubbing.storage import Keys, Storage
from dubbing.storage.holds import Shared, held

FULL = "there is no room for the file in the temporary folder: try again later"


class Arrival:
    """A partly received file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Begin empty. file: ``path``, open for writing without a buffer."""
        self.bytes = 0
        """Bytes received."""
        self._path = path
        self._file = file
        self._digest = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        """Add the next bytes; raises StorageUnavailable when they cannot be written."""
        try:
            written = self._file.write(piece)
        except OSError as exc:
            raise StorageUnavailable(FULL) from exc
        if written < len(piece):
            raise StorageUnavailable(FULL)
        self._digest.update(piece)
        self.bytes += len(piece)

    def store(self, storage: Storage) -> str:
        """Store the whole file as media, unless it is stored; return its key."""
        key = Keys.media(self._digest.hexdigest())
        if not storage.exists(key):
            storage.upload(key, self._path)
        return key

    @contextmanager
    def stored(self, storage: Storage, holder: str) -> Iterator[str]:
        """Store the whole file and yield its key, for the block to write into an upload.

        holder: the id of that upload.
        Raises Conflict while the same stored file is being deleted.
        """
        media = Shared.media(self._digest.hexdigest(), there=False)
        with held(storage, [media], holder):
            yield self.store(storage)


@contextmanager
def arriving(size: int = 0) -> Iterator[Arrival]:
    """Yield a temporary file to fill during the block; it is removed afterwards.

    size: expected bytes, 0 if unknown. Raises StorageUnavailable if the disk has too little room.
    """
    with scratch() as folder:
        if size and shutil.disk_usage(folder).free < size + SPARE:
            raise StorageUnavailable(FULL)
        path = folder / "file"
        with path.open("wb", buffering=0) as file:
            yield Arrival(path, file)

"""Temporary folders for large files, swept after the death of their process.

A living process holds a lock on its folder. So several workers, also in several containers, may
share a folder for temporary files.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dubbing.errors import FullDisk

log = logging.getLogger(__name__)

NEW, HELD = ".dubbing-new-", "dubbing-scratch-"
"""Beginnings of the names of folders that are not locked yet, and of those that are."""


@contextmanager
def scratch() -> Iterator[Path]:
    """Provide an empty folder during the block; it is removed afterwards, with all its files.

    Raises FullDisk when there is no space for it.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=NEW))
    except OSError as exc:
        if exc.errno != errno.ENOSPC:
            raise
        raise FullDisk(
            "no space is left for temporary files: make room, or set TMPDIR to a larger disk"
        ) from exc
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Without locks, as on some network file systems, nobody sweeps it.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder = folder.rename(folder.with_name(folder.name.replace(NEW, HELD, 1)))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep() -> None:
    """Remove the folders of this user's processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{HELD}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if os.fstat(descriptor).st_uid == os.getuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                log.info("%s is removed: its process was killed", folder)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            # Its process lives.
            continue
        finally:
            os.close(descriptor)

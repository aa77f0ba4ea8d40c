"""The home of the embedded stack: its folders, readable only by its user, and its lock."""

from __future__ import annotations

import fcntl
import os
from functools import partial
from pathlib import Path
from typing import IO

from dubbing.errors import BadInput
from dubbing.settings import Settings
from dubbing.storage.folder import hindrance

REMEDY = "set DUBBING_HOME to another folder"


def make_home(settings: Settings) -> None:
    """Make the home and its folder of logs; raises BadInput when they are not writable.

    An existing home keeps its permissions, because it may hold the user's other files.
    """
    for folder in (settings.home, settings.logs):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise _refused(folder, exc) from exc
        if why := hindrance(folder):
            raise _refused(folder, why)
    if settings.logs.stat().st_uid == os.getuid():
        settings.logs.chmod(0o700)


def open_private(path: Path) -> IO[bytes]:
    """Open a file for appending; a new file is readable only by its user.

    Raises BadInput when it cannot be opened, for example because another user owns it.
    """
    try:
        return open(path, "ab", opener=partial(os.open, mode=0o600))
    except OSError as exc:
        raise _refused(path, exc) from exc


def take_lock(home: Path) -> IO[bytes] | None:
    """Lock a home until the returned file is closed; None while another process has it locked.

    Raises BadInput if the file system has no locks, or the lock file cannot be opened.
    """
    file = open_private(home / "redis.lock")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except OSError as exc:
        file.close()
        raise BadInput(
            f"its file system cannot lock files, so two stacks could start there at once: {REMEDY} "
            f"on another disk, or DUBBING_REDIS_URL ({exc.strerror})",
            where=f"home {str(home)!r}",
        ) from exc
    return file


def _refused(path: Path, why: OSError) -> BadInput:
    return BadInput(f"nothing can be written there: {why.strerror}: {REMEDY}", where=str(path))

"""Folders on this machine: whether they can be written, and can hold a storage."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

from dubbing.errors import BadInput, StorageRefused

ELSEWHERE = "set DUBBING_STORAGE_URL to another folder or a bucket"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def hindrance(folder: Path) -> OSError | None:
    """Return why no file can be written into a folder, or None if one can.

    If the folder does not exist, its nearest existing parent is tried. Nothing is left behind, and
    no folder is made.
    """
    try:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"1")
    except OSError as exc:
        return exc
    return None


def _link_hindrance(folder: Path) -> OSError | None:
    """Return why the files of an existing folder cannot have hard links; None if they can.

    A file that is linked to its name appears whole or not at all, and never replaces another.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".check-", dir=folder) as name:
            file = Path(name) / "file"
            file.touch()
            os.link(file, file.with_name("link"))
    except OSError as exc:
        return exc
    return None


def make_folder(folder: Path, mode: int) -> None:
    """Make the folder of a storage unless it exists; raises StorageRefused.

    mode: its permissions, less the umask.
    """
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageRefused(
            f"the storage folder {folder} cannot be made: {exc.strerror}: {ELSEWHERE}"
        ) from exc


def check_folder(folder: Path) -> None:
    """Raise StorageRefused unless this process may keep a storage in an existing folder.

    A full disk is no refusal: there may be room again.
    """
    why = hindrance(folder)
    if why and why.errno not in FULL:
        raise StorageRefused(
            f"the storage folder {folder} cannot be written: {why.strerror}: let this user write "
            f"there, or {ELSEWHERE}"
        ) from why
    why = why or _link_hindrance(folder)
    if why and why.errno not in FULL:
        raise StorageRefused(
            f"the storage folder {folder} is on a file system without hard links ({why.strerror}), "
            f"where two writers could take the same name: {ELSEWHERE}"
        ) from why


def check_inside(folder: Path, key: str) -> None:
    """Raise BadInput for a key below ``folder`` whose symbolic links lead out of it."""
    if _holds_link(folder, key):
        real = Path(os.path.realpath(folder / key))
        if not real.is_relative_to(os.path.realpath(folder)):
            raise BadInput(
                f"a link in {folder} leads out of it: mount that folder here instead",
                where=repr(key),
            )


def _holds_link(folder: Path, key: str) -> bool:
    """Whether a part of the path of ``key`` below ``folder`` is a symbolic link."""
    path = str(folder)
    for part in key.rstrip("/").split("/"):
        path = f"{path}/{part}"
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            # Nothing is there, and so nothing below it.
            return False
        if stat.S_ISLNK(mode):
            return True
    return False

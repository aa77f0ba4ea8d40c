"""Free disk space, checked before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from dubbing.errors import MediaError

GB = 10**9
SPARE = 256 << 20
"""Bytes of each disk that stay free."""


def check_space(needed: Mapping[Path, int], *, stored: Path | None = None) -> None:
    """Raise MediaError unless the disks have room for the files to be written.

    needed: bytes to be written, by existing folder; several folders may be on one disk.
    stored: the folder that is the storage; the others are temporary.
    """
    for folder in needed:
        device = folder.stat().st_dev
        total = sum(n for other, n in needed.items() if other.stat().st_dev == device) + SPARE
        free = shutil.disk_usage(folder).free
        if free < total:
            remedy = " in this storage" if folder == stored else ", or set TMPDIR to a larger disk"
            raise MediaError(
                f"assembly needs {total / GB:.1f} GB in {folder}, where {free / GB:.1f} GB are "
                f"free: make room{remedy}"
            )

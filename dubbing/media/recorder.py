"""A track kept in a raw file between two passes, with the power of each tenth of a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np

from dubbing.errors import MediaError
from dubbing.media.loudness import Powers, powers
from dubbing.media.probe import RATE, read_blocks
from dubbing.media.samples import Samples


class Recorder:
    """Writes a track to a raw float32 file and measures it on the way.

    Raises MediaError when the disk is full.
    """

    def __init__(self, path: Path, *, channels: int) -> None:
        self._path = path
        self._channels = channels
        self._file = path.open("wb")
        self._powers: list[Powers] = []

    def __enter__(self) -> Self:
        return self

    def write(self, block: Samples) -> None:
        """Append a block of float32 ``(frames, channels)`` at 48 kHz.

        Every block but the last is of whole tenths of a second.
        """
        try:
            self._file.write(block.tobytes())
            self._file.flush()
        except OSError as exc:
            raise MediaError(
                f"{self._path.name}: {exc.strerror}: make room for temporary files where films "
                "are assembled, or set TMPDIR there"
            ) from exc
        self._powers.append(powers(block, RATE))

    @property
    def powers(self) -> Powers:
        """The power of each whole tenth of a second, as in `media.loudness`."""
        return np.concatenate([np.zeros(0, np.float32), *self._powers])

    def read(self, frames: int) -> Iterator[Samples]:
        """Yield the track in blocks of ``(frames, channels)``, the last one shorter."""
        with self._path.open("rb") as file:
            yield from read_blocks(file, self._channels, frames)

    def __exit__(self, *_: object) -> None:
        # A block that was not written was told of by `write`; it would fail here again.
        with suppress(OSError):
            self._file.close()

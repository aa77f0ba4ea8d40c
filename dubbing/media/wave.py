"""Broadcast Wave: sound that knows at what time of day it begins (EBU Tech 3285).

The samples are floats of 32 bits: a stem may be louder than full scale where the limiter lowers
the programme, and clipped stems would not add up to it. Files over 4 GB become RF64, which studios
read as they read WAV.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np

from dubbing.media.probe import RATE
from dubbing.media.samples import Samples

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
LONGEST_DESCRIPTION = 256
"""Characters, of ASCII."""


class Wave:
    """Writes one file, a block at a time; an error in the block leaves no file behind."""

    def __init__(self, path: Path, *, channels: int, description: str, start: int = 0) -> None:
        """Open the file. channels: 1, 2 or 6. start: its first frame, counted from midnight."""
        import av  # noqa: PLC0415 (loads slowly)

        self._path = path
        self._layout = LAYOUTS[channels]
        self._stack = ExitStack()
        options = {"write_bext": "1", "rf64": "auto"}
        self._file = self._stack.enter_context(av.open(path, "w", format="wav", options=options))
        plain = description.encode("ascii", "replace").decode()[:LONGEST_DESCRIPTION]
        self._file.metadata.update(
            time_reference=str(start), description=plain, originator="dubbing"
        )
        self._stream = self._file.add_stream("pcm_f32le", rate=RATE, layout=self._layout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._stack:
            if kind is None:
                self._file.mux(self._stream.encode(None))
        if kind is not None:
            self._path.unlink(missing_ok=True)

    def write(self, block: Samples) -> None:
        """Append a block, float32 ``(frames, channels)`` at 48 kHz."""
        import av  # noqa: PLC0415 (loads slowly)

        packed = np.ascontiguousarray(block.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=self._layout)
        frame.sample_rate = RATE
        self._file.mux(self._stream.encode(frame))

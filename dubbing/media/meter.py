"""A track on its way into ffmpeg: fed and measured.

Each ffmpeg process is fed by its own thread, so an encoder and a meter run in parallel with each
other and with the computation of the next block. Filters and encoders inside one ffmpeg hardly do.
"""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Self

import numpy as np

from dubbing.errors import MediaError
from dubbing.media.ffmpeg import FFmpeg
from dubbing.media.loudness import BLOCK, TENTHS, Powers, power
from dubbing.media.probe import LAYOUTS, RATE

FINISH_SECONDS = 1800.0
"""Seconds that ffmpeg may take after the last block, to copy the rest of the film and to move the
index to the front."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A meter's reading of a track."""

    integrated: float
    """LUFS by BS.1770; -70 for silence, and for less than 0.4 s."""
    true_peak: float
    """dBTP; -inf for digital silence."""
    blocks: Powers
    """Power of each gating block of 0.4 s; one starts every tenth of a second."""


class Feed:
    """An ffmpeg process that reads a track from its stdin."""

    def __init__(
        self,
        name: str,
        channels: int,
        arguments: Sequence[str],
        *,
        stdout: IO[bytes] | int = subprocess.DEVNULL,
    ) -> None:
        raw = ["-f", "f32le", "-ar", str(RATE), "-channel_layout", LAYOUTS[channels]]
        self._name = name
        self._ffmpeg = FFmpeg(
            [*raw, "-i", "pipe:0", *arguments], stdin=subprocess.PIPE, stdout=stdout
        )
        self._writer = ThreadPoolExecutor(1)
        self._pending: Future[int] | None = None

    def __enter__(self) -> Self:
        return self

    def write(self, data: bytes) -> None:
        """Hand over ``data``; wait until the data before it is written."""
        self._settle()
        self._pending = self._writer.submit(self._ffmpeg.stdin.write, data)

    def end(self) -> None:
        """Close the stdin of ffmpeg: there is no more data."""
        self._settle()
        try:
            self._ffmpeg.stdin.close()
        except BrokenPipeError:
            self._fail()

    def finish(self) -> None:
        """Wait for ffmpeg to finish; raises MediaError when it failed."""
        self._ffmpeg.finish(self._name, timeout=FINISH_SECONDS)

    def __exit__(self, *exc: object) -> None:
        self._ffmpeg.kill()
        self._writer.shutdown()
        self._ffmpeg.__exit__(*exc)

    def _settle(self) -> None:
        if self._pending:
            try:
                self._pending.result()
            except BrokenPipeError:
                self._fail()

    def _fail(self) -> None:
        self.finish()
        raise MediaError(f"{self._name}: ffmpeg ended before the track did") from None


class Meter(Feed):
    """Measures a track by BS.1770: `write` blocks of float32, and read it after `finish`."""

    def __init__(self, channels: int) -> None:
        self._lines = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        # Whole tenths of a second, so that the peak of the last frames is measured too.
        chain = f"asetnsamples={RATE // TENTHS},ebur128=metadata=1:peak=true"
        prints = "ametadata=print:file=-"
        super().__init__(
            "the track",
            channels,
            ["-af", f"{chain},{prints}", "-f", "null", "-"],
            stdout=self._lines,
        )

    def loudness(self) -> Measured:
        """Return the measurement; ffmpeg prints one every tenth of a second."""
        self._lines.seek(0)
        blocks = []
        last: dict[bytes, bytes] = {}
        for line in self._lines:
            name, _, value = line.partition(b"=")
            last[name] = value
            if name == b"lavfi.r128.M":
                blocks.append(power(float(value)))
        peak = float(last.get(b"lavfi.r128.true_peak", 0.0))
        return Measured(
            integrated=float(last.get(b"lavfi.r128.I", -70.0)),
            true_peak=20 * math.log10(peak) if peak else -math.inf,
            # The first blocks end before they are whole.
            blocks=np.array(blocks[BLOCK - 1 :], np.float32),
        )

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        self._lines.close()

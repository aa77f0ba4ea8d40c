"""A track on its way into ffmpeg: fed, measured and recorded.

Each ffmpeg process is fed by its own thread, so an encoder and a meter run in parallel with each
other and with the computation of the next block. Filters and encoders inside one ffmpeg hardly do.
"""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from dubbing.errors import MediaError
from dubbing.media.ffmpeg import FFmpeg
from dubbing.media.probe import LAYOUTS, RATE, read_blocks
from dubbing.media.samples import Samples

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ffmpeg.kill()
        self._writer.shutdown()
        self._ffmpeg.__exit__(kind, error, trace)

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

    def __init__(self, channels: int, *, peak: bool) -> None:
        self._lines = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        # Whole tenths of a second, so that the peak of the last frames is measured too.
        whole = f"asetnsamples={RATE // 10}"
        measure = f"ebur128=metadata=1:peak={'true' if peak else 'none'}"
        chain = f"{whole},{measure},ametadata=print:file=-"
        super().__init__(
            "the track", channels, ["-af", chain, "-f", "null", "-"], stdout=self._lines
        )

    def loudness(self) -> Measured:
        """Return the last measurement; ffmpeg prints one every tenth of a second."""
        end = self._lines.seek(0, 2)
        self._lines.seek(max(0, end - 4000))
        lines = self._lines.read().decode().splitlines()
        last = dict(line.split("=", 1) for line in lines if line.startswith("lavfi.r128."))
        peak = float(last.get("lavfi.r128.true_peak", 0.0))
        return Measured(
            integrated=float(last.get("lavfi.r128.I", -70.0)),
            true_peak=20 * math.log10(peak) if peak else -math.inf,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._lines.close()


class Recorder:
    """Writes a track to a raw float32 file and measures it on the way.

    After the ``with`` block, ``integrated`` is the loudness in LUFS, -70 for silence. Raises
    MediaError when the disk is full.
    """

    integrated: float

    def __init__(self, path: Path, *, channels: int) -> None:
        self._path = path
        self._file = path.open("wb")
        self._meter = Meter(channels, peak=False)

    def __enter__(self) -> Self:
        return self

    def write(self, block: Samples) -> None:
        """Append a block of float32 ``(frames, channels)`` at 48 kHz."""
        data = block.tobytes()
        self._meter.write(data)
        try:
            self._file.write(data)
        except OSError as exc:
            raise MediaError(f"{self._path.name}: {exc.strerror}") from exc

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file, self._meter:
            if error is None:
                self._meter.end()
                self._meter.finish()
                self.integrated = self._meter.loudness().integrated


def read_raw(path: Path, channels: int, frames: int) -> Iterator[Samples]:
    """Yield a `Recorder`'s file in blocks of ``(frames, channels)``, the last one shorter."""
    with path.open("rb") as file:
        yield from read_blocks(file, channels, frames)

"""Mastering to a loudness profile: the gain of the speech, and the true-peak limiter.

The first pass over a programme observes its speech (``Levels``) while the loudness is measured;
``gain`` computes the gain of the speech; the second pass applies the limiter (``limit``) to the mix
on the way into the encoders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dubbing.assembly.attenuation import Decibels, released, widest
from dubbing.assembly.profiles import Profile
from dubbing.media.probe import RATE
from dubbing.media.samples import Samples

LOOKAHEAD = RATE // 200
"""Frames in which the limiter goes down before a peak: 5 ms."""
RELEASE = 60.0 / RATE
"""Decibels per frame by which the limiter recovers: 6 dB in 100 ms."""
MARGIN = 0.1
"""Decibels kept below the ceiling, for peaks that four points a sample miss."""
SUSPECT = 0.5
"""Share of the ceiling: a sample peak below it cannot hide a true peak above the ceiling."""
CHUNK = 1024
"""Frames that are searched together for suspect samples."""
OVERSAMPLING = 4
TAPS = 24
"""Frames that each oversampled value depends on."""
STEP = RATE // 100
"""Frames that ``Levels`` summarizes as one: 10 ms."""
MOST_MAKEUP = 6.0
"""Most decibels that are added to make up for the loss in the limiter."""

# Positions of the oversampled values, relative to the frames around them.
_DISTANCES = np.arange(TAPS)[:, None] - (TAPS // 2 - 1) - np.arange(1, OVERSAMPLING) / OVERSAMPLING
_BETWEEN = (
    np.sinc(_DISTANCES) * np.i0(6.0 * np.sqrt(1 - (2 * _DISTANCES / TAPS) ** 2)) / np.i0(6.0)
).astype(np.float32)


class Levels:
    """Peak and power of a sound every 10 ms, from which the effect of a limiter is predicted."""

    def __init__(self) -> None:
        self._peaks: list[Samples] = []
        self._powers: list[Samples] = []

    def observe(self, block: Samples) -> None:
        """Take in a block, float32 ``(n, channels)``, of whole steps unless it is the last."""
        whole = len(block) // STEP * STEP
        for part in (
            block[:whole].reshape(-1, STEP * block.shape[1]),
            block[whole:].reshape(1, -1),
        ):
            if part.size:
                self._peaks.append(np.maximum(part.max(axis=1), -part.min(axis=1)))
                self._powers.append(np.einsum("ij,ij->i", part, part) / STEP)

    def loss(self, gain: float, ceiling: float) -> float:
        """Estimate the decibels of loudness that the limiter takes away after ``gain`` dB."""
        if not self._peaks:
            return 0.0
        peaks, powers = np.concatenate(self._peaks), np.concatenate(self._powers)
        with np.errstate(divide="ignore"):
            over = 20 * np.log10(peaks) + gain - ceiling
        taken = released(widest(np.maximum(over, 0), 1), RELEASE * STEP, 0.0)
        counted = powers > powers.mean() / 10
        power = powers[counted].astype(np.float64)
        if not power.any():
            return 0.0
        return float(-10 * np.log10((power * 10 ** (-taken[counted] / 10)).sum() / power.sum()))


def gain(profile: Profile, loudness: float, levels: Levels) -> float:
    """Return the decibels that bring speech of ``loudness`` LUFS to the profile.

    The expected loss in the limiter is added, up to ``MOST_MAKEUP``.
    """
    plain = profile.loudness - loudness
    makeup = 0.0
    for _ in range(8):
        makeup = min(levels.loss(plain + makeup, profile.ceiling), MOST_MAKEUP)
    return plain + makeup


def limit(blocks: Iterable[Samples], ceiling: float) -> Iterator[Samples]:
    """Yield ``blocks`` with no true peak above ``ceiling`` dBTP.

    blocks: float32 ``(n, channels)``. Yields as many frames, in blocks of other lengths.
    """
    limiter: Limiter | None = None
    for block in blocks:
        limiter = limiter or Limiter(block.shape[1], ceiling)
        yield limiter.process(block)
    if limiter:
        yield limiter.flush()


class Limiter:
    """A look-ahead limiter of linked channels that keeps its state from block to block.

    The attenuation at a frame is the largest that any frame within ``LOOKAHEAD`` needs; it is
    released slowly, then averaged over the look-ahead. Every value in that average is at least what
    the frame needs, so the average is too, and the ceiling holds.
    """

    CONTEXT = 2 * LOOKAHEAD + TAPS
    """Frames on each side of a frame that determine its attenuation."""

    def __init__(self, channels: int, ceiling: float) -> None:
        self._ceiling = np.float32(10 ** ((ceiling - MARGIN) / 20))
        self._kept = np.zeros((self.CONTEXT, channels), np.float32)
        """Frames that were returned, followed by frames that are still held back."""
        self._held = 0.0
        """Attenuation in dB at the frame before the next one to be computed."""

    def process(self, block: Samples) -> Samples:
        """Take in a block; return the finished frames, ``CONTEXT`` frames behind the input."""
        return self._run(np.concatenate([self._kept, block]))

    def flush(self) -> Samples:
        """Return the frames that are still held back."""
        silence = np.zeros((self.CONTEXT, self._kept.shape[1]), np.float32)
        return self._run(np.concatenate([self._kept, silence]))

    def _run(self, frames: Samples) -> Samples:
        """Return the frames that have their context on both sides, and keep the rest."""
        first, last = self.CONTEXT, len(frames) - self.CONTEXT
        if last <= first:
            self._kept = frames
            return frames[:0]
        needed = self._needed(frames)
        limited = frames[first:last]
        if self._held > 0 or needed.any():
            limited = limited * self._factors(needed, last)[:, None]
        self._kept = frames[last - self.CONTEXT :]
        return limited

    def _factors(self, needed: Decibels, last: int) -> Samples:
        """Return the linear gain of the frames from ``CONTEXT`` to ``last``."""
        # The average spans LOOKAHEAD frames on both sides, so the release starts that much earlier.
        first = self.CONTEXT - LOOKAHEAD
        most = widest(needed, LOOKAHEAD)
        held = released(most[first : last + LOOKAHEAD], RELEASE, self._held)
        self._held = float(held[last - self.CONTEXT - 1])
        smooth = _means(_means(held, LOOKAHEAD + 1), LOOKAHEAD + 1)
        factors: Samples = np.exp(smooth * np.float32(-np.log(10) / 20))
        return factors

    def _needed(self, frames: Samples) -> Decibels:
        """Return the attenuation in dB that each frame needs by itself; mostly zero."""
        needed = np.zeros(len(frames), np.float32)
        starts = np.arange(0, len(frames), CHUNK)
        # All channels of a chunk at once, which is faster than frame by frame.
        peaks = np.maximum.reduceat(np.abs(frames).ravel(), starts * frames.shape[1])
        for start in starts[peaks > self._ceiling * SUSPECT]:
            stop = min(start + CHUNK, len(frames))
            true = _true_peaks(frames, int(start), int(stop))
            needed[start:stop] = 20 * np.log10(np.maximum(true / self._ceiling, 1))
        return needed


def _true_peaks(frames: Samples, start: int, stop: int) -> Samples:
    """Return the largest magnitude from each frame up to the next one, over all channels."""
    before, after = TAPS // 2 - 1, TAPS // 2
    near = np.pad(
        frames[max(0, start - before) : stop + after],
        ((max(0, before - start), max(0, stop + after - len(frames))), (0, 0)),
    )
    windows = np.ascontiguousarray(sliding_window_view(near, TAPS, axis=0))
    between = np.abs(windows @ _BETWEEN).max(axis=(1, 2))
    peaks: Samples = np.maximum(between, np.abs(frames[start:stop]).max(axis=1))
    return peaks


def _means(attenuation: Decibels, width: int) -> Decibels:
    """Return the mean of each ``width`` neighbouring values, ``width - 1`` fewer than there are."""
    sums = np.cumsum(np.concatenate([[0.0], attenuation]))
    means: Decibels = ((sums[width:] - sums[:-width]) / width).astype(np.float32)
    return means

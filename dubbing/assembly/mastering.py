"""Loudness to a named profile: how much gain a programme gets, and the true-peak limiter.

The first pass over a programme observes it (``Levels``) while its loudness is measured; ``gain``
decides; the second pass applies gain and limiter (``master``) on the way into the encoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from dubbing.media.probe import RATE
from dubbing.media.samples import Samples

SILENCE = -70.0
"""LUFS at and below which a programme is silent: BS.1770's absolute gate."""

LOOKAHEAD = RATE // 200
"""Frames within which the limiter goes down before a peak: 5 ms."""
RELEASE = 60.0 / RATE
"""Decibels a frame by which the limiter comes up again: 6 dB in 100 ms."""
MARGIN = 0.1
"""Decibels kept below the ceiling, for what four points a sample do not see."""
SUSPECT = 0.5
"""Share of the ceiling below which a sample peak cannot hide a true peak above it."""
CHUNK = 1024
"""Frames that are looked at together for suspect samples."""
OVERSAMPLING = 4
TAPS = 24
"""Frames that each oversampled value depends on."""
STEP = RATE // 100
"""Frames that ``Levels`` sums up as one: 10 ms."""
MOST_MAKEUP = 6.0
"""Decibels that are given at most to make up for what the limiter takes."""

# Where the oversampled values lie, as seen from the frames around them.
_DISTANCES = np.arange(TAPS)[:, None] - (TAPS // 2 - 1) - np.arange(1, OVERSAMPLING) / OVERSAMPLING
_BETWEEN = (
    np.sinc(_DISTANCES) * np.i0(6.0 * np.sqrt(1 - (2 * _DISTANCES / TAPS) ** 2)) / np.i0(6.0)
).astype(np.float32)

Decibels = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a programme is mastered to."""

    loudness: float
    """LUFS, integrated."""
    ceiling: float
    """dBTP."""


PROFILES = {
    "ebu-r128": Profile(loudness=-23.0, ceiling=-1.0),
    "streaming": Profile(loudness=-16.0, ceiling=-1.0),
    "netflix": Profile(loudness=-27.0, ceiling=-2.0),
}


class Levels:
    """Peak and power of a programme, every 10 ms: enough to foresee what a limiter does to it."""

    def __init__(self) -> None:
        self._peaks: list[Samples] = []
        self._powers: list[Samples] = []

    def observe(self, block: Samples) -> None:
        """Take in a block, float32 ``(n, channels)``; all but the last a whole number of steps."""
        whole = len(block) // STEP * STEP
        for part in (
            block[:whole].reshape(-1, STEP * block.shape[1]),
            block[whole:].reshape(1, -1),
        ):
            if part.size:
                self._peaks.append(np.maximum(part.max(axis=1), -part.min(axis=1)))
                self._powers.append(np.einsum("ij,ij->i", part, part) / STEP)

    def loss(self, gain: float, ceiling: float) -> float:
        """Estimate the decibels of loudness that limiting takes away after ``gain`` dB."""
        if not self._peaks:
            return 0.0
        peaks, powers = np.concatenate(self._peaks), np.concatenate(self._powers)
        with np.errstate(divide="ignore"):
            over = 20 * np.log10(peaks) + gain - ceiling
        taken = _release(maximum_filter1d(np.maximum(over, 0), 3), RELEASE * STEP, 0.0)
        counted = powers > powers.mean() / 10
        power = powers[counted].astype(np.float64)
        if not power.any():
            return 0.0
        return float(-10 * np.log10((power * 10 ** (-taken[counted] / 10)).sum() / power.sum()))


def gain(profile: Profile, loudness: float, levels: Levels) -> float:
    """Return the decibels that bring a programme of ``loudness`` LUFS to the profile.

    What the limiter will take away is added, up to ``MOST_MAKEUP``; a silent programme gets none.
    """
    if not loudness > SILENCE:
        return 0.0
    plain = profile.loudness - loudness
    makeup = 0.0
    for _ in range(8):
        makeup = min(levels.loss(plain + makeup, profile.ceiling), MOST_MAKEUP)
    return plain + makeup


def master(blocks: Iterable[Samples], decibels: float, ceiling: float) -> Iterator[Samples]:
    """Yield ``blocks`` with ``decibels`` of gain, no true peak above ``ceiling`` dBTP.

    blocks: float32 ``(n, channels)``. Yields as many frames in all, in blocks of other lengths.
    """
    limiter: Limiter | None = None
    factor = np.float32(10 ** (decibels / 20))
    for block in blocks:
        limiter = limiter or Limiter(block.shape[1], ceiling)
        yield limiter.process(block * factor)
    if limiter:
        yield limiter.flush()


class Limiter:
    """A look-ahead limiter of linked channels that keeps its state from block to block.

    The attenuation is the largest that any frame within ``LOOKAHEAD`` needs, comes up slowly
    after it, and is then averaged over the look-ahead. An average of values that are each at
    least what a frame needs is at least what it needs: so the ceiling holds.
    """

    CONTEXT = 2 * LOOKAHEAD + TAPS
    """Frames on each side of a frame that its attenuation depends on."""

    def __init__(self, channels: int, ceiling: float) -> None:
        self._ceiling = np.float32(10 ** ((ceiling - MARGIN) / 20))
        self._kept = np.zeros((self.CONTEXT, channels), np.float32)
        """Frames already given out, then those still waited for."""
        self._held = 0.0
        """Attenuation in dB at the frame before the first one that is worked out next."""

    def process(self, block: Samples) -> Samples:
        """Take in a block and return what can be given out, ``CONTEXT`` frames late at first."""
        return self._run(np.concatenate([self._kept, block]))

    def flush(self) -> Samples:
        """Return the frames still waited for."""
        silence = np.zeros((self.CONTEXT, self._kept.shape[1]), np.float32)
        return self._run(np.concatenate([self._kept, silence]))

    def _run(self, frames: Samples) -> Samples:
        """Give out the frames that have their context on both sides."""
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
        # The average at a frame looks LOOKAHEAD to both sides, so the release starts that early.
        first = self.CONTEXT - LOOKAHEAD
        widest = maximum_filter1d(needed, 2 * LOOKAHEAD + 1, mode="nearest")
        held = _release(widest[first : last + LOOKAHEAD], RELEASE, self._held)
        self._held = float(held[last - self.CONTEXT - 1])
        smooth = uniform_filter1d(uniform_filter1d(held, LOOKAHEAD + 1), LOOKAHEAD + 1)
        factors: Samples = np.exp(smooth[LOOKAHEAD:-LOOKAHEAD] * np.float32(-np.log(10) / 20))
        return factors

    def _needed(self, frames: Samples) -> Decibels:
        """Return the attenuation in dB that each frame needs by itself; mostly zero."""
        needed = np.zeros(len(frames), np.float32)
        starts = np.arange(0, len(frames), CHUNK)
        # Over all channels at once: many times faster than frame by frame.
        peaks = np.maximum.reduceat(np.abs(frames).ravel(), starts * frames.shape[1])
        for start in starts[peaks > self._ceiling * SUSPECT]:
            stop = min(start + CHUNK, len(frames))
            true = _true_peaks(frames, int(start), int(stop))
            needed[start:stop] = 20 * np.log10(np.maximum(true / self._ceiling, 1))
        return needed


def _true_peaks(frames: Samples, start: int, stop: int) -> Samples:
    """Return the largest magnitude in each frame and up to the next one, over all channels."""
    before, after = TAPS // 2 - 1, TAPS // 2
    near = np.pad(
        frames[max(0, start - before) : stop + after],
        ((max(0, before - start), max(0, stop + after - len(frames))), (0, 0)),
    )
    windows = np.ascontiguousarray(sliding_window_view(near, TAPS, axis=0))
    between = np.abs(windows @ _BETWEEN).max(axis=(1, 2))
    peaks: Samples = np.maximum(between, np.abs(frames[start:stop]).max(axis=1))
    return peaks


def _release(attenuation: Decibels, slope: float, held: float) -> Decibels:
    """Let ``attenuation`` fall by at most ``slope`` dB a value, from ``held`` before the first."""
    ramp = np.arange(1, len(attenuation) + 1, dtype=np.float64) * slope
    return (np.maximum(np.maximum.accumulate(attenuation + ramp), held) - ramp).astype(np.float32)

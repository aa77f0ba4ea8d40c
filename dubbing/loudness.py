"""The loudness of a line by itself, as in ITU-R BS.1770-4.

It is measured thousands of times a film beside the mix, so the weighting is one FFT: it lets other
threads work, and spares a process that must stay small the import of ``scipy.signal``. Whole
programmes are measured by ``meter``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from dubbing.audio import Samples

BLOCK, STEP = 0.4, 0.1
"""Seconds of a gating block, and from one to the next."""
ABSOLUTE_GATE = -70.0
"""LUFS."""
RELATIVE_GATE = -10.0
"""LU below the blocks that pass the absolute gate."""
OFFSET = -0.691
RINGING = 0.1
"""Seconds after which the weighting's own response has died away."""

# The standard's two filters at 48 kHz: numerator and denominator, in powers of 1/z.
_STANDARD_RATE = 48_000
_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


def integrated(samples: Samples, rate: int) -> float | None:
    """Return the LUFS of a mono line; None when it is under 0.4 s or silent."""
    block, step = round(BLOCK * rate), round(STEP * rate)
    if len(samples) < block:
        return None
    energy = np.concatenate([[0.0], np.cumsum(np.square(_weighted(samples, rate), dtype=float))])
    starts = np.arange(0, len(samples) - block + 1, step)
    powers = (energy[starts + block] - energy[starts]) / block
    powers = powers[powers > _power(ABSOLUTE_GATE)]
    if not powers.size:
        return None
    powers = powers[powers > powers.mean() * 10 ** (RELATIVE_GATE / 10)]
    return float(OFFSET + 10 * np.log10(powers.mean()))


def _weighted(samples: Samples, rate: int) -> Samples:
    """Return ``samples`` through the standard's K-weighting."""
    size = 1 << (len(samples) + round(RINGING * rate) - 1).bit_length()
    padded = np.zeros(size, np.float32)
    padded[: len(samples)] = samples
    spectrum = np.fft.rfft(padded) * _response(size, rate)
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32, copy=False)


@cache
def _response(size: int, rate: int) -> npt.NDArray[np.complex64]:
    """Return the weighting at each frequency of an FFT of ``size`` at ``rate`` Hz."""
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(size, 1 / rate) / _STANDARD_RATE)
    response = np.ones(len(delay), complex)
    for numerator, denominator in (_SHELF, _HIGH_PASS):
        response *= np.polyval(numerator[::-1], delay) / np.polyval(denominator[::-1], delay)
    return response.astype(np.complex64)


def _power(loudness: float) -> float:
    return float(10 ** ((loudness - OFFSET) / 10))

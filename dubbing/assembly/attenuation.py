"""Curves of attenuation in dB: how far they reach, and how fast they fall.

These are a few lines here, as an import of ``scipy.ndimage`` would be a third of the start of a
process of assembly.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Decibels = npt.NDArray[np.float32]


def widest(attenuation: Decibels, reach: int) -> Decibels:
    """Return the largest of the values within ``reach`` of each; none is negative.

    Each window is the end of one block and the start of the next (van Herk 1992), so the cost does
    not grow with ``reach``.
    """
    count, width = len(attenuation), 2 * reach + 1
    blocks = np.pad(attenuation, (reach, reach + -(count + 2 * reach) % width)).reshape(-1, width)
    starts = np.maximum.accumulate(blocks, axis=1).ravel()
    ends = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    largest: Decibels = np.maximum(ends[:count], starts[width - 1 :][:count])
    return largest


def released(attenuation: Decibels, slope: float, held: float) -> Decibels:
    """Let ``attenuation`` fall by at most ``slope`` dB per value, starting from ``held``."""
    ramp = np.arange(1, len(attenuation) + 1, dtype=np.float64) * slope
    return (np.maximum(np.maximum.accumulate(attenuation + ramp), held) - ramp).astype(np.float32)

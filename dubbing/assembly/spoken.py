"""The times of speech in a programme, in the tenths of a second of the loudness measurement."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from dubbing.media.loudness import BLOCK, TENTHS, Powers, gated
from dubbing.media.probe import RATE

TENTH = RATE // TENTHS
"""Frames in a tenth."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class SpokenLine:
    """The place and loudness of a line in the speech."""

    start: float
    """Seconds from the first frame."""
    end: float
    loudness: float | None = None
    """LUFS before any gain; None for a line that is too short to be measured."""


def whole_tenths(frames: int) -> int:
    """Return the number of tenths for ``frames`` frames, at least those of a gating block."""
    return max(-(-frames // TENTH), BLOCK)


def touched(start: float, end: float) -> slice:
    """Return the tenths that a span of seconds touches."""
    return slice(int(start * TENTHS), math.ceil(end * TENTHS))


def speaking(lines: Iterable[SpokenLine], frames: int) -> Mask:
    """Return for each gating block of a programme whether somebody speaks for at least half of it.

    So half of the blocks at the edges of lines count. With all of them, short lines would be louder
    than the profile; with none of them, a programme of speech alone would be too quiet.
    """
    sounding = np.zeros(whole_tenths(frames), bool)
    for line in lines:
        sounding[touched(line.start, line.end)] = True
    return np.asarray(sliding_window_view(sounding, BLOCK).sum(axis=1) >= BLOCK / 2)


def speech_loudness(blocks: Powers, spoken: Mask) -> float | None:
    """Return the LUFS of the gating blocks in which somebody speaks; None without any."""
    count = min(len(blocks), len(spoken))
    return gated(blocks[:count][spoken[:count]])

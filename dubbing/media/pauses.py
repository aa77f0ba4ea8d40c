"""Pauses inside a line: where they are, and the same speech with less of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dubbing.job.fit import SHORTEST_PAUSE
from dubbing.media.samples import Audio, Samples

WINDOW = 0.01
"""Seconds over which a level is measured."""
QUIET_DB = 42.0
"""A window this far below the loudest one is quiet; most weak fricatives and breaths are louder."""
FADE = 0.01
"""Seconds of the crossfade at a cut."""


def find_pauses(audio: Audio) -> tuple[tuple[float, float], ...]:
    """Return the start and end, in seconds, of each pause inside ``audio``."""
    size = round(WINDOW * audio.rate)
    windows = audio.samples[: len(audio.samples) // size * size].reshape(-1, size)
    power = np.einsum("ij,ij->i", windows, windows)
    if not power.size:
        return ()
    loud = np.flatnonzero(power > power.max() * 10 ** (-QUIET_DB / 10))
    gaps = np.flatnonzero((np.diff(loud) - 1) * WINDOW > SHORTEST_PAUSE)
    return tuple(
        (round(int(loud[gap] + 1) * WINDOW, 3), round(int(loud[gap + 1]) * WINDOW, 3))
        for gap in gaps
    )


def without(audio: Audio, cuts: Sequence[tuple[float, float]]) -> Audio:
    """Return ``audio`` without ``cuts``, which end in pauses at least ``FADE`` before speech.

    cuts: start and end of each in seconds, in order.
    The two sides of a cut are crossfaded at equal power, so that room tone goes on as loud.
    """
    if not cuts:
        return audio
    fade = round(FADE * audio.rate)
    rising = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    kept: list[Samples] = []
    begin = 0
    for start, end in cuts:
        left, right = round(start * audio.rate), round(end * audio.rate)
        crossed = audio.samples[left : left + fade] * rising[::-1]
        kept += [audio.samples[begin:left], crossed + audio.samples[right : right + fade] * rising]
        begin = right + fade
    return Audio(samples=np.concatenate([*kept, audio.samples[begin:]]), rate=audio.rate)

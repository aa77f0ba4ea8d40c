"""Pauses inside a line and the decay at its end: found, and taken out as far as a line needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dubbing.media.samples import Audio, Samples

WINDOW = 0.01
"""Seconds over which a level is measured."""
QUIET_DB = 42.0
"""A window this far below the loudest one is quiet; most weak fricatives and breaths are louder."""
PAUSE = 0.12
"""Seconds of quiet inside a line that make a pause; the closure of a plosive is shorter."""
DYING_DB = 30.0
"""A line dies away at its end once it is this far below its loudest window."""
RISE = 4.0
"""Power beside that of a quieter window before it: what rises so far does not die away."""
LONGEST_DECAY = 0.05
"""Seconds of a decay; a weak fricative is as quiet, but lasts longer."""
FADE = 0.01
"""Seconds of the crossfade at a cut, and of a decay that are left for the fade at the end."""


def find_pauses(audio: Audio) -> tuple[tuple[float, float], ...]:
    """Return the start and end, in seconds, of each pause inside ``audio``."""
    size = round(WINDOW * audio.rate)
    power = _powers(audio.samples, size)
    if not power.size:
        return ()
    # At 22,050 Hz a window is a little shorter than `WINDOW`.
    window = size / audio.rate
    loud = np.flatnonzero(power > power.max() * 10 ** (-QUIET_DB / 10))
    gaps = np.flatnonzero((np.diff(loud) - 1) * window > PAUSE)
    return tuple(
        (round(int(loud[gap] + 1) * window, 3), round(int(loud[gap + 1]) * window, 3))
        for gap in gaps
    )


def find_decay(audio: Audio) -> float:
    """Return the seconds at the end of ``audio`` in which it only dies away.

    The line may end as much earlier, with a fade over the next `FADE`. The burst of a plosive is no
    decay, as it is louder than the closure before it.
    """
    size = round(WINDOW * audio.rate)
    # The last window ends with the last sample.
    power = _powers(audio.samples[len(audio.samples) % size :], size)
    if not power.size:
        return 0.0
    loud = np.flatnonzero(power >= power.max() * 10 ** (-DYING_DB / 10))
    last = power[loud[-1] :]
    rising = np.flatnonzero(last > RISE * np.minimum.accumulate(last))
    dying = len(last) - 1 - (int(rising[-1]) if rising.size else 0)
    seconds = round(dying * WINDOW - FADE, 3)
    return seconds if 0 < seconds <= LONGEST_DECAY else 0.0


def without(audio: Audio, cuts: Sequence[tuple[float, float]]) -> Audio:
    """Return ``audio`` without ``cuts``, which end in pauses at least ``FADE`` before speech.

    cuts: start and end of each in seconds, in order; the last one may reach the end of ``audio``.
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
        after = audio.samples[right : right + fade]
        before = audio.samples[left : left + len(after)] * rising[::-1][: len(after)]
        kept += [audio.samples[begin:left], before + after * rising[: len(after)]]
        begin = right + fade
    return Audio(samples=np.concatenate([*kept, audio.samples[begin:]]), rate=audio.rate)


def _powers(samples: Samples, size: int) -> Samples:
    """Return the power of each whole window of ``size`` samples."""
    windows = samples[: len(samples) // size * size].reshape(-1, size)
    power: Samples = np.einsum("ij,ij->i", windows, windows)
    return power

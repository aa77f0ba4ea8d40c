"""The balance of speech and background: speech first.

- The speech carries the profile's loudness, gated on the times at which lines sound.
- The background gets one gain for the whole programme. It is never louder than the speech, and a
  quieter one stays as it is, unless the programme would miss its profile.
- While somebody speaks, the background is lowered as far under the line as the job asks for. In
  other passages it is lowered where it would be more than ``ABOVE`` louder than the speech.

All gains follow from the measured power of each tenth of a second of both sounds, before they are
mixed. The gain looks ahead, so it is down when a line starts. It moves in straight lines in dB,
never steeper than the job's attack and release.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from dubbing.assembly.attenuation import Decibels, released, widest
from dubbing.assembly.background import Span
from dubbing.assembly.mastering import Levels, gain
from dubbing.assembly.profiles import Profile
from dubbing.assembly.spoken import (
    TENTH,
    SpokenLine,
    speaking,
    speech_loudness,
    touched,
    whole_tenths,
)
from dubbing.job import Background
from dubbing.media.loudness import BLOCK, TENTHS, Powers, gated, lufs, windows

ABOVE = 5.0
"""LU by which 3 s of background may be louder than the speech where nobody speaks. EBU R 128 s1
allows 3 s of a short programme to exceed its loudness by as much."""
SHORT_TERM = 3 * TENTHS
"""Tenths of the window for `ABOVE`, as for the standard's short-term loudness."""
HOLD = TENTHS
"""Tenths of the longest pause in which the background stays down: people pause that long between
sentences, and a background that rises in each pause pumps."""
FADED = 12.0
"""Depth in dB of a fade that lasts as long as the job's attack or release."""
MOST_MOVED = 6.0
"""Most decibels by which the background's gain is changed to bring the programme to its profile."""
STEP_MOVED = 0.5
"""Decibels between two gains that are tried."""
RESERVE = 0.5
"""LU beyond the distance, so that a meter with other blocks finds the distance, too."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The gains of a programme."""

    speech: float
    """Decibels applied to the speech."""
    background: float
    """Decibels applied to the background, everywhere."""
    lowered: Decibels
    """Decibels by which the background is lowered further, at the start of each tenth."""
    distances: Decibels
    """LU from each line down to the background under it, for each 0.4 s in which somebody speaks;
    infinite over silence."""

    def lowered_at(self, first: int, frames: int) -> Decibels:
        """Return ``lowered`` at each of ``frames`` frames from ``first`` on.

        first: at the start of a tenth.
        """
        tenths = -(-frames // TENTH)
        bends = self.lowered[first // TENTH : first // TENTH + tenths + 1]
        ramp = np.arange(TENTH, dtype=np.float32) / np.float32(TENTH)
        lines = bends[:-1, None] + np.diff(bends)[:, None] * ramp
        return lines.ravel()[:frames]


def balance(
    speech: Powers,
    background: Powers,
    lines: Collection[SpokenLine],
    frames: int,
    *,
    profile: Profile,
    settings: Background,
    levels: Levels,
    unchanged: Sequence[Span] = (),
) -> Balance:
    """Return the gains that bring a programme of ``frames`` frames to ``profile``.

    speech, background: power of each tenth, for the speech the sum of all its channels. Both may
    end early. levels: of the speech. unchanged: spans in which the background is not lowered.
    Without speech, the background gets the profile's loudness.
    """
    tenths = whole_tenths(frames)
    speech, background = _padded(speech, tenths), _padded(background, tenths)
    spoken = speaking(lines, frames)
    loudness = speech_loudness(windows(speech), spoken)
    under = gated(windows(background))
    if loudness is None or under is None:
        return Balance(
            speech=0.0 if loudness is None else gain(profile, loudness, levels),
            background=0.0 if under is None else sum(profile.bounds(0.0)) / 2 - under,
            lowered=np.zeros(tenths + 1, np.float32),
            distances=np.zeros(0, np.float32),
        )
    # Without the makeup of `gain`, which the limiter takes away again.
    plain = profile.loudness - loudness
    scene = _Scene(
        speech=speech * _factor(plain),
        background=background,
        lines=lines,
        plain=plain,
        loudness=profile.loudness,
        settings=settings,
        unchanged=unchanged,
    )
    moved = scene.moved(min(0.0, profile.loudness - under), profile.bounds(float(spoken.mean())))
    return Balance(
        speech=gain(profile, loudness, levels),
        background=moved,
        lowered=scene.lowered(moved),
        distances=scene.distances(moved),
    )


class _Scene:
    """A programme whose speech has its gain, and whose background has none yet."""

    def __init__(
        self,
        *,
        speech: Powers,
        background: Powers,
        lines: Iterable[SpokenLine],
        plain: float,
        loudness: float,
        settings: Background,
        unchanged: Iterable[Span],
    ) -> None:
        self._speech = speech
        self._background = background
        self._settings = settings
        self._momentary = _loudest(background, BLOCK)
        self._short_term = _loudest(background, SHORT_TERM) - (loudness + ABOVE)
        self._lines = np.full(len(speech), np.inf, np.float32)
        """LUFS of the quietest line in each tenth, at most the profile's; inf where none is."""
        for line in lines:
            loud = math.inf if line.loudness is None else line.loudness + plain
            part = self._lines[touched(line.start, line.end)]
            np.minimum(part, min(loud, loudness), out=part)
        self._depth = np.where(
            np.isfinite(self._lines), settings.depth if settings.mode == "duck" else 0.0, 0.0
        )
        self._unchanged = np.zeros(len(speech), bool)
        for start, end in unchanged:
            self._unchanged[touched(start, end)] = True

    def moved(self, natural: float, bounds: tuple[float, float]) -> float:
        """Return the background's gain nearest to ``natural`` that keeps the programme in bounds.

        Returns ``natural`` when none within ``MOST_MOVED`` does.
        """
        steps = np.arange(-MOST_MOVED - STEP_MOVED, MOST_MOVED + 2 * STEP_MOVED, STEP_MOVED)
        held = [bounds[0] <= self._programme(natural + step) <= bounds[1] for step in steps]
        # The steps on both sides must hold, too: the loudness is only predicted, and falls by
        # several LU where quiet parts of the programme come under the gate.
        safe = sliding_window_view(held, 3).all(axis=1)
        moves = steps[1:-1][safe]
        return natural + float(min(moves, key=abs, default=0.0))

    def lowered(self, decibels: float) -> Decibels:
        """Return `Balance.lowered` for a background with a gain of ``decibels``."""
        near = self._momentary + decibels - (self._lines - self._settings.distance - RESERVE)
        needed = np.maximum(np.maximum(self._depth, near), self._short_term + decibels)
        held = _closed(needed.astype(np.float32), HOLD // 2)
        # A tenth is down from its start to its end.
        bends = np.maximum(np.append(held, 0), np.insert(held, 0, 0))
        fades = self._settings.attack, self._settings.release
        down, up = (FADED / seconds / TENTHS for seconds in fades)
        return released(released(bends, up, 0.0)[::-1], down, 0.0)[::-1]

    def distances(self, decibels: float) -> Decibels:
        """Return `Balance.distances`, without spans in which the background is not lowered."""
        under = lufs(windows(self._heard(decibels)))
        told = np.isfinite(self._lines) & ~self._unchanged
        inside = sliding_window_view(told, BLOCK).all(axis=1)
        lines = sliding_window_view(self._lines, BLOCK).min(axis=1)
        return np.asarray((lines - under)[inside], np.float32)

    def _programme(self, decibels: float) -> float:
        loudness = gated(windows(self._speech + self._heard(decibels)))
        return -math.inf if loudness is None else loudness

    def _heard(self, decibels: float) -> Powers:
        """Return the power of the background after its gain and its lowering."""
        bends = self.lowered(decibels)
        lowered = (bends[1:] + bends[:-1]) / 2
        lowered[self._unchanged] = 0
        return self._background * _factor(decibels - lowered)


def _loudest(tenths: Powers, count: int) -> npt.NDArray[np.float64]:
    """Return the LUFS of the loudest ``count`` tenths in a row around each tenth."""
    count = min(count, len(tenths))
    around = np.pad(windows(tenths, count), count - 1)
    return lufs(sliding_window_view(around, count).max(axis=1))


def _closed(attenuation: Decibels, reach: int) -> Decibels:
    """Fill the valleys that are no wider than twice ``reach``."""
    filled = widest(attenuation, reach)
    top = filled.max()
    return np.asarray(top - widest(top - filled, reach))


def _padded(tenths: Powers, count: int) -> Powers:
    return np.pad(tenths[:count], (0, max(0, count - len(tenths))))


def _factor(decibels: npt.ArrayLike) -> Powers:
    """Return the factor of power of a gain."""
    return np.asarray(10 ** (np.asarray(decibels) / 10), np.float32)

"""Loudness profiles: the loudness and peak of a finished programme."""

from __future__ import annotations

import math
from dataclasses import dataclass

LITTLE_SPEECH = 0.15
"""Share of speech under which Netflix measures the whole programme, and not its dialogue."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The loudness and peak that a programme is mastered to."""

    loudness: float
    """LUFS of the speech, and of the programme where it is measured as a whole."""
    ceiling: float
    """dBTP."""
    tolerance: float = 1.0
    """LU by which a measured loudness may miss the profile."""
    little_speech: float | None = None
    """LUFS of a programme with little speech, if only the dialogue of other programmes is measured;
    None if all programmes are measured as a whole."""

    def bounds(self, share: float) -> tuple[float, float]:
        """Return the lowest and the highest LUFS of a programme; infinite where it is not measured.

        share: share of the programme's time in which somebody speaks.
        """
        if self.little_speech is None:
            middle = self.loudness
        elif share < LITTLE_SPEECH:
            middle = self.little_speech
        else:
            return -math.inf, math.inf
        return middle - self.tolerance, middle + self.tolerance


PROFILES = {
    # EBU R 128 of 2020: 1 LU of tolerance in production.
    "ebu-r128": Profile(loudness=-23.0, ceiling=-1.0),
    "streaming": Profile(loudness=-16.0, ceiling=-1.0),
    # Netflix Sound Mix Specifications: gated on dialogue, 2 LU; with little dialogue on all of it.
    "netflix": Profile(loudness=-27.0, ceiling=-2.0, tolerance=2.0, little_speech=-24.0),
}

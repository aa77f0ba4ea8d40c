"""The fit: the limits within which lines are changed to fit their time, and its profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from dubbing.documents import Model

SHORTEST_PAUSE = 0.08
"""Seconds to which a pause may be shortened: two frames."""
FITS: Mapping[str, Mapping[str, float]] = {
    "exact": {},
    "lipsync": {"max_rate": 1.2, "max_tail": 0.2, "min_pause": 0.2},
    "relaxed": {"max_early": 0.16},
}
"""The values of `Fit` that each profile sets; all others are the defaults.

``exact``: every line starts on its cue. ``lipsync``: it also ends with the mouth, within 0.2 s, and
keeps more of its pauses and of its pace. ``relaxed``, for voice-over: a line that is too long may
start up to four frames early.
"""


class Fit(Model):
    """The rules by which a line is made to fit its time."""

    profile: Literal["exact", "lipsync", "relaxed"] | None = None
    """Sets the fields that are not given; afterwards it is None, as the fields say everything."""
    max_rate: float = Field(default=1.25, ge=1.0, le=2.0)
    """Upper bound of the engine's own speed and the time-stretch together."""
    max_change: float = Field(default=0.15, gt=0, le=1.0)
    """Most difference of the rate from that of the speaker's previous line, as a share."""
    min_pause: float = Field(default=SHORTEST_PAUSE, ge=SHORTEST_PAUSE, le=10)
    """Seconds to which pauses inside a line that is too long may be shortened."""
    max_early: float = Field(default=0.0, ge=0, le=1)
    """Seconds by which a line that is too long may start before its cue, in silence."""
    max_tail: float | None = Field(default=None, ge=0, le=60)
    """Seconds by which a line may last into the silence after its cue. Default: all of it."""

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, given: Any) -> Any:
        """Replace the profile by its values; an unknown one is left for the field to refuse."""
        if not isinstance(given, Mapping) or given.get("profile") not in [*FITS]:
            return given
        return {**FITS[given["profile"]], **given, "profile": None}

"""Background under the speech."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dubbing.documents import Model


class Background(Model):
    """Background under the speech."""

    mode: Literal["none", "duck", "track", "separate"] = "duck"
    """``duck``: the film's own sound, lowered under speech; ``track``: the ``track``, and
    ``separate``: the film's own sound without its speech, both lowered under speech only as far as
    ``distance`` needs."""
    track: str | None = None
    """A music-and-effects file, for ``mode: track``."""
    depth: float = Field(default=12.0, ge=0, le=60)
    """Least decibels by which ``duck`` lowers the film's sound."""
    distance: float = Field(default=10.0, ge=0, le=60)
    """Least distance of the background below a line while it is spoken, in LU."""
    attack: float = Field(default=0.15, gt=0, le=5)
    """Seconds in which the background falls by 12 dB before a line; it is down where the line
    starts."""
    release: float = Field(default=0.4, gt=0, le=10)
    """Seconds in which the background rises by 12 dB after a line, from where the line ends."""

    @model_validator(mode="after")
    def _track_given(self) -> Background:
        if (self.mode == "track") != (self.track is not None):
            raise ValueError("background mode 'track' and a track go together")
        return self

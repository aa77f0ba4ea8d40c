"""A segment: its speaker, text and times."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from dubbing.documents import Identifier, Model
from dubbing.job.emotion import Emotion

LONGEST_TEXT = 20_000
"""Most characters of a segment's text, sounds and lyrics included; no engine speaks so many."""


class Segment(Model):
    """A segment: its speaker, text and times."""

    id: Identifier
    """Unique in the job; by default the cue's number."""
    start: float = Field(ge=0)
    """Seconds from the film's first frame."""
    end: float = Field(gt=0)
    """Seconds from the film's first frame; after ``start``."""
    speaker: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "speaker"
    text: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
    """The text as written and as subtitles show it: with line breaks, bidi marks and joiners."""
    emotion: Emotion | None = None
    """In place of the emotion of the speaker's role."""
    voice: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """In place of the voice of the speaker's role: a stock voice of the speaker's engine, or the
    name of a stored voice, of which a stored job holds the digest."""
    speed: float | None = Field(default=None, ge=0.5, le=2.0)
    """In place of the speed of the speaker's role."""

    @model_validator(mode="after")
    def _ends_after_start(self) -> Segment:
        if self.end <= self.start:
            raise ValueError(f"segment {self.id} ends at {self.end} s, not after {self.start} s")
        return self

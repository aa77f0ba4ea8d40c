"""The emotion of a role or a segment, for engines that support it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from dubbing.documents import Identifier, Model

Means = Literal["feelings", "text", "text_strength", "voice"]
"""The kinds of description of an emotion. ``text_strength`` is a text with a strength below 1."""
Share = Annotated[float, Field(ge=0, le=1)]


class Emotion(Model):
    """An emotion: a mix of feelings, a text that describes it, or a voice that shows it."""

    happy: Share = 0.0
    angry: Share = 0.0
    sad: Share = 0.0
    afraid: Share = 0.0
    disgusted: Share = 0.0
    melancholic: Share = 0.0
    surprised: Share = 0.0
    calm: Share = 0.0
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    """A description in place of feelings: ``quietly furious``."""
    voice: Identifier | None = None
    """In place of feelings: the name of a stored voice whose recording shows the emotion. A stored
    job holds its digest."""
    strength: float = Field(default=1.0, gt=0, le=1)
    """The strength of the emotion, from 0 to 1."""

    @model_validator(mode="after")
    def _described_once(self) -> Emotion:
        if [any(self.feelings.values()), bool(self.text), bool(self.voice)].count(True) != 1:
            raise ValueError("give feelings, such as angry, a text, or a voice: one of the three")
        return self

    @property
    def feelings(self) -> dict[str, float]:
        """The share of each feeling, by name."""
        others = {"text", "voice", "strength"}
        return {n: getattr(self, n) for n in type(self).model_fields if n not in others}

    @property
    def means(self) -> Means:
        """The kind of its description."""
        if self.voice:
            return "voice"
        if self.text:
            return "text" if self.strength == 1.0 else "text_strength"
        return "feelings"

"""The role of a speaker in the cast: engine, voice and manner of speaking."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints

from dubbing.documents import Identifier, Model
from dubbing.job.emotion import Emotion

MOST_FALLBACKS = 20


class Manner(Model):
    """The fields that a role of a manifest and a role of a stored job have in common."""

    voice: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """A stock voice of the engine, or the name of a stored voice. Without it, each speaker gets a
    different stock voice. For a converter with a reference: a stock voice of its base."""
    engine: Identifier | None = None
    base: Identifier | None = None
    """For a converter: the engine whose speech it converts. Default: the converter's own base."""
    fallback: Annotated[tuple[Identifier, ...], Field(max_length=MOST_FALLBACKS)] | None = None
    """Engines that speak, in turn, the lines at which the engine before failed. Default: the
    job's."""
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """The speaker's natural pace, 1.0 being the engine's own."""
    pitch: float = Field(default=0.0, ge=-12, le=12)
    """Semitones, for engines that support it."""
    style: Annotated[str, StringConstraints(max_length=200)] = ""
    """A manner of speaking, for engines that support it."""
    emotion: Emotion | None = None
    """The emotion of segments that have none of their own, for engines that support it."""

    @property
    def cloned(self) -> bool:
        """Whether the voice is cloned from a recording."""
        raise NotImplementedError

    def cloning(self, digest: str | None) -> Self:
        """Return the role with the stored voice of this digest, or with no cloned voice."""
        raise NotImplementedError


class Role(Manner):
    """The role of one speaker in a stored job."""

    clone: Identifier | None = None
    """Digest of the stored voice that is cloned."""

    @property
    def cloned(self) -> bool:
        """Whether the voice is cloned from a recording."""
        return self.clone is not None

    def cloning(self, digest: str | None) -> Self:
        """Return the role with the stored voice of this digest, or with no cloned voice."""
        return self.model_copy(update={"clone": digest})

"""Voices: the stock voices of an engine, and those cloned from a recording."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from dubbing.job import Model

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class VoiceRef(Model):
    """Which voice speaks a line: one of the engine's own, or a stored one."""

    stock: str | None = None
    """Name of a stock voice of the engine."""
    digest: Digest | None = None
    """Digest of a stored voice."""
    base: str | None = None
    """The engine that a converter is over; then ``stock`` is that engine's voice."""

    @property
    def identity(self) -> str:
        """What a clip's key holds of the voice."""
        if self.base:
            return f"voice:{self.digest} over {self.base}:{self.stock}"
        return f"voice:{self.digest}" if self.digest else f"stock:{self.stock}"


class Voice(Model):
    """A stored voice, whatever the engine; ``voices/<digest>/voice.json``."""

    digest: Digest
    """SHA-256 of the reference as it was uploaded."""
    seconds: float
    """Length of the reference."""
    transcript: str = ""
    """What is said in the reference, for engines that want it."""

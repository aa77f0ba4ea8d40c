"""Voices: the stock voices of an engine, and those cloned from a recording."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints

from dubbing.documents import Model

PREPARATION = 1
"""Raised whenever recordings are prepared otherwise: a voice is then another one."""

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


class Judgement(Model):
    """What is heard in the recordings that a voice is made of, as they came."""

    speech: float
    """Seconds in which somebody speaks."""
    snr: float
    """Decibels of the speech over the noise, of the worst recording; at most 60."""
    clipped: float
    """Share of the samples that are cut off at full scale, of the worst recording."""
    treble: float | None = None
    """Decibels of what lies above 5 kHz against all of the speech, in the dullest recording; None
    when that was not told."""
    likeness: float | None = None
    """How alike its parts sound, as a cosine, where the two least alike are compared; None when
    that was not told. One speaker sounds like themselves."""


class Voice(Model):
    """A stored voice, whatever the engine; ``voices/<digest>/voice.json``."""

    digest: Digest
    """Of what it was made of; see `voice_digest`."""
    seconds: float
    """Length of the reference."""
    transcript: str = ""
    """What is said in the reference, for engines that want it."""
    language: str = ""
    """BCP 47 tag of the language of the reference; empty when nobody said."""
    provenance: tuple[str, ...] = ()
    """Where it came from: names of files, or a film and who speaks in it."""
    consent: str = ""
    """Who agreed that this voice is cloned, and to what."""
    created: float | None = None
    """Seconds since 1970."""
    judgement: Judgement | None = None
    """None for a voice that was not judged."""


def voice_digest(
    recordings: Sequence[str], transcript: str = "", language: str = "", consent: str = ""
) -> str:
    """Return the digest of a voice: of all that it is made of and that may be told of it.

    Engines derive other forms for another transcript or language, so these tell voices apart. A
    consent does too: it would be lost if the same recording were there already without it.

    recordings: their digests, in order.
    """
    parts = [PREPARATION, *recordings, transcript, language, consent]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

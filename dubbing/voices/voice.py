"""Voices: stock voices of an engine, and voices cloned from a recording."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints

from dubbing.documents import Document, Model

PREPARATION = 1
"""A number to raise whenever recordings are prepared differently, which makes a different voice."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class VoiceRef(Model):
    """The voice that speaks a line: a stock voice of the engine, or a stored one."""

    stock: str | None = None
    """Name of a stock voice of the engine."""
    digest: Digest | None = None
    """Digest of a stored voice."""
    base: str | None = None
    """Base engine of a converter; ``stock`` is then a voice of the base."""

    @property
    def identity(self) -> str:
        """The voice as it enters the key of a clip."""
        if self.base:
            return f"voice:{self.digest} over {self.base}:{self.stock}"
        return f"voice:{self.digest}" if self.digest else f"stock:{self.stock}"


class Judgement(Model):
    """Measurements of the unprocessed recordings that a voice is made from."""

    speech: float
    """Seconds of speech."""
    snr: float
    """Decibels of speech over noise, of the worst recording; at most 60."""
    clipped: float
    """Share of the samples that are clipped at full scale, of the worst recording."""
    treble: float | None = None
    """Decibels of the sound above 5 kHz against all of the speech, of the dullest recording. None
    when it was not measured."""
    likeness: float | None = None
    """Cosine similarity of its two least similar parts; low when more than one person speaks.
    None when it was not measured."""
    loudness: float | None = None
    """RMS of the speech in dBFS, of the quietest recording. None when it was not measured."""


class Voice(Document):
    """A stored voice, for any engine; ``voices/<digest>/voice.json``."""

    digest: Digest
    """Digest of everything it was made from; see `voice_digest`."""
    seconds: float
    """Length of the reference."""
    transcript: str = ""
    """The transcript of the reference, for engines that use it."""
    language: str = ""
    """BCP 47 tag of the language of the reference; empty when unknown."""
    provenance: tuple[str, ...] = ()
    """Where it came from: file names, or a film and the speaker in it."""
    consent: str = ""
    """A note on the speaker's consent to the cloning and its use."""
    created: float | None = None
    """Seconds since 1970."""
    judgement: Judgement | None = None
    """None for a voice that was not judged."""


def voice_digest(
    recordings: Sequence[str], transcript: str = "", language: str = "", consent: str = ""
) -> str:
    """Return the digest of a voice: of its recordings and of what is declared about it.

    Engines derive other forms for another transcript or language, so a change makes another voice.
    So does another consent, which would be lost if the same recording were already stored without
    it.

    recordings: the digests of the recordings, in order.
    """
    parts = [PREPARATION, *recordings, transcript, language, consent]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

"""A converter over an engine: what one voice said, in another voice.

To all others it is an engine that clones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from dubbing.audio import Audio
from dubbing.engine import Converter, Engine, Line, Spoken, VoiceForm
from dubbing.errors import SpeechRejected
from dubbing.weights import Weights


class Converted:
    """An engine that speaks, and a converter that makes it another's voice.

    Its model is both of theirs, so that a clip's key tells which engine spoke under it.
    """

    weights: ClassVar[Weights | None] = None
    extra: ClassVar[str] = ""
    libraries: ClassVar[tuple[str, ...]] = ()

    def __init__(self, converter: Converter, base: Engine) -> None:
        """Take a converter and an engine that are both loaded."""
        self._converter, self._base = converter, base
        self.spec = converter.spec.over(base.spec)
        parts = [converter.model, base.spec.name, base.model, str(base.spec.recipe)]
        self.model = hashlib.sha256(" ".join(parts).encode()).hexdigest()

    def load(self, device: str) -> None:
        """Do nothing: both are loaded."""

    def unload(self) -> None:
        """Do nothing: whoever loaded them does."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Derive the voice that is converted to."""
        return self._converter.extract(reference, transcript)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Have the base speak ``lines`` in its own voices, and convert what it said."""
        results = list(self._base.synthesize([_plain(line) for line in lines]))
        said = [(n, sound) for n, sound in enumerate(results) if isinstance(sound, Audio)]
        sounds, voices = [sound for _, sound in said], [_form(lines[n]) for n, _ in said]
        if said:
            converted = self._converter.convert(sounds, voices)
            for (n, _), sound in zip(said, converted, strict=True):
                results[n] = sound
        return results


def _plain(line: Line) -> Line:
    """Return what the base is asked: the line in one of its own voices."""
    return replace(line, voice=line.base_voice)


def _form(line: Line) -> VoiceForm:
    """Return the voice that a line is converted to."""
    if isinstance(line.voice, str):
        raise SpeechRejected(f"{line.voice!r} is no voice to convert to: give a reference")
    return line.voice

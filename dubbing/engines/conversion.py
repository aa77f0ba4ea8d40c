"""A converter over a base engine: the base speaks, and the converter changes the voice.

All other code treats the two as one cloning engine; `spec_of` returns its spec.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from dubbing.documents import nearest
from dubbing.engines.engine import Converter, Engine, EngineSpec, Line, Spoken, VoiceForm
from dubbing.engines.models.folders import Weights
from dubbing.errors import BadInput, DubbingError, SpeechRejected

# Planning imports this module for `spec_of`, and handles no sound.
if TYPE_CHECKING:
    from dubbing.media.samples import Audio


def spec_of(engine: str, specs: Mapping[str, EngineSpec], base: str | None = None) -> EngineSpec:
    """Return the spec of an engine, or of a converter over its base.

    base: the engine below a converter; by default, the base in the converter's spec.
    Raises BadInput for an unknown engine, for a base of an engine that is no converter, and for an
    unsuitable base.
    """
    spec = _known(engine, specs)
    if spec.base is None:
        if base:
            raise BadInput(f"engine {engine!r} is not a converter: remove the base {base!r}")
        return spec
    below = _known(base or spec.base, specs)
    if below.base:
        raise BadInput(f"engine {below.name!r} is a converter: name a base that speaks by itself")
    if below.clones and not below.voices:
        raise BadInput(f"engine {below.name!r} has no voices of its own: name another base")
    return spec.over(below)


def _known(engine: str, specs: Mapping[str, EngineSpec]) -> EngineSpec:
    if engine not in specs:
        raise BadInput(f"there is no engine {engine!r}; {nearest(engine, sorted(specs))}")
    return specs[engine]


def model_over(model: str, base: EngineSpec, base_model: str) -> str:
    """Return the digest of a converter's model together with a base and its model."""
    parts = [model, base.name, base_model, str(base.recipe)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


class Converted:
    """A base engine and a converter, as one engine that clones.

    Its digest covers both models, so that a clip's key tells which base spoke.
    """

    weights: ClassVar[Weights | None] = None
    extra: ClassVar[str] = ""
    libraries: ClassVar[tuple[str, ...]] = ()

    def __init__(self, converter: Converter, base: Engine) -> None:
        """Take a loaded converter and a loaded base engine."""
        self._converter, self._base = converter, base
        self.spec = converter.spec.over(base.spec)
        self.model = model_over(converter.model, base.spec, base.model)

    def load(self, device: str) -> None:
        """Do nothing: both are loaded already."""

    def unload(self) -> None:
        """Do nothing: the code that loaded the two unloads them."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Derive the voice to convert to."""
        return self._converter.extract(reference, transcript)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines`` in the base's stock voices, and convert the sounds to their voices."""
        forms = {n: line.voice for n, line in enumerate(lines) if not isinstance(line.voice, str)}
        spoken = self._base.synthesize([_plain(lines[n]) for n in forms])
        results = dict(zip(forms, spoken, strict=True))
        sounds = {n: sound for n, sound in results.items() if not isinstance(sound, DubbingError)}
        if sounds:
            voices = [forms[n] for n in sounds]
            converted = self._converter.convert(list(sounds.values()), voices)
            results |= zip(sounds, converted, strict=True)
        return [results[n] if n in results else _refusal(line) for n, line in enumerate(lines)]


def _plain(line: Line) -> Line:
    """Return the line as the base speaks it, in a stock voice."""
    return replace(line, voice=line.base_voice)


def _refusal(line: Line) -> Spoken:
    """Return the error of a line that has no voice to convert to."""
    return SpeechRejected(f"{line.voice!r} is not a voice to convert to: give a reference")

"""A converter over an engine: what one voice said, in another voice.

To all others it is an engine that clones; `spec_of` tells what it can do.
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

# Plans ask only what a converter can do.
if TYPE_CHECKING:
    from dubbing.media.samples import Audio


def spec_of(engine: str, specs: Mapping[str, EngineSpec], base: str | None = None) -> EngineSpec:
    """Return what an engine can do; of a converter, what it can over another engine.

    base: the engine below; left out, the one that the converter's own spec names.
    Raises BadInput for an engine that is not known here, and for a base that it cannot stand on.
    """
    spec = _known(engine, specs)
    if spec.base is None:
        if base:
            raise BadInput(f"engine {engine!r} is no converter: take the base {base!r} out")
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
    """Return the digest of a converter's model over a base and its model."""
    parts = [model, base.name, base_model, str(base.recipe)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


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
        self.model = model_over(converter.model, base.spec, base.model)

    def load(self, device: str) -> None:
        """Do nothing: both are loaded."""

    def unload(self) -> None:
        """Do nothing: whoever loaded them does."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Derive the voice that is converted to."""
        return self._converter.extract(reference, transcript)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Have the base speak ``lines`` in its own voices, and convert what it said."""
        forms = {n: line.voice for n, line in enumerate(lines) if not isinstance(line.voice, str)}
        said = self._base.synthesize([_plain(lines[n]) for n in forms])
        results = dict(zip(forms, said, strict=True))
        sounds = {n: sound for n, sound in results.items() if not isinstance(sound, DubbingError)}
        if sounds:
            voices = [forms[n] for n in sounds]
            converted = self._converter.convert(list(sounds.values()), voices)
            results |= zip(sounds, converted, strict=True)
        return [results[n] if n in results else _refusal(line) for n, line in enumerate(lines)]


def _plain(line: Line) -> Line:
    """Return what the base is asked: the line in one of its own voices."""
    return replace(line, voice=line.base_voice)


def _refusal(line: Line) -> Spoken:
    """Return why a line without a voice to convert to is not spoken."""
    return SpeechRejected(f"{line.voice!r} is no voice to convert to: give a reference")

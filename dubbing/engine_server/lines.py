"""Conversion of a request's lines for an engine, and of sounds for the answer."""

from __future__ import annotations

from collections.abc import Iterator

from dubbing.documents import nearest
from dubbing.engine_server.forms import Forms, as_text
from dubbing.engine_server.schema import LineBody, SpokenBody
from dubbing.engines.engine import EngineSpec, Line, Spoken
from dubbing.errors import BadInput, DubbingError
from dubbing.media.samples import encode_exact
from dubbing.serving.faults import fault_of
from dubbing.text.characters import normalise, speakable


def line_of(body: LineBody, spec: EngineSpec, forms: Forms, where: str) -> Line:
    """Return a line as an engine takes it.

    where: the line's place in the request, for errors. Raises BadInput for a line that the engine
    does not speak, and UnknownForm.
    """
    text = normalise(body.text)
    for field, why in _faults(body, text, spec):
        raise BadInput(why, where=f"{where}.{field}")
    return Line(
        text=text,
        language=body.language,
        voice=forms.get(body.form) if body.form else body.voice,
        base_voice=body.base_voice or (spec.voices[0] if spec.base else ""),
        speed=body.speed,
        pitch=body.pitch,
        style=body.style,
        seed=body.seed,
    )


def _faults(body: LineBody, text: str, spec: EngineSpec) -> Iterator[tuple[str, str]]:
    """Yield the fields that an engine does not support, each with the reason."""
    slowest, fastest = spec.speed
    if not speakable(text):
        yield "text", "it holds nothing to speak: write words"
    if not spec.covers(body.language):
        yield "language", f"{spec.name} speaks {', '.join(spec.languages)}, not {body.language}"
    if len(text) > (limit := spec.limit(body.language)):
        yield "text", f"{len(text)} characters are more than {limit}: split it"
    if body.voice and body.voice not in spec.voices:
        hint = nearest(body.voice, [*spec.voices])
        yield "voice", f"{spec.name} has no voice {body.voice!r}; {hint}"
    if body.form and not spec.clones:
        yield "form", f"{spec.name} does not clone: name one of its voices"
    if body.base_voice and body.base_voice not in spec.voices:
        yield "base_voice", f"{spec.name} has no voice {body.base_voice!r} below it"
    if not slowest <= body.speed <= fastest:
        yield "speed", f"{spec.name} speaks at a speed of {slowest:g} to {fastest:g}"
    if body.pitch and "pitch" not in spec.delivery:
        yield "pitch", f"{spec.name} has no pitch: leave it out"
    if body.style and "style" not in spec.delivery:
        yield "style", f"{spec.name} has no style: leave it out"


def spoken_body(spoken: Spoken) -> SpokenBody:
    """Return a line's result as callers see it."""
    if isinstance(spoken, DubbingError):
        return SpokenBody(error=fault_of(spoken))
    return SpokenBody(audio=as_text(encode_exact(spoken)), seconds=round(spoken.seconds, 6))

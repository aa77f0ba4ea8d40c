"""Texts of any length as one sound: put into words, cut at sentences, spoken and judged."""

from __future__ import annotations

from fastapi import Request

from dubbing.documents import validated
from dubbing.engine_server.booth import Booth
from dubbing.engine_server.desk import answered, desk_of
from dubbing.engine_server.lines import line_of
from dubbing.engine_server.schema import LineBody
from dubbing.engines.engine import EngineSpec, Spoken
from dubbing.errors import BadInput, DubbingError
from dubbing.media.samples import Audio, judge
from dubbing.media.sounds import joined
from dubbing.text.sentences import split
from dubbing.text.wording import spoken


async def say(
    request: Request,
    booth: Booth,
    text: str,
    language: str,
    *,
    voice: str = "",
    form: str | None = None,
    speed: float = 1.0,
    pitch: float = 0.0,
) -> Audio:
    """Return a text as an engine speaks it, a batch of its parts at a time.

    language: a BCP 47 tag. voice: a stock voice. form: the digest of a form, in place of a voice.
    pitch: in semitones. Raises BadInput for unsupported fields, UnknownForm, Busy, SpeechRejected
    for sound that is not speech, and the engine's errors.
    """
    spec, forms = booth.spec, desk_of(request).forms
    told = {"language": language, "voice": voice, "form": form, "speed": speed, "pitch": pitch}
    # A text that holds nothing to speak is refused as a line.
    parts = split(spoken(text, language), language, spec.limit(language)) or [text]
    bodies = [validated(LineBody, told | {"text": part}, "request") for part in parts]
    lines = [line_of(body, spec, forms, "request") for body in bodies]
    results: list[Spoken] = []
    for first in range(0, len(lines), spec.batch_lines):
        batch = lines[first : first + spec.batch_lines]
        said: list[Spoken] = await answered(request, booth.speak(batch))
        results += said
    return joined(
        [
            _heard(one, spec.longest(line.text, line.language, line.speed))
            for line, one in zip(lines, results, strict=True)
        ]
    )


def language_of(request: Request, spec: EngineSpec, asked: str = "") -> str:
    """Return the requested language, else the server's, else the only one of the engine.

    Raises BadInput if there is none.
    """
    if language := asked or desk_of(request).language or spec.own_language:
        return language
    raise BadInput(
        f"{spec.name} speaks several languages: name one, or start the server with --language",
        where="language",
    )


def first_voice(spec: EngineSpec) -> str:
    """Return the voice for callers that name none; raises BadInput where an engine has none."""
    if not spec.voices:
        raise BadInput(f"{spec.name} has no stock voice", where="voice")
    return spec.voices[0]


def _heard(result: Spoken, longest: float) -> Audio:
    """Return a line's sound; raises its error, and SpeechRejected for sound that is no speech."""
    if isinstance(result, DubbingError):
        raise result
    judge(result, longest=longest)
    return result

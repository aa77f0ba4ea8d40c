"""OpenAI's routes for speech, over the same engines: for its client, and for tools that know it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import soundfile
import soxr
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dubbing.engine_server import faults
from dubbing.engine_server.desk import answered, desk_of
from dubbing.engine_server.lines import line_of
from dubbing.engine_server.schema import LineBody, Name
from dubbing.engines.engine import EngineSpec, Spoken
from dubbing.errors import BadInput, DubbingError
from dubbing.media.samples import Audio, judge
from dubbing.text.sentences import split
from dubbing.text.wording import spoken

DIGEST = re.compile(r"[0-9a-f]{64}")
MOST_INPUT = 4096
"""Characters, as OpenAI has it."""
PCM_RATE, OPUS_RATE = 24_000, 48_000
"""Hz; the first is OpenAI's, the second is one of the rates that Opus has."""

SoundFormat: TypeAlias = Literal["mp3", "opus", "flac", "wav", "pcm"]


class SpeechBody(BaseModel):
    """The fields of OpenAI's route, and a language. Other fields are ignored, as servers do."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": "espeak", "input": "The train leaves at nine.", "voice": "en"},
            ]
        }
    )

    model: Name
    """One of the served engines."""
    input: Annotated[str, StringConstraints(min_length=1, max_length=MOST_INPUT)]
    voice: Name
    """A stock voice, or the digest of a form that was derived here."""
    response_format: SoundFormat = "mp3"
    speed: float = Field(default=1.0, ge=0.25, le=4.0)
    language: Annotated[str, StringConstraints(max_length=35)] = ""
    """BCP 47 tag, for an engine of several languages whose voices do not tell theirs."""
    stream_format: Literal["audio"] = "audio"


class ModelBody(BaseModel):
    """A served engine, as OpenAI lists models."""

    id: str
    object: Literal["model"] = "model"
    owned_by: str = "dubbing"
    created: int = 0


class ModelsBody(BaseModel):
    """The served engines."""

    object: Literal["list"] = "list"
    data: list[ModelBody]


class VoiceBody(BaseModel):
    """A stock voice."""

    id: str
    name: str


class VoiceListBody(BaseModel):
    """The stock voices of all engines."""

    voices: list[VoiceBody]


router = APIRouter(prefix="/v1", responses=faults.DOCUMENTED)

SOUND: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/*": {}}, "description": "The sound, in the format asked."}
}


@router.get("/models")
async def models(request: Request) -> ModelsBody:
    """The served engines."""
    return ModelsBody(data=[ModelBody(id=name) for name in desk_of(request).booths])


@router.get("/audio/voices")
async def voices(request: Request) -> VoiceListBody:
    """The stock voices, as Kokoro-FastAPI and others list them."""
    booths = desk_of(request).booths.values()
    names = dict.fromkeys(name for booth in booths for name in booth.spec.voices)
    return VoiceListBody(voices=[VoiceBody(id=name, name=name) for name in names])


@router.post("/audio/speech", responses=SOUND, response_class=Response)
async def speech(request: Request, body: SpeechBody) -> Response:
    """Speak a text; longer ones sentence by sentence."""
    desk = desk_of(request)
    booth = desk.booth(body.model)
    parts = _lines(body, desk.language, booth.spec)
    lines = [line_of(part, booth.spec, desk.forms, "input") for part in parts]
    results = await answered(request, booth.speak(lines))
    sounds = [
        _heard(one, booth.spec.longest(line.text, line.language, line.speed))
        for line, one in zip(lines, results, strict=True)
    ]
    encode, media_type = FORMATS[body.response_format]
    return Response(encode(_joined(sounds)), media_type=media_type)


def _lines(body: SpeechBody, language: str, spec: EngineSpec) -> list[LineBody]:
    """Return the lines of a text; raises BadInput for one whose language nobody told."""
    language = body.language or language
    if not language:
        tags = [tag for tag in spec.languages if tag != "*"]
        if len(tags) != 1:
            raise BadInput(
                f"{spec.name} speaks several languages: name one, or start the server with "
                "--language",
                where="language",
            )
        (language,) = tags
    form = body.voice if DIGEST.fullmatch(body.voice) else None
    return [
        LineBody(
            text=part,
            language=language,
            voice="" if form else body.voice,
            form=form,
            speed=body.speed,
        )
        for part in split(spoken(body.input, language), language, spec.limit(language))
    ]


def _heard(result: Spoken, longest: float) -> Audio:
    """Return a line's sound; raises its error, and SpeechRejected for sound that is no speech."""
    if isinstance(result, DubbingError):
        raise result
    judge(result, longest=longest)
    return result


def _joined(sounds: Sequence[Audio]) -> Audio:
    samples = np.concatenate([sound.samples for sound in sounds])
    return Audio(samples=samples, rate=sounds[0].rate)


def _file(audio: Audio, format_: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio.samples, audio.rate, subtype, format=format_)
    return file.getvalue()


def _at(audio: Audio, rate: int) -> Audio:
    if audio.rate == rate:
        return audio
    return Audio(samples=soxr.resample(audio.samples, audio.rate, rate), rate=rate)


def _pcm(audio: Audio) -> bytes:
    samples = np.clip(_at(audio, PCM_RATE).samples * 32767, -32768, 32767)
    return samples.astype("<i2").tobytes()


FORMATS: Mapping[SoundFormat, tuple[Callable[[Audio], bytes], str]] = {
    "mp3": (lambda audio: _file(audio, "MP3", "MPEG_LAYER_III"), "audio/mpeg"),
    "opus": (lambda audio: _file(_at(audio, OPUS_RATE), "OGG", "OPUS"), "audio/ogg"),
    "flac": (lambda audio: _file(audio, "FLAC", "PCM_16"), "audio/flac"),
    "wav": (lambda audio: _file(audio, "WAV", "PCM_16"), "audio/wav"),
    "pcm": (_pcm, "audio/pcm"),
}
"""How each format is written, and its media type."""

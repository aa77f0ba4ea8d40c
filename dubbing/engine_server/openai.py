"""OpenAI's routes for speech, over the same engines: for its client, and for tools that know it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dubbing.engine_server import faults
from dubbing.engine_server.desk import desk_of
from dubbing.engine_server.schema import Name
from dubbing.engine_server.sounds import FORMATS, SoundFormat
from dubbing.engine_server.speech import language_of, say

DIGEST = re.compile(r"[0-9a-f]{64}")
MOST_INPUT = 4096
"""Characters, as OpenAI has it."""


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
    booth = desk_of(request).booth(body.model)
    form = body.voice if DIGEST.fullmatch(body.voice) else None
    sound = await say(
        request,
        booth,
        body.input,
        language_of(request, booth.spec, body.language),
        voice="" if form else body.voice,
        form=form,
        speed=body.speed,
    )
    encode, media_type = FORMATS[body.response_format]
    return Response(encode(sound), media_type=media_type)

"""OpenAI's routes for speech, over the same engines, for its client and compatible tools."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response

from dubbing.engine_server import faults
from dubbing.engine_server.desk import desk_of
from dubbing.engine_server.speech import language_of, say
from dubbing.media.sounds import FORMATS
from dubbing.serving.openai import (
    SOUND,
    ModelsBody,
    SpeechBody,
    VoiceListBody,
    models_body,
    voices_body,
)

DIGEST = re.compile(r"[0-9a-f]{64}")
router = APIRouter(prefix="/v1", responses=faults.DOCUMENTED)


@router.get("/models")
async def models(request: Request) -> ModelsBody:
    """The served engines."""
    return models_body(desk_of(request).booths)


@router.get("/audio/voices")
async def voices(request: Request) -> VoiceListBody:
    """The stock voices of all engines."""
    booths = desk_of(request).booths.values()
    return voices_body(name for booth in booths for name in booth.spec.voices)


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

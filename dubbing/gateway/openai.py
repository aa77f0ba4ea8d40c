"""OpenAI's routes for speech, over the workers, for its client and compatible tools."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from dubbing.errors import BadInput
from dubbing.gateway.callers import Reader, Submitter
from dubbing.gateway.office import Office, office_of
from dubbing.gateway.refusals import documented
from dubbing.gateway.saying import engines_online, known, said
from dubbing.serving.openai import (
    SOUND,
    ModelsBody,
    SpeechBody,
    VoiceListBody,
    models_body,
    voices_body,
)

router = APIRouter(prefix="/v1", tags=["OpenAI's routes"])


@router.get("/models", responses=documented())
def models(request: Request, caller: Reader) -> ModelsBody:
    """List the engines with an online worker."""
    office = office_of(request)
    return models_body(sorted(office.client.specs().keys() & engines_online(office)))


@router.get("/audio/voices", responses=documented())
def voices(request: Request, caller: Reader) -> VoiceListBody:
    """List the stock voices of these engines, and the caller's own voices."""
    office = office_of(request)
    online = engines_online(office)
    specs = [spec for name, spec in sorted(office.client.specs().items()) if name in online]
    made = (named.name for named in office.client.voices_of(caller.tenant).all())
    return voices_body([*(voice for spec in specs for voice in spec.voices), *made])


@router.post("/audio/speech", responses={**documented(404, 413), **SOUND}, response_class=Response)
def speech(request: Request, caller: Submitter, body: SpeechBody) -> Response:
    """Speak a text; a long one sentence by sentence."""
    office = office_of(request)
    return said(
        office,
        caller,
        body.input,
        engine=body.model,
        voice=body.voice,
        language=body.language or _language(office, body),
        format_=body.response_format,
        speed=body.speed,
    )


def _language(office: Office, body: SpeechBody) -> str:
    """Return the language of an engine that has one; raises BadInput for others."""
    if language := known(office, body.model).own_language:
        return language
    raise BadInput(f"{body.model} speaks several languages: name one", where="language")

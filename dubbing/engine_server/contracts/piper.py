"""Piper's own server: ``python -m piper.http_server``, by its routes before and after 1.5.

Each engine is a voice, and its stock voices are the speakers of that voice. The engine
``piper-en_US-amy-medium`` is the voice ``en_US-amy-medium``. An unknown voice or speaker is an
error; Piper's server would speak in another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from dubbing.documents import nearest
from dubbing.engine_server.booth import Booth, State
from dubbing.engine_server.contract import Contract
from dubbing.engine_server.desk import desk_of
from dubbing.engine_server.schema import Name, Text
from dubbing.engine_server.speech import first_voice, language_of, say
from dubbing.errors import BadInput, NotFound
from dubbing.media.sounds import FORMATS
from dubbing.serving.faults import FaultBody

# A client may send JSON as a plain string.
router = APIRouter(strict_content_type=False)


class TextBody(BaseModel):
    """A text and its voice; noise scales are ignored, because the engines draw their own noise."""

    text: Text
    voice: Name | None = None
    """By default the first one."""
    speaker: Name | None = None
    """By default the first one of the voice."""
    speaker_id: int | None = Field(default=None, ge=0)
    """Counted from 0; it wins over ``speaker``."""
    length_scale: float = Field(default=1.0, ge=0.1, le=10)


@router.get("/health")
async def health(request: Request, response: Response) -> dict[str, Any]:
    """Tell whether all engines are loaded: 200, or 503 while one is not. Needs no key."""
    well = all(booth.state is State.READY for booth in desk_of(request).booths.values())
    response.status_code = 200 if well else 503
    return {"status": "ok" if well else "unavailable"}


@router.get("/info")
async def info(request: Request) -> dict[str, Any]:
    """Return the first voice, and not the last spoken text, which may be another caller's."""
    name, booth = next(iter(_voices(request).items()))
    language, speakers = language_of(request, booth.spec), len(booth.spec.voices)
    voice = {"name": name, "language": language, "num_speakers": speakers}
    return {"voice": voice, "last": None}


@router.get("/voices")
async def voices(request: Request) -> dict[str, Any]:
    """List the voices, each with the configuration that a voice of Piper has."""
    return {name: _config(request, booth) for name, booth in _voices(request).items()}


@router.post("/", response_class=Response)
@router.post("/synthesize", response_class=Response)
async def synthesize(request: Request, body: TextBody) -> Response:
    """Speak a text, as a WAV file."""
    booth = _booth(request, body.voice)
    language = language_of(request, booth.spec)
    speaker, speed = _speaker(booth, body), 1 / body.length_scale
    sound = await say(request, booth, body.text, language, voice=speaker, speed=speed)
    encode, media_type = FORMATS["wav"]
    return Response(encode(sound), media_type=media_type)


def _voices(request: Request) -> dict[str, Booth]:
    """Return the engines by the names of their voices."""
    booths = desk_of(request).booths.values()
    return {booth.name.removeprefix("piper-"): booth for booth in booths}


def _booth(request: Request, voice: str | None) -> Booth:
    """Return the engine of a voice, or the first one; raises NotFound."""
    booths = _voices(request)
    name = voice or next(iter(booths))
    if name not in booths:
        raise NotFound(f"there is no voice {name!r}; {nearest(name, [*booths])}")
    return booths[name]


def _speaker(booth: Booth, body: TextBody) -> str:
    """Return the stock voice of a request; raises BadInput for a number that is too high."""
    if body.speaker_id is None:
        return body.speaker or first_voice(booth.spec)
    if body.speaker_id >= (count := len(booth.spec.voices)):
        raise BadInput(f"{booth.name} has {count} speakers, from 0 on", where="speaker_id")
    return booth.spec.voices[body.speaker_id]


def _config(request: Request, booth: Booth) -> dict[str, Any]:
    spec, language = booth.spec, language_of(request, booth.spec)
    return {
        "audio": {"sample_rate": spec.sample_rate},
        "espeak": {"voice": language},
        "language": {"code": language.replace("-", "_")},
        "inference": {"length_scale": 1.0},
        "num_speakers": len(spec.voices),
        "speaker_id_map": {name: number for number, name in enumerate(spec.voices)},
    }


def _form(status: int, fault: FaultBody) -> tuple[int, Mapping[str, Any]]:
    """Return an error in the form of Piper's server: 500, and a page."""
    return status, {"error": fault.message}


def contract() -> Contract:
    """Return the contract."""
    return Contract(routers=[router], form=_form, engines="some")

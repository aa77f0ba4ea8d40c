"""YourTTS as a service: with registered speakers, and samples as numbers in JSON.

The routes are those of ``yourtts_service.py`` in TinoTau/lingua, on port 5004 there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, Field

from dubbing.engine_server.booth import State
from dubbing.engine_server.contract import Contract, plain_form
from dubbing.engine_server.desk import desk_of
from dubbing.engine_server.recordings import derived, sound_of, speech_in
from dubbing.engine_server.schema import Name, Text
from dubbing.engine_server.speech import first_voice, say
from dubbing.errors import BadInput
from dubbing.media.samples import Audio
from dubbing.media.sounds import at_rate
from dubbing.media.stretch import stretch

RATE = 22_050
"""Hz of every answer: the service claims it for every model, and here it is true."""
LANGUAGE = "zh"
"""Language of texts that name none."""
MOST_SPEAKERS = 10_000
"""Most registered speakers; beyond that, the oldest is forgotten."""
DECIMALS = 6
"""Of a sample."""


class _Recorded(BaseModel):
    reference_sample_rate: int = Field(default=16_000, ge=8000, le=192_000)


class SpeakerBody(_Recorded):
    """A speaker; a ``voice_embedding`` is not used, as in the service."""

    speaker_id: str = Field(min_length=1, max_length=200)
    reference_audio: list[float] = Field(min_length=1)


class TextBody(_Recorded):
    """A text with its voice: a registered speaker, a recording, or a stock voice."""

    text: Text
    speaker_id: Name | None = None
    reference_audio: list[float] | None = None
    speaker: Name | None = None
    language: Name | None = None
    speech_rate: float | None = Field(default=None, allow_inf_nan=False)
    """Characters a second, as `factor_of` reads them."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the state of requests: the digest of each registered speaker's form."""
    yield {"speakers": {}}


router = APIRouter(lifespan=_lifespan)


@router.get("/health")
async def health(request: Request, response: Response) -> dict[str, Any]:
    """Tell whether the model is loaded: 200, or 503 while it is not. Needs no key."""
    booth = desk_of(request).booth("")
    loaded = booth.state is State.READY
    response.status_code = 200 if loaded else 503
    told = {"status": "ok" if loaded else "unavailable", "model_loaded": loaded}
    return told | {"device": booth.device, "cached_speakers": len(request.state.speakers)}


@router.post("/register_speaker")
async def register(request: Request, body: SpeakerBody) -> dict[str, Any]:
    """Derive the voice of a speaker from a recording."""
    form = await _derived(request, body.reference_audio, body.reference_sample_rate)
    speakers: dict[str, str] = request.state.speakers
    speakers.pop(body.speaker_id, None)
    speakers[body.speaker_id] = form
    if len(speakers) > MOST_SPEAKERS:
        del speakers[next(iter(speakers))]
    told = {"status": "ok", "speaker_id": body.speaker_id, "cache_size": len(speakers)}
    return told | {"message": "Speaker registered successfully"}


@router.post("/synthesize")
async def synthesize(request: Request, body: TextBody) -> dict[str, Any]:
    """Speak a text; an unknown speaker is refused; the service would take another one."""
    desk = desk_of(request)
    booth = desk.booth("")
    language = body.language or desk.language or LANGUAGE
    form = await _form(request, body)
    voice = "" if form else body.speaker or first_voice(booth.spec)
    sound = await say(request, booth, body.text, language, voice=voice, form=form)
    if body.speech_rate is not None:
        factor = factor_of(body.speech_rate, language)
        sound = Audio(samples=stretch(sound, factor), rate=sound.rate)
    samples = at_rate(sound, RATE).samples.astype(np.float64).round(DECIMALS).tolist()
    told = {"audio": samples, "sample_rate": RATE, "text": body.text}
    return told | {"used_reference": bool(form), "speaker_applied": bool(form)}


def factor_of(rate: float, language: str) -> float:
    """Return the factor of speed for a rate in characters a second, by the service's own rule.

    In other languages than Chinese, a rate below 6 counts as a Chinese rate.
    """
    elsewhere = (rate * 2.4 if rate < 6 else rate) / 12
    factor = min(max(rate / 5 if language.startswith("zh") else elsewhere, 0.4), 2.5)
    return factor if abs(factor - 1) > 0.05 else 1.0


async def _form(request: Request, body: TextBody) -> str | None:
    """Return the digest of the form of a text's speaker, or None for a stock voice."""
    if body.speaker_id and (known := request.state.speakers.get(body.speaker_id)):
        form: str = known
        return form
    if body.reference_audio:
        return await _derived(request, body.reference_audio, body.reference_sample_rate)
    if body.speaker_id:
        raise BadInput(
            f"{body.speaker_id!r} is not registered: register the speaker, or send reference_audio",
            where="speaker_id",
        )
    return None


async def _derived(request: Request, numbers: Sequence[float], rate: int) -> str:
    """Return the digest of the form that the engine derives from a recording."""
    where = "reference_audio"
    speech = await asyncio.to_thread(speech_in, sound_of(numbers, rate, where), where)
    desk = desk_of(request)
    return desk.forms.keep(await derived(request, desk.booth(""), speech, where))


def contract() -> Contract:
    """Return the contract."""
    return Contract(routers=[router], form=plain_form)

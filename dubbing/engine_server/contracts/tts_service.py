"""The speech service of video-auto-dubbing: speech of a length that the caller sets.

The routes are those of its ``tts_service``, on port 8000 there. This server fetches no address. It
supports or refuses fields that the service ignores: speakers, languages, and the control of
prosody. It has no route for batches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import log2
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from dubbing.engine_server.booth import State
from dubbing.engine_server.contract import Contract
from dubbing.engine_server.contracts.tts_schema import (
    SPEAKER,
    DurationMismatch,
    ProsodyBody,
    TextBody,
    form,
)
from dubbing.engine_server.desk import desk_of
from dubbing.engine_server.shelf import Shelf
from dubbing.engine_server.speech import first_voice, say
from dubbing.media.samples import Audio
from dubbing.media.scratch import scratch, sweep
from dubbing.media.sounds import FORMATS, at_rate
from dubbing.media.stretch import stretch

LANGUAGE = "en"
"""Language of texts that name none."""
CLOSE = 0.05
"""Tolerance of a sound's length in seconds, as in the service."""
SLOWEST, FASTEST = 0.5, 2.0
"""Limits of the stretch: the contract's limits of speed. The service has none."""
MOST_FILES = 256
"""Most sounds to keep for fetching; beyond that, the oldest is removed."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the state of requests: the sounds to fetch."""
    sweep()
    with scratch() as folder:
        yield {"shelf": Shelf(folder, MOST_FILES)}


router = APIRouter(lifespan=_lifespan)


@router.get("/health")
async def health(request: Request, response: Response) -> dict[str, Any]:
    """Tell whether the engine is loaded: 200, or 503 while it is not. Needs no key."""
    booth = desk_of(request).booth("")
    loaded = booth.state is State.READY
    response.status_code = 200 if loaded else 503
    told = {"status": "healthy" if loaded else "degraded", "model_loaded": loaded}
    # The engine takes the place of IndexTTS2 in the service.
    told |= {"backend": booth.name, "index_tts2_loaded": loaded}
    return told | {"message": f"{booth.name} is {booth.state}"}


@router.get("/speakers")
async def speakers(request: Request) -> dict[str, Any]:
    """List the stock voices."""
    desk = desk_of(request)
    names = dict.fromkeys([SPEAKER, *desk.booth("").spec.voices])
    told = {"language": desk.language or LANGUAGE, "gender": "neutral"}
    return {"speakers": [{"id": name, "name": name} | told for name in names]}


@router.post("/synthesize", response_model=None)
async def synthesize(request: Request, body: TextBody) -> Response | dict[str, Any]:
    """Speak a text; return the sound to callers that accept sound, and otherwise its address."""
    sound = await _sound(request, body)
    encode, media_type = FORMATS[body.output_format]
    data = encode(sound)
    if "audio" in request.headers.get("accept", ""):
        return Response(data, media_type=media_type)
    address = request.url_for("audio", name=_shelf(request).keep(data, body.output_format))
    told = {"audio_url": str(address), "file_size": len(data), "format": body.output_format}
    return told | {"duration_ms": round(sound.seconds * 1000), "sample_rate": sound.rate}


@router.get("/audio/{name}", response_class=Response)
async def audio(request: Request, name: str) -> Response:
    """Return a sound, as long as it is kept."""
    data = _shelf(request).get(name)
    return Response(data, media_type="audio/mpeg" if name.endswith("mp3") else "audio/wav")


async def _sound(request: Request, body: TextBody) -> Audio:
    """Return the sound of a text at its length and rate; raises as `say` does."""
    desk = desk_of(request)
    spec, prosody = desk.booth("").spec, body.prosody_control or ProsodyBody()
    body.check()
    sound = await say(
        request,
        desk.booth(""),
        body.text,
        body.language or desk.language or LANGUAGE,
        voice=first_voice(spec) if body.speaker_id == SPEAKER else body.speaker_id,
        speed=prosody.speed,
        pitch=12 * log2(prosody.pitch),
    )
    return at_rate(_lasting(sound, body.target_duration_ms / 1000), body.sample_rate)


def _lasting(sound: Audio, seconds: float) -> Audio:
    """Return a sound stretched to a length; raises DurationMismatch beyond the bounds."""
    if abs(sound.seconds - seconds) < CLOSE:
        return sound
    if not SLOWEST <= (factor := sound.seconds / seconds) <= FASTEST:
        raise DurationMismatch(
            f"the speech lasts {sound.seconds:.2f} s, and {seconds:.2f} s are asked: it can be "
            f"stretched to {sound.seconds / FASTEST:.2f} to {sound.seconds / SLOWEST:.2f} s",
            where="target_duration_ms",
        )
    return Audio(samples=stretch(sound, factor), rate=sound.rate)


def _shelf(request: Request) -> Shelf:
    shelf: Shelf = request.state.shelf
    return shelf


def contract() -> Contract:
    """Return the contract."""
    return Contract(routers=[router], form=form)

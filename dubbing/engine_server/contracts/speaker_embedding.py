"""Speaker embeddings as a service, by the project's own encoder, without an engine.

The routes are those of ``speaker_embedding_service.py`` in TinoTau/lingua, on port 5003 there. The
model of that service has 192 dimensions, and this one 256: embeddings of the two do not compare.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, Field

from dubbing.engine_server.contract import Contract, plain_form
from dubbing.engine_server.recordings import sound_of
from dubbing.errors import EngineMissing
from dubbing.media.samples import Audio
from dubbing.voices.speaker_encoder import (
    INSTALL,
    RATE,
    SEARCHED,
    SHORTEST,
    Embeddings,
    listen,
    unit,
)

LEAST = 16_000
"""Fewest samples of a recording: a second."""

router = APIRouter()


class RecordingBody(BaseModel):
    """A recording of one speaker, mono at 16 kHz."""

    audio: list[float] = Field(min_length=1)


@router.get("/health")
async def health() -> dict[str, Any]:
    """Tell whether the encoder is loaded; it is, before the server listens. Needs no key."""
    return {"status": "ok", "model_loaded": True}


@router.post("/extract")
async def extract(body: RecordingBody) -> dict[str, Any]:
    """Return the embedding of a speaker; too little speech has none, without an error."""
    told = {"input_samples": len(body.audio), "sample_rate": RATE}
    if len(body.audio) < LEAST:
        return told | _without(f"{len(body.audio)} samples are fewer than {LEAST}")
    heard = await asyncio.to_thread(listen, sound_of(body.audio, RATE, "audio"), SEARCHED)
    if heard is None:
        return told | _without(f"less than {SHORTEST:g} s of speech are heard in it")
    embedding = unit(heard.mean(axis=0))
    told |= {"embedding": embedding.tolist(), "dimension": len(embedding)}
    return told | {"stats": _statistics(embedding)}


def _without(why: str) -> dict[str, Any]:
    """Return the answer without an embedding; the service would guess a gender by loudness."""
    told = {"embedding": None, "too_short": True, "use_default": True, "estimated_gender": None}
    return told | {"message": f"Audio too short: {why}"}


def _statistics(embedding: Embeddings) -> dict[str, float]:
    figures = {
        "mean": embedding.mean(),
        "std": embedding.std(),
        "min": embedding.min(),
        "max": embedding.max(),
        "norm": np.linalg.norm(embedding),
        "abs_mean": np.abs(embedding).mean(),
    }
    return {name: float(figure) for name, figure in figures.items()}


def contract() -> Contract:
    """Return the contract with the encoder loaded, because callers wait at most 5 s.

    Raises EngineMissing.
    """
    hum = np.sin(np.arange(2 * RATE) / 10).astype(np.float32)
    if listen(Audio(samples=hum, rate=RATE), 1) is None:
        raise EngineMissing(f"the speaker encoder is not installed, or damaged: {INSTALL}")
    return Contract(routers=[router], form=plain_form, engines="none")

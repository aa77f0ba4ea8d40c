"""The request and response bodies of OpenAI's routes for speech, shared by our servers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dubbing.media.sounds import SoundFormat

MOST_INPUT = 4096
"""Most characters of an input, the same as OpenAI's limit."""

Name = Annotated[str, StringConstraints(max_length=200)]


class SpeechBody(BaseModel):
    """The fields of OpenAI's request, and a language; other fields are ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": "espeak", "input": "The train leaves at nine.", "voice": "Annie"},
            ]
        }
    )

    model: Name
    """One of the engines."""
    input: Annotated[str, StringConstraints(min_length=1, max_length=MOST_INPUT)]
    voice: Name
    """A stock voice, or one that the server made."""
    response_format: SoundFormat = "mp3"
    speed: float = Field(default=1.0, ge=0.25, le=4.0)
    language: Annotated[str, StringConstraints(max_length=35)] = ""
    """BCP 47 tag, for an engine of several languages."""
    stream_format: Literal["audio"] = "audio"


class ModelBody(BaseModel):
    """An engine, in the form of OpenAI's models."""

    id: str
    object: Literal["model"] = "model"
    owned_by: str = "dubbing"
    created: int = 0


class ModelsBody(BaseModel):
    """The engines."""

    object: Literal["list"] = "list"
    data: list[ModelBody]


class VoiceBody(BaseModel):
    """A voice."""

    id: str
    name: str


class VoiceListBody(BaseModel):
    """The voices of all engines."""

    voices: list[VoiceBody]


SOUND: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/*": {}}, "description": "The sound, in the requested format."}
}


def models_body(engines: Iterable[str]) -> ModelsBody:
    """Return engines in the form of OpenAI's list of models."""
    return ModelsBody(data=[ModelBody(id=name) for name in engines])


def voices_body(names: Iterable[str]) -> VoiceListBody:
    """Return voices without duplicates, in the form of Kokoro-FastAPI and similar servers."""
    return VoiceListBody(voices=[VoiceBody(id=name, name=name) for name in dict.fromkeys(names)])

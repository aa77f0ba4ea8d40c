"""The bodies of requests and answers in JSON; OpenAPI shows them with their examples."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from dubbing.documents import Model
from dubbing.engine_server.booth import State
from dubbing.engines.engine import EngineSpec
from dubbing.serving.faults import FaultBody

MOST_TEXT = 5000
"""Characters of a line; each engine takes fewer."""
MOST_LINES = 64
SEED = 2**31 - 1

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MOST_TEXT)]
Name = Annotated[str, StringConstraints(max_length=200)]


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class LineBody(Model):
    """A line to speak; the fields are those of `dubbing.engines.engine.Line`."""

    model_config = _example(text="The train leaves at nine.", language="en", voice="Annie")

    text: Text
    """In words: numbers and signs are read as the engine reads them."""
    language: Annotated[str, StringConstraints(min_length=1, max_length=35)]
    """BCP 47 tag."""
    voice: Name = ""
    """A stock voice; or leave it out and name a form."""
    form: Digest | None = None
    """The digest of a form that was sent or derived here."""
    base_voice: Name = ""
    """For a converter: the stock voice of its base."""
    speed: float = Field(default=1.0, gt=0, le=10)
    pitch: float = Field(default=0.0, ge=-24, le=24)
    """Semitones."""
    style: Name = ""
    seed: int = Field(default=0, ge=0, le=SEED)

    @model_validator(mode="after")
    def _has_one_voice(self) -> LineBody:
        if bool(self.voice) == bool(self.form):
            raise ValueError("name a voice or a form")
        return self


class SynthesizeBody(Model):
    """Lines that the engine speaks in one call."""

    model_config = _example(
        engine="espeak",
        lines=[{"text": "The train leaves at nine.", "language": "en", "voice": "Annie"}],
    )

    engine: Name = ""
    """One of the served engines; it may be left out where there is one."""
    lines: list[LineBody] = Field(min_length=1, max_length=MOST_LINES)
    forms: dict[Digest, str] = Field(default={}, max_length=MOST_LINES)
    """Forms of voices that this server may not know: safetensors in Base64, by SHA-256."""


class SpokenBody(Model):
    """A line's sound, or its error."""

    audio: str | None = None
    """A WAV file of 32-bit floats, mono, in Base64."""
    seconds: float = 0.0
    error: FaultBody | None = None


class SynthesizedBody(Model):
    """One result for each line, in order."""

    engine: str
    model: str
    """Hex digest of the model that spoke."""
    results: list[SpokenBody]


class FormBody(Model):
    """A voice that was derived from a recording."""

    form: Digest
    """To be named by lines."""
    data: str
    """The form itself, safetensors in Base64, for use with other servers of the same model."""
    seconds: float
    """Length of the recording."""


class EngineBody(Model):
    """A served engine."""

    name: str
    state: State
    waiting: int
    """Lines that wait."""
    model: str
    """Hex digest; ``""`` while it loads."""
    spec: EngineSpec


class InfoBody(Model):
    """The server and its engines."""

    version: str
    engines: list[EngineBody]


class HealthBody(Model):
    """Whether all engines are loaded."""

    status: str
    engines: dict[str, State]


class VoicesBody(Model):
    """Stock voices, by engine."""

    voices: dict[str, list[str]]

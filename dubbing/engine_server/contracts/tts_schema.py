"""The body of a request and the errors of video-auto-dubbing's speech service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from dubbing.engine_server.schema import Name
from dubbing.errors import BadInput
from dubbing.serving.faults import FaultBody

SPEAKER = "default"
"""The speaker of texts that name none: the first stock voice."""
MOST_TEXT = 10_000
"""Characters, as in the service."""
Rate: TypeAlias = Literal[8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
"""Hz; the rates that MP3 has."""


class TextTooLong(BadInput):
    """The text has too many characters."""

    code = "text_too_long"


class DurationMismatch(BadInput):
    """The speech is too far from the requested length."""

    code = "duration_mismatch"


class ProsodyBody(BaseModel):
    """Factors; an engine without a speed or a pitch of its own refuses others than 1."""

    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    pitch: float = Field(default=1.0, ge=0.5, le=2.0)
    energy: float = Field(default=1.0, ge=0.5, le=2.0)


class TextBody(BaseModel):
    """A text with its target length."""

    text: str = Field(min_length=1)
    target_duration_ms: int = Field(gt=0, le=3_600_000)
    speaker_id: Name = SPEAKER
    language: Name = ""
    prosody_control: ProsodyBody | None = None
    output_format: Literal["wav", "mp3"] = "wav"
    sample_rate: Rate = 22050
    prompt_audio_url: str | None = None
    indextts_gradio_url: str | None = None
    time_constraints: dict[str, Any] | None = None

    def check(self) -> None:
        """Raise TextTooLong, and BadInput for unsupported fields."""
        if self.prompt_audio_url or self.indextts_gradio_url:
            raise BadInput(
                "no address is fetched here: leave it out, and name one of /speakers",
                where="prompt_audio_url" if self.prompt_audio_url else "indextts_gradio_url",
            )
        if self.prosody_control and self.prosody_control.energy != 1:
            raise BadInput("no engine has an energy: leave it out", where="prosody_control.energy")
        if self.time_constraints:
            raise BadInput("send each segment as a request", where="time_constraints")
        if len(self.text) > MOST_TEXT:
            raise TextTooLong(
                f"{len(self.text)} characters are more than {MOST_TEXT}", where="text"
            )


ERRORS: Mapping[str, tuple[int, str]] = {
    "bad_input": (400, "invalid_parameter"),
    "text_too_long": (400, "text_too_long"),
    "duration_mismatch": (400, "duration_mismatch"),
    "unauthorized": (401, "authentication_error"),
    "busy": (429, "rate_limit_error"),
    "engine_failed": (500, "synthesis_failed"),
    "speech_rejected": (500, "synthesis_failed"),
    "unforeseen": (500, "internal_error"),
    "engine_away": (503, "model_not_loaded"),
}
"""Status and code in the service, by the code here; other errors keep theirs."""


def form(status: int, fault: FaultBody) -> tuple[int, Mapping[str, Any]]:
    """Return an error in the service's form."""
    status, code = ERRORS.get(fault.code, (status, fault.code))
    details = [detail.model_dump() for detail in fault.details]
    return status, {"error": code, "message": fault.message, "details": details or {}}

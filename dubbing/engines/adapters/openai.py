"""Any server that speaks OpenAI's route for speech: ``POST /v1/audio/speech``.

vLLM-Omni, Kokoro-FastAPI, speaches, LocalAI, Chatterbox servers, coqui's ``tts-server``, OpenAI.
Each pool of such servers is an instance: ``openai-kokoro`` beside ``openai-qwen``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dubbing.engines.adapters._shared import cannot_clone, names_in, no_such_voice
from dubbing.engines.engine import EngineSpec, Line, VoiceForm
from dubbing.engines.remote.engine import RemoteEngine
from dubbing.engines.remote.pool import Endpoint, Pool
from dubbing.errors import DubbingError

if TYPE_CHECKING:
    from dubbing.engines.remote.wire import Wire
    from dubbing.media.samples import Audio

SPEECH, MODELS, VOICES = "audio/speech", "models", "audio/voices"


class OpenAI(RemoteEngine):
    """Speaks in the servers' own voices. The contract has a speed, but no pitch and no seed."""

    spec = EngineSpec(
        name="openai",
        summary="Servers with OpenAI's route for speech: vLLM-Omni, Kokoro-FastAPI, speaches, …",
        languages=("*",),
        # The contract's most is 4096; the shorter the line, the less is lost with it.
        max_characters={"*": 1000},
        speed=(0.25, 4.0),
        # Only a guess: the rate is read from each answer.
        sample_rate=24_000,
        batch_lines=8,
        batch_seconds=600.0,
        seconds_per_call=300.0,
        device="remote",
        licence="that of the server and its model",
    )

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: only the servers' own voices speak."""
        raise cannot_clone(self.spec)

    def refusal(self, line: Line) -> DubbingError | None:
        """Return why a line is not sent to any endpoint, or None.

        Some servers speak in their default voice when they do not know the one that was asked.
        """
        if isinstance(line.voice, str) and line.voice in self.spec.voices:
            return None
        return no_such_voice(self.spec, line.voice)

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit when an endpoint lists its models, and the pool's is not one of them."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - commands send nothing

        served = models_of(wire, endpoint)
        if self.pool.model and served and self.pool.model not in served:
            listed = ", ".join(served[:5])
            raise Unfit(f"it does not serve {self.pool.model!r}, but {listed}")

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Have an endpoint speak a line."""
        from dubbing.engines.remote.sound import sound_of  # noqa: PLC0415 - commands send nothing

        content: dict[str, Any] = {
            "model": self.pool.model or "default",
            "input": line.text,
            "voice": line.voice,
            "response_format": "wav",
            "speed": round(line.speed, 4),
            **self.pool.fields,
        }
        return sound_of(wire.post(endpoint, SPEECH, content, seconds))

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return a pool with the model and the voices that an endpoint lists."""
        models, voices = models_of(wire, endpoint), voices_of(wire, endpoint)
        model = declared.model or (models[0] if len(models) == 1 else "")
        return declared.model_copy(update={"model": model, "voices": declared.voices or voices})


def models_of(wire: Wire, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the models that an endpoint lists; none when it lists none."""
    found = wire.get(endpoint, MODELS)
    return names_in(found.get("data") if isinstance(found, dict) else None)


def voices_of(wire: Wire, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the voices that an endpoint lists, each by the name that it takes."""
    found = wire.get(endpoint, VOICES)
    return names_in(found.get("voices") if isinstance(found, dict) else found)

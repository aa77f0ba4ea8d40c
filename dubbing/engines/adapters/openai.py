"""Any server with OpenAI's route for speech: ``POST /v1/audio/speech``.

vLLM-Omni, Kokoro-FastAPI, speaches, LocalAI, Chatterbox servers, coqui's ``tts-server``, OpenAI.
Each pool of such servers is an instance: ``openai-kokoro`` beside ``openai-qwen``. A pool may
declare that its servers clone: then they take a reference with each line, as ``ref_audio``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dubbing.engines.adapters._cloning import CloningEngine
from dubbing.engines.adapters._shared import cannot_clone, names_in
from dubbing.engines.engine import EngineSpec, Line
from dubbing.engines.remote.pool import Endpoint, Pool
from dubbing.errors import SpeechRejected

if TYPE_CHECKING:
    from dubbing.engines.remote.wire import Wire
    from dubbing.media.samples import Audio

SPEECH, MODELS, VOICES = "audio/speech", "models", "audio/voices"
REFERENCE_SECONDS = (3.0, 30.0)
"""Shortest and longest reference: some models take no longer one, and a cut reference would not
match its transcript."""
NO_SOUND = "data:audio/wav;base64,AAAA"
"""An invalid reference, which a server that clones refuses."""
PROBE_SECONDS = 60.0


class OpenAI(CloningEngine):
    """An engine over servers with OpenAI's route, which supports speed, but no pitch or seed."""

    spec = EngineSpec(
        name="openai",
        summary="Servers with OpenAI's route for speech: vLLM-Omni, Kokoro-FastAPI, speaches, …",
        languages=("*",),
        # The API's limit is 4096; a shorter line loses less when it fails.
        max_characters={"*": 1000},
        speed=(0.25, 4.0),
        # A guess; the actual rate is read from each answer.
        sample_rate=24_000,
        batch_lines=8,
        batch_seconds=600.0,
        seconds_per_call=300.0,
        device="remote",
        licence="that of the server and its model",
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if self.pool.clones:
            update = {"clones": True, "reference_seconds": REFERENCE_SECONDS}
            self.spec = self.spec.model_copy(update=update)

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit when an endpoint does not serve the pool's model, or does not clone.

        The model is compared only if the server lists its models.
        """
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - commands send nothing

        served = models_of(wire, endpoint)
        if self.pool.model and served and self.pool.model not in served:
            listed = ", ".join(served[:5])
            raise Unfit(f"it does not serve {self.pool.model!r}, but {listed}")
        if self.pool.clones and self._speaks(wire, endpoint, NO_SOUND):
            raise Unfit("it ignores ref_audio and speaks in another voice: it does not clone")

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Let an endpoint speak a line."""
        from dubbing.engines.remote.sound import sound_of  # noqa: PLC0415 - commands send nothing

        if not (isinstance(line.voice, str) or self.pool.clones):
            # The pool was changed since it was loaded, and its servers may ignore references.
            raise cannot_clone(self.spec)
        content = {
            **self._content(line.text),
            **_voice(line),
            "speed": round(line.speed, 4),
            **self.pool.sent(line.language),
        }
        return sound_of(wire.post(endpoint, SPEECH, content, seconds))

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return a pool with the model and the voices that an endpoint lists."""
        models, voices = models_of(wire, endpoint), voices_of(wire, endpoint)
        model = declared.model or (models[0] if len(models) == 1 else "")
        return declared.model_copy(update={"model": model, "voices": declared.voices or voices})

    def _content(self, text: str) -> dict[str, Any]:
        model = self.pool.model or "default"
        return {"model": model, "input": text, "response_format": "wav"}

    def _speaks(self, wire: Wire, endpoint: Endpoint, reference: str) -> bool:
        """Whether an endpoint speaks despite an invalid reference, and so ignores references."""
        from dubbing.engines.remote.wire import Failed  # noqa: PLC0415 - commands send nothing

        content = {**self._content("One."), "ref_audio": reference, "ref_text": "One."}
        try:
            wire.post(endpoint, SPEECH, content | self.pool.fields, PROBE_SECONDS)
        except (Failed, SpeechRejected):
            return False
        return True


def _voice(line: Line) -> dict[str, str]:
    """Return the fields of a line's voice: its name, or the reference and its transcript."""
    # Commands that list engines handle no sound.
    from dubbing.engines.remote.references import data_uri, transcript_of, wav_of  # noqa: PLC0415

    if isinstance(line.voice, str):
        return {"voice": line.voice}
    words = transcript_of(line.voice)
    reference = {"ref_audio": data_uri(wav_of(line.voice))}
    return reference | ({"ref_text": words} if words else {})


def models_of(wire: Wire, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the models that an endpoint lists; empty without a list."""
    found = wire.get(endpoint, MODELS)
    return names_in(found.get("data") if isinstance(found, dict) else None)


def voices_of(wire: Wire, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names of the voices that an endpoint lists."""
    found = wire.get(endpoint, VOICES)
    return names_in(found.get("voices") if isinstance(found, dict) else found)

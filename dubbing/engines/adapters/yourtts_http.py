"""YourTTS as a service: ``POST /register_speaker`` and ``POST /synthesize``, with samples in JSON.

The service keeps registered speakers until its restart. For an unknown speaker it uses a default
voice, which only ``speaker_applied`` shows. Its answers state the same sample rate for every model,
so the pool declares the actual rate.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar

from dubbing.engines.adapters._cloning import CloningEngine
from dubbing.engines.adapters._shared import no_such_voice
from dubbing.engines.engine import EngineSpec, Line, VoiceForm
from dubbing.engines.remote.pool import Endpoint, Pool

if TYPE_CHECKING:
    from dubbing.engines.remote.wire import Wire
    from dubbing.media.samples import Audio

SPEECH, REGISTER, HEALTH = "synthesize", "register_speaker", "health"
REFERENCE_RATE = 16_000
"""Hz at which the service takes references."""
REGISTER_SECONDS = 60.0
LANGUAGES = {"fr": "fr-fr", "pt": "pt-br"}
"""Languages with another name in the service, without their region."""


class YourTTSHTTP(CloningEngine):
    """An engine that registers a reference once, and speaks in its voice.

    The name of a speaker is a digest of the reference. The service has no lock around its model, so
    it gets one line at a time. Its parameter for speed is not used, because it means characters a
    second and stretches the speech.
    """

    most_slots: ClassVar[int] = 1
    spec = EngineSpec(
        name="yourtts-http",
        summary="YourTTS as a service, with registered speakers: clones from some seconds",
        languages=("en", "fr", "pt-BR"),
        clones=True,
        reference_seconds=(3.0, 60.0),
        max_characters={"*": 400},
        characters_per_second={"*": 15.0},
        # The published model's rate; the service states 22050 for every model.
        sample_rate=16_000,
        batch_lines=8,
        batch_seconds=600.0,
        seconds_per_call=300.0,
        device="remote",
        licence="CC-BY-NC-ND-4.0 (non-commercial)",
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._registered: set[tuple[str, str]] = set()
        """The speakers that each server knows, by its address and the speaker's name."""
        self._registering: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        """Locks for sending a speaker to a server, by its address."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Return the recording itself at the service's rate; raises as `CloningEngine` does."""
        # Commands that list engines handle no sound.
        import soxr  # noqa: PLC0415

        from dubbing.media.samples import Audio  # noqa: PLC0415

        samples = soxr.resample(reference.samples, reference.rate, REFERENCE_RATE, quality="HQ")
        heard = Audio(samples=samples.clip(-1.0, 1.0), rate=REFERENCE_RATE)
        return super().extract(heard, transcript)

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return a pool with the published model's name, languages and rate, unless declared."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - commands send nothing

        if declared.fields or declared.language_fields:
            raise Unfit(
                "it takes no fields but those of its contract: leave --field out, and "
                "--language-field"
            )
        plain = declared.languages == Pool().languages
        return declared.model_copy(
            update={
                "model": declared.model or "YourTTS",
                "rate": declared.rate or type(self).spec.sample_rate,
                "languages": type(self).spec.languages if plain else declared.languages,
            }
        )

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit unless an endpoint registers speakers and has its model."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - as in `probe`

        if not wire.has(endpoint, REGISTER):
            raise Unfit(f"it has no /{REGISTER}")
        health = wire.get(endpoint, HEALTH)
        if not (isinstance(health, dict) and health.get("model_loaded")):
            raise Unfit("its model is not loaded")
        # The service may have been restarted, and have lost its speakers.
        with self._registering[endpoint.url]:
            self._registered -= {known for known in self._registered if known[0] == endpoint.url}

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Let an endpoint speak a line."""
        # Commands that list engines send nothing, and handle no sound.
        from dubbing.engines.remote.references import name_of, wav_of  # noqa: PLC0415
        from dubbing.engines.remote.sound import sound_of_numbers  # noqa: PLC0415
        from dubbing.engines.remote.wire import Failed  # noqa: PLC0415

        if isinstance(line.voice, str):
            raise no_such_voice(self.spec, line.voice)
        speaker = name_of(wav_of(line.voice)).removesuffix(".wav")
        language = line.language.split("-", maxsplit=1)[0].lower()
        content = {
            "text": line.text,
            "speaker_id": speaker,
            "language": LANGUAGES.get(language, language),
        }
        for anew in (False, True):
            self._register(wire, endpoint, speaker, line.voice, anew=anew)
            answer = wire.exchange(endpoint, SPEECH, content, seconds)
            if isinstance(answer, dict) and answer.get("speaker_applied") is True:
                return sound_of_numbers(answer.get("audio"), self.spec.sample_rate)
        raise Failed("it did not speak in the voice of the reference")

    def _register(
        self, wire: Wire, endpoint: Endpoint, speaker: str, form: VoiceForm, *, anew: bool
    ) -> None:
        """Register a speaker at a server, unless it is known."""
        from dubbing.engines.remote.references import numbers_of  # noqa: PLC0415 - as in `ask`

        key = endpoint.url, speaker
        with self._registering[endpoint.url]:
            if key in self._registered and not anew:
                return
            content = {
                "speaker_id": speaker,
                "reference_audio": numbers_of(form),
                "reference_sample_rate": int(form["rate"][0]),
            }
            wire.exchange(endpoint, REGISTER, content, REGISTER_SECONDS)
            self._registered.add(key)

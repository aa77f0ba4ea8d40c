"""IndexTTS 2 and 2.5 on its own servers: it clones a voice from some seconds of speech.

The address of an endpoint is the server's root. Two APIs are supported; the API of a server is
detected when its endpoint is added:

- ``omni``: vLLM-Omni's ``/v1/audio/speech``, which takes the reference with each line;
- ``tts_url``: index-tts-vllm's ``/tts_url``, to which a reference is uploaded first. The file name
  contains the reference's digest, because these servers identify a speaker only by the path.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar

from dubbing.engines.adapters._cloning import CloningEngine
from dubbing.engines.adapters._emotions import omni_fields, tts_url_fields
from dubbing.engines.adapters._shared import names_in, no_such_voice
from dubbing.engines.engine import EngineSpec, Line
from dubbing.engines.remote.pool import Endpoint, Pool

if TYPE_CHECKING:
    from dubbing.engines.remote.wire import Wire
    from dubbing.media.samples import Audio

OMNI, TTS_URL = "omni", "tts_url"
SPEECH, MODELS = "v1/audio/speech", "v1/models"
UPLOAD, HEALTH = "upload_audio", "health"
INFO, SPEAKERS = "info", "speakers"
"""Routes by which other servers are recognised: an engine-server, and a ``tts_service``."""
NEWER = "2.5"
"""Part of the name of the model that supports speed and more languages."""
LANGUAGES, NEWER_LANGUAGES = ("zh", "en"), ("zh", "en", "ja", "es", "ar")
NEWER_SPEED = (0.5, 1.25)
"""Slowest and fastest speed; above it, the model does not get faster."""
TTS_URL_EMOTIONS = ("feelings", "text", "voice")
"""Emotions of index-tts-vllm, which speaks an emotion described by a text at full strength."""
UPLOAD_SECONDS = 60.0
FORGOTTEN = ("no such file", "not found", "not exist", "does not exist")
"""Parts of a server's message when it has lost an upload, for example after a restart."""


class IndexTTS(CloningEngine):
    """An engine that speaks in the voice of a reference; it has no stock voices."""

    # The model uses no more of a reference, but some servers would encode all of it.
    heard_seconds: ClassVar[float] = 15.0
    spec = EngineSpec(
        name="indextts",
        summary="IndexTTS 2 and 2.5 on rented cards, by vLLM-Omni or index-tts-vllm",
        languages=LANGUAGES,
        clones=True,
        reference_seconds=(3.0, 60.0),
        max_characters={"zh": 200, "ja": 200, "*": 500},
        characters_per_second={"zh": 4.5, "ja": 7.5, "*": 15.0},
        emotions=("feelings", "text", "text_strength", "voice"),
        sample_rate=22_050,
        batch_lines=8,
        batch_seconds=600.0,
        seconds_per_call=600.0,
        device="remote",
        licence="bilibili model licence (its outputs may not train other models)",
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._uploaded: dict[tuple[str, str], str] = {}
        """The path of a reference on a server, by the server's address and the reference's name."""
        self._uploading: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        """Locks for looking up or sending references, by the server's address."""
        if self.pool.dialect == TTS_URL:
            self.spec = self.spec.model_copy(update={"emotions": TTS_URL_EMOTIONS})
        elif self.pool.endpoints and NEWER in self.pool.model:
            self.spec = self.spec.model_copy(update={"speed": NEWER_SPEED})

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return a pool with the contract and the model that an endpoint has."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - commands send nothing

        told = wire.get(endpoint, INFO)
        if isinstance(told, dict) and "engines" in told:
            raise Unfit("it is an engine-server of dubbing: add it to `remote-indextts`")
        if models := _models(wire, endpoint):
            model = declared.model or next((m for m in models if "index" in m.lower()), models[0])
            update: dict[str, Any] = {"dialect": OMNI, "model": model}
        elif wire.has(endpoint, TTS_URL) and wire.has(endpoint, UPLOAD):
            update = {"dialect": TTS_URL, "model": declared.model or "IndexTTS-2"}
        elif wire.has(endpoint, TTS_URL):
            raise Unfit(f"it has no /{UPLOAD}, so no reference can reach it")
        elif wire.has(endpoint, SPEAKERS):
            raise Unfit("it is a tts_service, which ignores the voice that a line is to have")
        else:
            raise Unfit(f"it has neither /{MODELS}, as vLLM-Omni has, nor /{TTS_URL}")
        if declared.languages == Pool().languages:
            update["languages"] = NEWER_LANGUAGES if NEWER in update["model"] else LANGUAGES
        return declared.model_copy(update=update)

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit unless an endpoint speaks the pool's contract, with its model."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - commands send nothing

        if self.pool.dialect == TTS_URL:
            wire.get(endpoint, HEALTH)
            if not wire.has(endpoint, TTS_URL):
                raise Unfit(f"it has no /{TTS_URL}")
            # It may be another machine at the same address.
            with self._uploading[endpoint.url]:
                known = [key for key in self._uploaded if key[0] == endpoint.url]
                for key in known:
                    del self._uploaded[key]
        elif self.pool.model not in (models := _models(wire, endpoint)):
            served = ", ".join(models[:5]) or "no model"
            raise Unfit(f"it does not serve {self.pool.model!r}, but {served}")

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Let an endpoint speak a line."""
        # Commands that list engines send nothing, and handle no sound.
        from dubbing.engines.remote.references import wav_of  # noqa: PLC0415
        from dubbing.engines.remote.sound import sound_of  # noqa: PLC0415
        from dubbing.engines.remote.wire import Failed  # noqa: PLC0415

        if isinstance(line.voice, str):
            raise no_such_voice(self.spec, line.voice)
        reference = wav_of(line.voice)
        shown = wav_of(line.emotion_voice) if line.emotion_voice else b""
        if self.pool.dialect == OMNI:
            content = {**self._omni(line, reference, shown), **self.pool.sent(line.language)}
            return sound_of(wire.post(endpoint, SPEECH, content, seconds))

        def spoken(*, anew: bool = False) -> Audio:
            path = self._path(wire, endpoint, reference, anew=anew)
            emotion = self._path(wire, endpoint, shown, anew=anew) if shown else ""
            content = {
                "text": line.text,
                "spk_audio_path": path,
                **tts_url_fields(line.emotion, emotion),
                **self.pool.sent(line.language),
            }
            return sound_of(wire.post(endpoint, TTS_URL, content, seconds))

        try:
            return spoken()
        except Failed as exc:
            if not any(words in str(exc).lower() for words in FORGOTTEN):
                raise
        return spoken(anew=True)

    def _omni(self, line: Line, reference: bytes, shown: bytes) -> dict[str, Any]:
        from dubbing.engines.remote.references import data_uri  # noqa: PLC0415 - as in `ask`

        # Without a language, the server assumes Chinese.
        language = line.language.split("-", maxsplit=1)[0].lower()
        emotion = omni_fields(line.emotion, data_uri(shown) if shown else "")
        speed = {"speed": round(line.speed, 4)} if line.speed != 1.0 else {}
        return {
            "model": self.pool.model,
            "input": line.text,
            "ref_audio": data_uri(reference),
            "response_format": "wav",
            "seed": line.seed,
            "extra_params": {"lang": language, **emotion},
            **speed,
        }

    def _path(self, wire: Wire, endpoint: Endpoint, reference: bytes, *, anew: bool = False) -> str:
        """Return a reference's path on a server; upload it on first use, or if ``anew``."""
        from dubbing.engines.remote.references import name_of  # noqa: PLC0415 - as in `ask`
        from dubbing.engines.remote.wire import Failed  # noqa: PLC0415 - as in `ask`

        name = name_of(reference)
        key = endpoint.url, name
        with self._uploading[endpoint.url]:
            if anew:
                self._uploaded.pop(key, None)
            if key not in self._uploaded:
                told = wire.upload(endpoint, UPLOAD, name, reference, UPLOAD_SECONDS)
                path = told.get("server_path") if isinstance(told, dict) else None
                if not isinstance(path, str):
                    raise Failed("it did not say where it put a reference")
                self._uploaded[key] = path
            return self._uploaded[key]


def _models(wire: Wire, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the models that vLLM-Omni serves; none for another server."""
    found = wire.get(endpoint, MODELS)
    return names_in(found.get("data") if isinstance(found, dict) else None)

"""GPT-SoVITS by its own server, ``api_v2.py``: it clones a voice from 3 to 10 seconds.

The server takes a reference by a local path, so it has to share a folder with the workers. It mixes
up voices when it gets two lines at once. It reports a failure as a second of silence at 16 kHz,
with status 200; no model of it speaks at that rate.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dubbing.engines.adapters._cloning import CloningEngine
from dubbing.engines.adapters._shared import no_such_voice
from dubbing.engines.engine import EngineSpec, Line
from dubbing.engines.remote.pool import Endpoint, Pool

if TYPE_CHECKING:
    from dubbing.engines.remote.wire import Wire
    from dubbing.media.samples import Audio

SPEECH, DOCS = "tts", "docs"
FAILURE_RATE = 16_000
"""Sample rate in Hz of the silence that reports a failure."""
CANTONESE = ("yue", "zh-hk", "zh-yue")
SAMPLING: dict[str, Any] = {
    "top_k": 15,
    "top_p": 1.0,
    "temperature": 1.0,
    "repetition_penalty": 1.35,
    "sample_steps": 32,
    "super_sampling": False,
    "batch_size": 1,
    "batch_threshold": 0.75,
    "split_bucket": True,
    "parallel_infer": True,
    "streaming_mode": False,
    "media_type": "wav",
    # One piece, and no silence after it.
    "text_split_method": "cut0",
    "fragment_interval": 0,
}
"""All of them are sent, because the server's defaults change with its releases."""


class GPTSoVITS(CloningEngine):
    """An engine that speaks in the voice of a reference, best with its transcript."""

    most_slots: ClassVar[int] = 1
    spec = EngineSpec(
        name="gpt-sovits",
        summary="GPT-SoVITS by its api_v2.py: clones from some seconds and their transcript",
        languages=("zh", "en", "ja", "ko", "yue"),
        clones=True,
        reference_seconds=(3.0, 10.0),
        max_characters={"zh": 150, "ja": 150, "yue": 150, "*": 400},
        characters_per_second={"zh": 4.5, "yue": 4.5, "ja": 7.5, "ko": 8.0, "*": 15.0},
        speed=(0.6, 1.65),
        # The rate of v2; the actual rate is read from each answer.
        sample_rate=32_000,
        batch_lines=8,
        batch_seconds=600.0,
        seconds_per_call=600.0,
        device="remote",
        licence="MIT; each model's own",
    )

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return the declared pool: these servers do not describe themselves."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - as in `ask`

        if not declared.references:
            raise Unfit("name the folder that it shares with the workers: --references FOLDER")
        languages = declared.languages
        if languages == Pool().languages:
            languages = type(self).spec.languages
        return declared.model_copy(update={"languages": languages})

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit unless an endpoint has the route."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - as in `ask`

        # A request without text is refused before anything is spoken.
        if not wire.has(endpoint, SPEECH):
            raise Unfit(f"it has no /{SPEECH}")

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Let an endpoint speak a line."""
        # Commands that list engines send nothing, and handle no sound.
        from dubbing.engines.remote.references import transcript_of, wav_of  # noqa: PLC0415
        from dubbing.engines.remote.sound import sound_of  # noqa: PLC0415
        from dubbing.engines.remote.wire import Failed  # noqa: PLC0415

        if isinstance(line.voice, str):
            raise no_such_voice(self.spec, line.voice)
        content = {
            "text": line.text,
            "text_lang": _language(line.language),
            "ref_audio_path": self._shared(wav_of(line.voice)),
            "prompt_text": transcript_of(line.voice),
            "prompt_lang": "auto",
            "speed_factor": round(line.speed, 4),
            "seed": line.seed,
            **SAMPLING,
            **self.pool.sent(line.language),
        }
        sound = sound_of(wire.post(endpoint, SPEECH, content, seconds))
        if sound.rate == FAILURE_RATE:
            raise Failed(f"its answer has {FAILURE_RATE} Hz, by which it reports a failure")
        return sound

    def _shared(self, reference: bytes) -> str:
        """Return the path of a reference in the shared folder; write it there if it is missing."""
        from dubbing.engines.remote.references import name_of  # noqa: PLC0415 - as in `ask`
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - as in `ask`

        path = Path(self.pool.references) / name_of(reference)
        try:
            if not path.exists():
                with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                    file.write(reference)
                written = Path(file.name)
                written.chmod(0o644)
                written.replace(path)
        except OSError as exc:
            raise Unfit(f"references cannot be written to {path.parent}: {exc.strerror}") from exc
        return str(path)


def _language(tag: str) -> str:
    """Return the server's name of a language."""
    return "yue" if tag.lower().startswith(CANTONESE) else tag.split("-", maxsplit=1)[0].lower()

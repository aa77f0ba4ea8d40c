"""YourTTS by coqui-tts: a VITS that speaks in the voice of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import soxr

from dubbing.engines.adapters._coqui.config import CONFIG, UNREAD, argument
from dubbing.engines.adapters._coqui.trained import Vector
from dubbing.engines.adapters._shared import check_heard, loaded
from dubbing.engines.adapters._torch import loading, torch_errors
from dubbing.engines.adapters.vits import Vits
from dubbing.engines.engine import EngineSpec, VoiceForm
from dubbing.engines.models.folders import Weights, read_config, within
from dubbing.errors import BadInput, EngineFailed, SpeechRejected
from dubbing.media.samples import Audio, Samples, level

ENCODER, ENCODER_CONFIG = "model_se.pth", "config_se.json"
WEIGHTS = Weights(
    files=(CONFIG, "*.pth", ENCODER, ENCODER_CONFIG),
    home="https://github.com/coqui-ai/TTS/releases/tag/v0.10.1_models",
)
FORM = "d_vector"


class YourTTS(Vits):
    """YourTTS, or another VITS of coqui-tts that was trained with vectors of a speaker encoder.

    A voice is the vector that the speaker encoder derives from a recording, ``{"d_vector": (512,)
    float32}`` in the published model. The vectors published with the model are stock voices.
    """

    weights: ClassVar[Weights | None] = WEIGHTS
    spec = EngineSpec(
        name="yourtts",
        summary="YourTTS by coqui-tts: fast, clones a voice from some seconds of it",
        languages=("en", "fr", "pt-BR"),
        clones=True,
        reference_seconds=(3.0, 60.0),
        max_characters={"*": 400},
        characters_per_second={"*": 15.0},
        speed=(0.5, 2.0),
        sample_rate=16_000,
        batch_lines=32,
        batch_seconds=160.0,
        seconds_per_call=180.0,
        device="cuda",
        licence="CC-BY-NC-ND-4.0 (non-commercial); of coqui-tts: MPL-2.0",
    )

    def __init__(self, name: str = "yourtts", folder: Path = Path()) -> None:
        super().__init__(name, folder)
        self._encoder: Any = None

    def _told(self, config: dict[str, Any]) -> dict[str, Any]:
        if not argument(config, "use_d_vector_file"):
            raise BadInput(
                "the model has no use_d_vector_file, so it cannot clone: it is one for 'vits'",
                where=str(self._folder / CONFIG),
            )
        fields = super()._told(config)
        # Without a file of vectors, the model has no stock voices.
        return fields if argument(config, "d_vector_file") else fields | {"voices": ()}

    def load(self, device: str) -> None:
        """Load the model and its speaker encoder; raises as `Vits.load`."""
        super().load(device)
        self._encoder = self._load_encoder(device)

    def _load_encoder(self, device: str) -> Any:
        """Return coqui-tts's `SpeakerManager`, which holds the speaker encoder."""
        self._check_encoder_config()
        paths = [str(within(self._folder, name)) for name in (ENCODER, ENCODER_CONFIG)]
        with loading(self.spec.name, self._folder):
            from TTS.tts.utils.speakers import SpeakerManager

            manager = SpeakerManager()
            manager.init_encoder(*paths)
            if manager.encoder.proj_dim != self._model.args.d_vector_dim:
                raise EngineFailed(
                    f"the vectors of {ENCODER} have {manager.encoder.proj_dim} numbers, and the "
                    f"model needs {self._model.args.d_vector_dim}: they do not belong together"
                )
            manager.encoder.to(device)
        return manager

    def _check_encoder_config(self) -> None:
        """Raise BadInput for an address, and for statistics, which coqui-tts would unpickle."""
        audio = read_config(self._folder, ENCODER_CONFIG, UNREAD).get("audio")
        if not isinstance(audio, dict) or audio.get("stats_path"):
            raise BadInput(
                "audio.stats_path: statistics are not read, as reading them runs what is in their "
                "file: take an encoder that was trained without them",
                where=str(self._folder / ENCODER_CONFIG),
            )

    def _files(self) -> list[Path]:
        return [*super()._files(), self._folder / ENCODER, self._folder / ENCODER_CONFIG]

    def unload(self) -> None:
        """Free the model and its encoder."""
        self._encoder = None
        super().unload()

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Return ``{"d_vector": (numbers,) float32}``, the mean over windows of the recording."""
        loaded(self.spec, self._encoder)
        check_heard(reference)
        samples = self._prepared(reference)
        with torch_errors(self.spec.name):
            return {FORM: self._vector(samples)}

    def _prepared(self, reference: Audio) -> Samples:
        """Return the recording's samples, processed as the encoder's configuration requires."""
        processor = self._encoder.encoder_ap
        samples = soxr.resample(reference.samples, reference.rate, processor.sample_rate)
        if processor.do_trim_silence:
            samples = processor.trim_silence(samples)
        if processor.do_sound_norm:
            samples = processor.sound_norm(samples)
        if processor.do_rms_norm:
            samples = samples * 10 ** ((processor.db_level - level(samples)) / 20)
        return np.asarray(samples, np.float32)

    def _vector(self, samples: Samples) -> Vector:
        import torch

        encoder = self._encoder.encoder
        given = (
            samples if encoder.use_torch_spec else self._encoder.encoder_ap.melspectrogram(samples)
        )
        device = next(encoder.parameters()).device
        vector = encoder.compute_embedding(torch.from_numpy(given)[None].to(device))
        embedding: Vector = vector[0].cpu().numpy()
        return embedding

    def _speaker(self, voice: str | VoiceForm) -> int | Vector | None:
        if isinstance(voice, str):
            return super()._speaker(voice)
        vector = np.asarray(voice.get(FORM, ()), np.float32)
        if vector.shape != (self._model.args.d_vector_dim,):
            raise SpeechRejected(f"the voice was not made for {self.spec.name}: extract it again")
        return vector

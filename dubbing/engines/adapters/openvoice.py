"""OpenVoice's tone colour converter: it gives an engine's speech the voice of a reference.

A model's folder contains MyShell's ``config.json`` and ``checkpoint.pth``, of version 1 or 2. The
converter keeps words, timing and melody.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import soxr
from pydantic import ConfigDict, Field

from dubbing.documents import Model, validated
from dubbing.engines.adapters._coqui.config import COQUI
from dubbing.engines.adapters._coqui.decoding import AHEAD, at_once
from dubbing.engines.adapters._shared import check_heard, loaded
from dubbing.engines.adapters._torch import (
    fix_weights,
    loading,
    prepare,
    release,
    torch_errors,
)
from dubbing.engines.engine import EngineSpec, Spoken, VoiceForm, described, require
from dubbing.engines.models.folders import Weights, digest_files, read_config, require_files
from dubbing.media.samples import Audio, Samples

if TYPE_CHECKING:
    from torch import Tensor

CONFIG, CHECKPOINT = "config.json", "checkpoint.pth"
HOME = "https://huggingface.co/myshell-ai/OpenVoiceV2"
WEIGHTS = Weights(
    files=(CONFIG, CHECKPOINT),
    home=HOME,
    repository="myshell-ai/OpenVoiceV2",
    fetched=(f"converter/{CONFIG}", f"converter/{CHECKPOINT}"),
)

WINDOW = 10.0
"""Seconds of a reference to encode at once, because the encoder favours the end of a sound."""
SEED = 0
"""Seed of the noise, the same for every sound, so that a result does not depend on its batch."""


class _Sound(Model):
    """The parameters of spectra, by MyShell's names."""

    model_config = ConfigDict(extra="ignore")

    sampling_rate: int = Field(gt=0)
    filter_length: int = Field(gt=0)
    hop_length: int = Field(gt=0)
    win_length: int = Field(gt=0)


class _Config(Model):
    """The part of ``config.json`` that is read."""

    model_config = ConfigDict(extra="ignore")

    data: _Sound
    model: dict[str, Any]
    """Sizes of the network; the published ones by default."""


class OpenVoice:
    """OpenVoice through coqui-tts; sounds are converted together, each to its own voice.

    A sound is converted in a batch as it would be alone, within floating-point error.
    """

    weights: ClassVar[Weights | None] = WEIGHTS
    extra: ClassVar[str] = "coqui"
    libraries: ClassVar[tuple[str, ...]] = COQUI
    spec = EngineSpec(
        name="openvoice",
        summary="OpenVoice: gives what another engine says the voice of a reference",
        languages=("*",),
        clones=True,
        reference_seconds=(3.0, 60.0),
        max_characters={"*": 1000},
        sample_rate=22050,
        batch_lines=16,
        batch_seconds=160.0,
        device="cuda",
        base="espeak",
        licence="MIT",
    )
    model: str
    together: int | None = None
    """Sounds to decode at once; by default, all on a card and one on a CPU."""

    def __init__(self, name: str = "openvoice", folder: Path = Path()) -> None:
        self._folder = folder
        self._model: Any = None
        spec = OpenVoice.spec
        if (folder / CONFIG).exists():
            rate = self._config().data.sampling_rate
            spec = spec.model_copy(update={"sample_rate": rate})
        self.spec = described(spec, name, folder)

    def load(self, device: str) -> None:
        """Load the converter; raises EngineMissing, EngineFailed, and BadInput for its folder."""
        require(self)
        require_files(WEIGHTS, self._folder, self.spec.name)
        checkpoint = self._folder / CHECKPOINT
        config = self._config()
        prepare()
        with loading(self.spec.name, self._folder):
            self._model = _open(config, checkpoint).to(device)
        self.model = digest_files([self._folder / CONFIG, checkpoint])

    def unload(self) -> None:
        """Free the converter, on a card too."""
        self._model = None
        release()

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Return the tone colour of a voice, ``{"se": (channels,) float32}``.

        For a long reference it is the mean over its parts. Raises SpeechRejected for a silent one.
        """
        import torch

        check_heard(reference)
        with torch_errors(self.spec.name), torch.inference_mode():
            parts = math.ceil(reference.seconds / WINDOW)
            waves = self._wave(reference).tensor_split(parts)
            colours = [self._loaded.extract_se(wave)[0] for wave in waves]
            colour = torch.stack(colours).mean(0).flatten()
        return {"se": colour.cpu().numpy()}

    def convert(self, sounds: Sequence[Audio], voices: Sequence[VoiceForm]) -> list[Spoken]:
        """Convert each sound to the voice at the same position; sounds keep their lengths."""
        import torch

        with torch_errors(self.spec.name), torch.inference_mode():
            waves = [self._wave(sound) for sound in sounds]
            colours, spectra = zip(*map(self._loaded.extract_se, waves), strict=True)
            targets = [torch.from_numpy(np.asarray(voice["se"])) for voice in voices]
            target = torch.stack(targets).unsqueeze(-1).to(self._loaded.device)
            rows = [*self._recolour(spectra, torch.cat(colours), target)]
        rate = self.spec.sample_rate
        ends = [round(sound.seconds * rate) for sound in sounds]
        return [
            Audio(samples=row[:end].copy(), rate=rate) for row, end in zip(rows, ends, strict=True)
        ]

    @property
    def _loaded(self) -> Any:
        return loaded(self.spec, self._model)

    def _config(self) -> _Config:
        return validated(_Config, read_config(self._folder, CONFIG), self._folder / CONFIG)

    def _wave(self, sound: Audio) -> Tensor:
        """Return a sound at the model's rate, padded to a whole frame with silence; (samples,)."""
        import torch
        from torch.nn.functional import pad

        audio = self._loaded.config.audio
        wave = torch.from_numpy(
            soxr.resample(sound.samples, sound.rate, audio.input_sample_rate, quality="HQ")
        )
        frames = math.ceil(len(wave) / audio.hop_length)
        # The spectrum mirrors the sound at both ends, which needs enough samples.
        whole = max(frames * audio.hop_length, audio.fft_size)
        return pad(wave, (0, whole - len(wave)))

    def _recolour(
        self, spectra: Sequence[Tensor], source: Tensor, target: Tensor
    ) -> Iterator[Samples]:
        """Yield the samples of spectra (1, bins, frames) in their target colours, with excess ends.

        source, target: (rows, channels, 1). coqui-tts's own `inference` draws noise in the shape of
        the whole batch, so its steps are reimplemented here.
        """
        import torch
        from torch.nn.functional import pad
        from torch.nn.utils.rnn import pad_sequence

        model = self._loaded
        padded = pad_sequence([row[0].T for row in spectra], batch_first=True).transpose(1, 2)
        frames = torch.tensor([row.shape[-1] for row in spectra], device=model.device)
        mute = 0.0 if model.zero_g else 1.0
        _, mean, spread, mask = model.enc_q(padded, frames, g=source * mute)
        latent = (mean + _noise(mean) * spread.exp() * model.tau) * mask
        plain = model.flow(latent, mask, g=source)
        coloured = model.flow(plain, mask, g=target, reverse=True)
        together = self.together or at_once(model.device)
        for first in range(0, len(spectra), together):
            rows = slice(first, first + together)
            longest = int(frames[rows].max())
            part = (coloured * mask)[rows, :, :longest]
            waves = model.dec(pad(part, (0, AHEAD)), g=target[rows] * mute).squeeze(1)
            yield from waves.float().clamp(-1, 1).cpu().numpy()


def _open(config: _Config, checkpoint: Path) -> Any:
    """Return coqui-tts's model, ready to convert."""
    from TTS.vc.configs.openvoice_config import OpenVoiceConfig
    from TTS.vc.models.openvoice import OpenVoice as Network

    settings = OpenVoiceConfig()
    settings.from_dict(
        {
            # The first version's file does not set it.
            "model_args": {"zero_g": False, **config.model},
            "audio": {
                "input_sample_rate": config.data.sampling_rate,
                "output_sample_rate": config.data.sampling_rate,
                "fft_size": config.data.filter_length,
                "hop_length": config.data.hop_length,
                "win_length": config.data.win_length,
            },
        }
    )
    model = Network(settings)
    model.load_checkpoint(settings, str(checkpoint), eval=True)
    fix_weights(model)
    return model


def _noise(like: Tensor) -> Tensor:
    """Return noise (1, channels, frames); a shorter sound gets the beginning of the same noise."""
    import torch

    _, channels, frames = like.shape
    # Drawn on the CPU, where a seed gives the same noise on every machine.
    drawn = torch.randn(frames, channels, generator=torch.Generator().manual_seed(SEED))
    return drawn.T.unsqueeze(0).to(like)

"""Vocoders for the spectrograms of a coqui-tts model: a HiFiGAN, or Griffin-Lim."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from dubbing.engines.adapters._coqui.config import UNREAD, read_model_config
from dubbing.engines.adapters._coqui.decoding import at_once
from dubbing.engines.adapters._torch import fix_weights, loading
from dubbing.engines.models.folders import read_config, within
from dubbing.errors import BadInput, EngineFailed, EngineMissing
from dubbing.media.samples import Samples

if TYPE_CHECKING:
    from torch import Tensor

Spectrogram = npt.NDArray[np.float32]
"""(mels, frames), normalised as by its model."""

VOCODER, VOCODER_CONFIG = "vocoder.pth", "vocoder_config.json"
GENERATOR = "hifigan_generator"
ON_A_CPU = 4
"""Rows that are decoded at once on a CPU."""


class Vocoder(Protocol):
    """Turns spectrograms into sound."""

    def sounds(self, spectrograms: Sequence[Spectrogram], seeds: Sequence[int]) -> list[Samples]:
        """Return the samples of each spectrogram, within [-1, 1]. seeds: one per spectrogram."""


def files(folder: Path) -> list[Path]:
    """Return the vocoder's files in a model's folder, or none without a vocoder.

    Raises EngineMissing when only one of the two is there.
    """
    names = [name for name in (VOCODER, VOCODER_CONFIG) if (folder / name).is_file()]
    if len(names) == 1:
        lacks = VOCODER if names == [VOCODER_CONFIG] else VOCODER_CONFIG
        raise EngineMissing(f"the vocoder in {folder} lacks {lacks}: copy it there, too")
    return [within(folder, name) for name in names]


def vocoder_rate(folder: Path) -> int | None:
    """Return the sample rate of the vocoder in a model's folder, in Hz; None without one."""
    if not (folder / VOCODER_CONFIG).is_file():
        return None
    rate = (read_config(folder, VOCODER_CONFIG, UNREAD).get("audio") or {}).get("sample_rate")
    return rate if isinstance(rate, int) else None


def load(name: str, folder: Path, acoustic: Any, device: str) -> Vocoder:
    """Return the vocoder for the spectrograms of ``acoustic``, a model of coqui-tts."""
    if not files(folder):
        return GriffinLim(acoustic.ap)
    config = read_model_config(folder, VOCODER_CONFIG)
    refuse_statistics(folder, VOCODER_CONFIG)
    if config.get("generator_model") != GENERATOR:
        raise BadInput(
            f"generator_model: {config.get('generator_model')!r} is not {GENERATOR!r}, the only "
            "vocoder that is supported",
            where=str(folder / VOCODER_CONFIG),
        )
    with loading(name, folder):
        from TTS.utils.audio import AudioProcessor
        from TTS.vocoder.configs import HifiganConfig

        settings = HifiganConfig()
        settings.from_dict(config)
        generator = build(settings)
        generator.load_state_dict(_weights(within(folder, VOCODER)))
        if settings.audio.num_mels != acoustic.ap.num_mels:
            raise EngineFailed(
                f"the vocoder in {folder} takes spectrograms of {settings.audio.num_mels} mels, "
                f"and those of the model have {acoustic.ap.num_mels}"
            )
        fix_weights(generator)
        return HifiGan(generator.eval().to(device), AudioProcessor(settings.audio), acoustic.ap)


def build(settings: Any) -> Any:
    """Return coqui-tts's HiFiGAN with random weights, without its discriminator."""
    from TTS.vocoder.models import setup_generator

    return setup_generator(settings)


def _weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of the generator, from any of the known forms of a checkpoint."""
    import torch

    weights = torch.load(path, map_location="cpu", weights_only=True)["model"]
    kept = {key: value for key, value in weights.items() if not key.startswith("model_d.")}
    return {key.removeprefix("model_g."): value for key, value in kept.items()}


def refuse_statistics(folder: Path, name: str) -> None:
    """Raise BadInput for spectrograms normalised by statistics, which only unpickling can read."""
    audio = read_config(folder, name, UNREAD).get("audio") or {}
    if audio.get("signal_norm") and audio.get("stats_path"):
        raise BadInput(
            "audio.stats_path: statistics are not read, as reading them runs what is in their "
            "file: take a model that was trained without them",
            where=str(folder / name),
        )


class HifiGan:
    """A HiFiGAN: each row sounds as it would alone."""

    def __init__(self, generator: Any, processor: Any, source: Any) -> None:
        """Take coqui-tts's generator, and the audio processors of the vocoder and of the model."""
        self._generator, self._processor, self._source = generator, processor, source
        self._hop = math.prod(up.stride[0] for up in generator.ups)
        self._edge = _reach(generator)
        self.together = at_once(self._device, on_a_cpu=ON_A_CPU)
        """Rows that are decoded at once."""

    @property
    def _device(self) -> Any:
        return self._generator.conv_pre.weight.device

    def sounds(self, spectrograms: Sequence[Spectrogram], seeds: Sequence[int]) -> list[Samples]:
        """Return the samples of each spectrogram; seeds are ignored, because no noise is drawn."""
        rows = [self._own(spectrogram) for spectrogram in spectrograms]
        starts = range(0, len(rows), self.together)
        parts = (rows[first : first + self.together] for first in starts)
        return [samples for part in parts for samples in self._waves(part)]

    def _waves(self, rows: Sequence[Tensor]) -> list[Samples]:
        """Return the samples of each row, all computed at once.

        The first and last frames of each row are repeated over the generator's receptive field.
        """
        import torch
        from torch.nn.functional import pad

        lengths = [row.shape[1] for row in rows]
        ends = [max(lengths) - length + self._edge for length in lengths]
        held = [
            pad(row[None], (self._edge, end), "replicate")
            for row, end in zip(rows, ends, strict=True)
        ]
        with torch.inference_mode():
            wave = self._generator(torch.cat(held).to(self._device)).squeeze(1)
        sound = wave.float().clamp(-1, 1).cpu().numpy()
        start = self._edge * self._hop
        return [
            row[start : start + length * self._hop].copy()
            for row, length in zip(sound, lengths, strict=True)
        ]

    def _own(self, spectrogram: Spectrogram) -> Tensor:
        """Return the model's spectrogram normalised for the vocoder, (mels, frames)."""
        import torch
        from TTS.vocoder.utils.generic_utils import interpolate_vocoder_input

        given = self._processor.normalize(self._source.denormalize(spectrogram))
        scale = self._processor.sample_rate / self._source.sample_rate
        if scale == 1:
            return torch.from_numpy(given).float()
        return interpolate_vocoder_input([1, scale], given)[0].float()  # type: ignore[no-any-return]


def _reach(generator: Any) -> int:
    """Return the number of frames on either side that influence the sound of a frame."""
    reach = _half(generator.conv_post)
    for number, up in reversed(list(enumerate(generator.ups))):
        first = number * generator.num_kernels
        blocks = generator.resblocks[first : first + generator.num_kernels]
        reach += max(sum(map(_half, _convolutions(block))) for block in blocks)
        reach = math.ceil((reach + up.kernel_size[0]) / up.stride[0])
    return int(reach + _half(generator.conv_pre))


def _half(convolution: Any) -> int:
    return int(convolution.dilation[0] * (convolution.kernel_size[0] - 1) // 2)


def _convolutions(block: Any) -> Iterator[Any]:
    """Yield the convolutions of a residual block, which follow one another."""
    from torch.nn import Conv1d

    return (module for module in block.modules() if isinstance(module, Conv1d))


class GriffinLim:
    """Griffin-Lim, which estimates a sound from its spectrogram: slow, and hollow in sound.

    It does the steps of coqui-tts in torch. coqui-tts uses functions of librosa that take half a
    minute to compile at their first use.
    """

    def __init__(self, processor: Any) -> None:
        """Take the audio processor of the model."""
        self._processor = processor

    def sounds(self, spectrograms: Sequence[Spectrogram], seeds: Sequence[int]) -> list[Samples]:
        """Return the samples of each spectrogram, one frame shorter; seeds set the first guess."""
        return [self._sound(*each) for each in zip(spectrograms, seeds, strict=True)]

    def _sound(self, spectrogram: Spectrogram, seed: int) -> Samples:
        from TTS.utils.audio.numpy_transforms import db_to_amp, mel_to_spec

        told = self._processor
        decibels = told.denormalize(spectrogram)
        mels = db_to_amp(x=decibels, gain=told.spec_gain, base=told.base)
        sound = self._guessed(mel_to_spec(mel=mels, mel_basis=told.mel_basis) ** told.power, seed)
        clipped: Samples = np.clip(
            told.apply_inv_preemphasis(sound) if told.preemphasis else sound, -1, 1
        ).astype(np.float32)
        return clipped

    def _guessed(self, magnitudes: npt.NDArray[Any], seed: int) -> npt.NDArray[Any]:
        """Return a sound with about these magnitudes, (frequencies, frames)."""
        import torch

        told = self._processor
        length = told.hop_length * (magnitudes.shape[1] - 1)
        # The Fourier transform mirrors half a window at both ends, which needs enough frames.
        missing = max(0, told.fft_size // (2 * told.hop_length) + 2 - magnitudes.shape[1])
        wanted = torch.from_numpy(np.pad(magnitudes, ((0, 0), (0, missing)), "edge")).double()
        window = torch.hann_window(told.win_length, dtype=wanted.dtype)
        shape = (told.fft_size, told.hop_length, told.win_length, window)
        # The same random generator as in coqui-tts, for the same sound.
        drawn = torch.from_numpy(np.random.RandomState(seed % 2**32).random_sample(wanted.shape))
        sound = torch.istft(torch.polar(wanted, 2 * torch.pi * drawn), *shape)
        for _ in range(told.griffin_lim_iters):
            heard = torch.stft(sound, *shape, pad_mode=told.stft_pad_mode, return_complex=True)
            sound = torch.istft(torch.polar(wanted, heard.angle()), *shape)
        return sound[:length].numpy()

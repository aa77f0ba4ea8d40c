"""VITS by coqui-tts: loading a model's folder, and speaking lines together.

coqui-tts's own `Vits.inference` takes one speed per call, and draws noise in the batch's shape. Its
steps are reimplemented here, so that each line has its own speed and noise, and sounds in a batch
as it would alone, within floating-point error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dubbing.engines.adapters._coqui.config import checkpoint, languages, read_model_config
from dubbing.engines.adapters._coqui.decoding import AHEAD, at_once
from dubbing.engines.adapters._coqui.text import provide_phonemes
from dubbing.engines.adapters._coqui.trained import Row
from dubbing.engines.adapters._shared import answered
from dubbing.engines.adapters._torch import fix_weights, loading, prepare
from dubbing.engines.engine import Spoken
from dubbing.errors import SpeechRejected
from dubbing.media.samples import Audio, Samples

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True)
class _Encoded:
    """The text encoder's output for all rows, padded to the longest."""

    hidden: Tensor
    """(rows, channels, tokens)."""
    mean: Tensor
    """(rows, channels, tokens)."""
    deviation: Tensor
    """(rows, channels, tokens)."""
    mask: Tensor
    """(rows, 1, tokens): 1 where there is a token."""
    speaker: Tensor | None
    """(rows, channels, 1)."""
    language: Tensor | None
    """(rows, channels, 1)."""


def load(name: str, folder: Path, device: str) -> Any:
    """Return coqui-tts's `Vits`, ready to speak, without the parts that only training needs.

    Raises EngineFailed for files that cannot be loaded, EngineMissing for missing files or
    libraries, and BadInput for a configuration that reaches outside the folder.
    """
    prepare()
    with loading(name, folder):
        model = build(name, folder)
        model.load_checkpoint(model.config, str(checkpoint(folder)), eval=True)
        model.disc = model.posterior_encoder = None
        fix_weights(model)
        return model.to(device)


def build(name: str, folder: Path) -> Any:
    """Return coqui-tts's `Vits` for the configuration in a folder, with random weights."""
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits

    config = read_model_config(folder)
    if config.get("use_phonemes"):
        provide_phonemes(name, languages(config, folder).values())
    settings = VitsConfig()
    settings.from_dict(config | {"model_args": _without_encoder(config)})
    return Vits(settings)


def _without_encoder(config: dict[str, Any]) -> dict[str, Any]:
    """Return the model's arguments without the speaker encoder, which only training needs."""
    return (config.get("model_args") or {}) | {
        "use_speaker_encoder_as_loss": False,
        "speaker_encoder_model_path": "",
        "speaker_encoder_config_path": "",
    }


def speak(model: Any, rows: Sequence[Row], together: int | None = None) -> list[Spoken]:
    """Return the sound of each row, or SpeechRejected for a row that would be far too long.

    together: rows to decode at once; by default, all on a card and one on a CPU.
    """
    import torch

    together = together or at_once(model.device)
    with torch.inference_mode():
        noise = [torch.Generator().manual_seed(row.seed % 2**63) for row in rows]
        encoded = _encode(model, rows)
        frames = _durations(model, rows, encoded, noise)
        totals = frames.sum(1).tolist()

        def sounds(kept: list[int]) -> list[Audio]:
            generators = [noise[n] for n in kept]
            waves = _decode(model, _some(encoded, kept), frames[kept], generators, together)
            rate = model.config.audio.sample_rate
            return [Audio(samples=samples, rate=rate) for samples in waves]

        # Rows are passed on by their numbers.
        asked = [_refusal(model, row, totals[n]) or n for n, row in enumerate(rows)]
        return answered(asked, sounds)


def _encode(model: Any, rows: Sequence[Row]) -> _Encoded:
    import torch
    from torch.nn.utils.rnn import pad_sequence

    device = model.device
    symbols = pad_sequence([torch.tensor(row.tokens) for row in rows], batch_first=True)
    lengths = torch.tensor([len(row.tokens) for row in rows])
    language = None
    if model.args.use_language_embedding:
        numbers = torch.tensor([row.language for row in rows], device=device)
        language = model.emb_l(numbers).unsqueeze(-1)
    hidden, mean, deviation, mask = model.text_encoder(
        symbols.to(device), lengths.to(device), lang_emb=language
    )
    return _Encoded(hidden, mean, deviation.exp(), mask, _speakers(model, rows), language)


def _speakers(model: Any, rows: Sequence[Row]) -> Tensor | None:
    """Return the speaker embedding of each row, (rows, channels, 1)."""
    import torch
    from torch.nn.functional import normalize

    given = [row.speaker for row in rows]
    if all(speaker is None for speaker in given):
        return None
    voices = torch.tensor(np.array(given), device=model.device)
    return (normalize(voices) if voices.ndim == 2 else model.emb_g(voices)).unsqueeze(-1)


def _durations(
    model: Any, rows: Sequence[Row], encoded: _Encoded, noise: Sequence[Generator]
) -> Tensor:
    """Return how many frames each token lasts, (rows, tokens)."""
    import torch

    speaker = encoded.speaker if model.args.condition_dp_on_speaker else None
    predictor = model.duration_predictor
    if model.args.use_sdp:
        start = _noise([(2, len(row.tokens)) for row in rows], noise, encoded.hidden)
        scaled = start * model.inference_noise_scale_dp
        logarithms = _sample(predictor, encoded, speaker, scaled)
    else:
        logarithms = predictor(encoded.hidden, encoded.mask, g=speaker, lang_emb=encoded.language)
    slowness = [model.length_scale / row.speed for row in rows]
    scale = torch.tensor(slowness, device=model.device).view(-1, 1, 1)
    return torch.ceil(logarithms.exp() * encoded.mask * scale).squeeze(1)


def _sample(predictor: Any, encoded: _Encoded, speaker: Tensor | None, start: Tensor) -> Tensor:
    """Return the logarithms of durations, which the stochastic predictor makes from noise.

    start: the noise, (rows, 2, tokens).
    """
    hidden = predictor.pre(encoded.hidden)
    if speaker is not None:
        hidden = hidden + predictor.cond(speaker)
    if encoded.language is not None:
        hidden = hidden + predictor.cond_lang(encoded.language)
    hidden = predictor.proj(predictor.convs(hidden, encoded.mask)) * encoded.mask
    first, _, *others = predictor.flows
    state = start
    # The second flow is not used in this direction.
    for flow in (*reversed(others), first):
        state = flow(state.flip(1), encoded.mask, g=hidden, reverse=True)
    return state[:, :1]


def _refusal(model: Any, row: Row, frames: float) -> SpeechRejected | None:
    """Return the refusal of a row with too many frames, which would use up the memory, or None."""
    seconds = frames * _frame(model) / model.config.audio.sample_rate
    if seconds <= row.longest:
        return None
    return SpeechRejected(
        f"the model needs {seconds:.1f} s for a text of at most {row.longest:.1f} s"
    )


def _frame(model: Any) -> float:
    """Return the number of samples per frame."""
    decoded: float = math.prod(model.args.upsample_rates_decoder)
    stretched = model.args.encoder_sample_rate and model.args.interpolate_z
    return decoded * (model.interpolate_factor if stretched else 1)


def _some(encoded: _Encoded, kept: list[int]) -> _Encoded:
    parts = (None if part is None else part[kept] for part in vars(encoded).values())
    return _Encoded(*parts)  # type: ignore[arg-type]  # in the order of the fields


def _decode(
    model: Any, encoded: _Encoded, frames: Tensor, noise: Sequence[Generator], together: int
) -> list[Samples]:
    """Return the samples of each row; ``frames``: of each token, (rows, tokens)."""
    import torch
    from TTS.tts.utils.helpers import generate_path, sequence_mask

    lengths = frames.sum(1).clamp_min(1).long()
    mask = sequence_mask(lengths, None).to(encoded.mask.dtype).unsqueeze(1)
    path = generate_path(frames, encoded.mask.transpose(1, 2) * mask)
    mean, deviation = encoded.mean @ path, encoded.deviation @ path
    shapes = [(mean.shape[1], length) for length in lengths.tolist()]
    spread = _noise(shapes, noise, mean) * deviation * model.inference_noise_scale
    latent = model.flow(mean + spread, mask, g=encoded.speaker, reverse=True)
    latent, _, _, mask = model.upsampling_z(latent, y_lengths=lengths, y_mask=mask)
    ends = torch.round(lengths * _frame(model)).long().tolist()
    sounds: list[Samples] = []
    for first in range(0, len(ends), together):
        rows = slice(first, first + together)
        sounds += _waves(model, latent[rows] * mask[rows], encoded.speaker, rows, ends[rows])
    return sounds


def _waves(
    model: Any, latent: Tensor, speaker: Tensor | None, rows: slice, ends: Sequence[int]
) -> list[Samples]:
    """Return the samples of ``rows``, each to its end; ``latent`` holds these rows alone."""
    from torch.nn.functional import pad

    steps = math.ceil(max(ends) / math.prod(model.args.upsample_rates_decoder))
    voices = None if speaker is None else speaker[rows]
    wave = model.waveform_decoder(pad(latent[..., :steps], (0, AHEAD)), g=voices).squeeze(1)
    sounds = wave.float().clamp(-1, 1).cpu().numpy()
    return [sound[:end].copy() for sound, end in zip(sounds, ends, strict=True)]


def _noise(
    shapes: Sequence[tuple[int, int]], generators: Sequence[Generator], like: Tensor
) -> Tensor:
    """Return each row's own noise, (rows, channels, steps), padded with zeros to the longest."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    drawn = [
        # Drawn on the CPU, where a seed gives the same noise on every machine.
        torch.randn(steps, channels, generator=generator)
        for (channels, steps), generator in zip(shapes, generators, strict=True)
    ]
    return pad_sequence(drawn, batch_first=True).transpose(1, 2).to(like)

"""FastSpeech2 and its kin by coqui-tts, in its `ForwardTTS`: lines are spoken together.

coqui-tts's own `inference` takes one line, at the model's speed. Its steps are reimplemented here
with masked padding, so that each line of a batch has its own speed and sounds as it would alone,
within floating-point error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dubbing.engines.adapters._coqui.config import (
    CONFIG,
    argument,
    checkpoint,
    languages,
    read_model_config,
)
from dubbing.engines.adapters._coqui.text import provide_phonemes
from dubbing.engines.adapters._coqui.vocoder import Spectrogram, refuse_statistics
from dubbing.engines.adapters._shared import answered
from dubbing.engines.adapters._torch import loading, prepare
from dubbing.errors import BadInput, DubbingError, SpeechRejected

if TYPE_CHECKING:
    from torch import Tensor

    from dubbing.engines.adapters._coqui.trained import Row

KINDS = ("fastspeech2", "fast_pitch", "fast_speech")
"""coqui-tts's names of the `ForwardTTS` models whose padding can be masked."""
TRANSFORMER = "fftransformer"


def load(name: str, folder: Path, device: str) -> Any:
    """Return coqui-tts's `ForwardTTS`, ready to speak.

    Raises EngineFailed for files that cannot be loaded, EngineMissing for missing files or
    libraries, and BadInput for a configuration that cannot be used.
    """
    prepare()
    config = read_model_config(folder)
    refuse_statistics(folder, CONFIG)
    _check_kind(config, folder)
    with loading(name, folder):
        if config.get("use_phonemes"):
            provide_phonemes(name, languages(config, folder).values())
        model = build(config)
        model.load_checkpoint(model.config, str(checkpoint(folder)), eval=True)
        # Only training needs the aligner, which finds the durations of symbols in recordings.
        model.aligner = None
        return model.to(device)


def _check_kind(config: dict[str, Any], folder: Path) -> None:
    """Raise BadInput for a model of another kind."""
    where = str(folder / CONFIG)
    if config.get("model") not in KINDS:
        raise BadInput(
            f"model: {config.get('model')!r} is not one of {', '.join(KINDS)}", where=where
        )
    for setting in ("encoder_type", "decoder_type"):
        kind = argument(config, setting)
        if kind not in (None, TRANSFORMER):
            raise BadInput(f"{setting}: {kind!r} is not {TRANSFORMER!r}", where=where)


def build(config: dict[str, Any]) -> Any:
    """Return coqui-tts's `ForwardTTS` with random weights."""
    from TTS.config import register_config
    from TTS.tts.models.forward_tts import ForwardTTS

    settings = register_config(config["model"])()
    settings.from_dict(config)
    return ForwardTTS(settings)


def speak(model: Any, rows: Sequence[Row]) -> list[Spectrogram | DubbingError]:
    """Return the spectrogram of each row, or SpeechRejected if it would be far too long."""
    import torch

    with torch.inference_mode():
        mask = _mask(model, [len(row.tokens) for row in rows])
        hidden = _encode(model, rows, mask)
        frames = _durations(model, rows, hidden, mask)
        totals = frames.sum(1).tolist()
        # Rows are passed on by their numbers.
        asked = [_refusal(model, row, totals[n]) or n for n, row in enumerate(rows)]
        return answered(asked, lambda kept: _decode(model, hidden[kept], mask[kept], frames[kept]))


def _encode(model: Any, rows: Sequence[Row], mask: Tensor) -> Tensor:
    """Return the encoding of each symbol, (rows, channels, symbols)."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    symbols = pad_sequence([torch.tensor(row.tokens) for row in rows], batch_first=True)
    embedded = model.emb(symbols.to(model.device)).transpose(1, 2)
    hidden = _transform(model.encoder.encoder, embedded, mask) * mask
    speakers = _speakers(model, rows)
    return hidden if speakers is None else hidden + speakers


def _mask(model: Any, lengths: Sequence[int]) -> Tensor:
    """Return 1 for the steps of each row and 0 for padding, (rows, 1, steps)."""
    import torch

    steps = torch.arange(max(lengths), device=model.device)
    return (steps < torch.tensor(lengths, device=model.device)[:, None])[:, None].float()


def _speakers(model: Any, rows: Sequence[Row]) -> Tensor | None:
    """Return the speaker embedding of each row, (rows, channels, 1)."""
    import torch

    given = [row.speaker for row in rows]
    if all(speaker is None for speaker in given):
        return None
    voices = torch.tensor(np.array(given), device=model.device)
    if voices.ndim == 1:
        voices = model.emb_g(voices)
    elif hasattr(model, "proj_g"):
        voices = model.proj_g(voices)
    return voices.unsqueeze(-1)


def _durations(model: Any, rows: Sequence[Row], hidden: Tensor, mask: Tensor) -> Tensor:
    """Return how many frames each symbol lasts, (rows, symbols): whole frames, at least one."""
    import torch

    logarithms = model.duration_predictor(hidden, mask)
    slowness = [model.length_scale / row.speed for row in rows]
    scale = torch.tensor(slowness, device=model.device).view(-1, 1, 1)
    frames = torch.round(((logarithms.exp() - 1) * scale).clamp_min(1))
    return (frames * mask).squeeze(1)


def _refusal(model: Any, row: Row, frames: float) -> SpeechRejected | None:
    """Return the refusal of a row with too many frames, which would use up the memory, or None."""
    second = model.ap.sample_rate / model.ap.hop_length
    longest = row.longest * second
    if hasattr(model, "pos_encoder"):
        longest = min(longest, model.pos_encoder.pe.shape[2])
    if frames <= longest:
        return None
    return SpeechRejected(
        f"the model needs {frames / second:.1f} s for a text of at most {longest / second:.1f} s"
    )


def _decode(model: Any, hidden: Tensor, mask: Tensor, frames: Tensor) -> list[Spectrogram]:
    """Return the spectrogram of each row; ``frames``: of each symbol, (rows, symbols)."""
    from torch.nn.utils.rnn import pad_sequence

    if model.use_pitch:
        hidden = hidden + model.pitch_emb(model.pitch_predictor(hidden, mask))
    if model.use_energy:
        hidden = hidden + model.energy_emb(model.energy_predictor(hidden, mask))
    steps = zip(hidden.transpose(1, 2), frames.long(), strict=True)
    longer = [row.repeat_interleave(counts, dim=0) for row, counts in steps]
    lengths = [len(row) for row in longer]
    mask = _mask(model, lengths)
    stretched = pad_sequence(longer, batch_first=True).transpose(1, 2)
    if hasattr(model, "pos_encoder"):
        stretched = model.pos_encoder(stretched, mask)
    decoder = model.decoder.decoder
    mels = decoder.postnet(_transform(decoder.transformer_block, stretched, mask))
    return [mel[:, :length].cpu().numpy() for mel, length in zip(mels, lengths, strict=True)]


def _transform(block: Any, hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the output of a block of feed-forward transformers, (rows, channels, steps).

    coqui-tts's own block does not mask padding for its convolutions, and masks nothing in the
    decoder.
    """
    from torch.nn.functional import relu

    absent = mask.squeeze(1) == 0
    for layer in block.fft_layers:
        steps = hidden.permute(2, 0, 1)
        attended, _ = layer.self_attn(
            steps, steps, steps, key_padding_mask=absent, need_weights=False
        )
        # Attention is added twice, as the model was trained.
        seen = layer.norm1(steps + 2 * attended).permute(1, 2, 0) * mask
        hidden = seen + layer.conv2(relu(layer.conv1(seen)) * mask)
        hidden = layer.norm2(hidden.transpose(1, 2)).transpose(1, 2)
    return hidden

"""XTTS's decoder over many lines at once: it turns the language model's latents into sound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dubbing.engines.adapters._coqui.decoding import AHEAD, at_once
from dubbing.media.samples import Samples

if TYPE_CHECKING:
    from torch import Tensor

AT_ONCE = 8
"""Most rows that a card decodes together."""


def sound(
    model: Any,
    latents: Sequence[Tensor],
    speakers: Sequence[npt.NDArray[np.float32]],
    speeds: Sequence[float],
) -> list[Samples]:
    """Return the sound of each row.

    latents: the language model's output, (tokens, channels). speakers: the speaker's embedding,
    (channels,). speeds: 1 is the natural one.
    """
    paced = [_paced(row, speed) for row, speed in zip(latents, speeds, strict=True)]
    order = sorted(range(len(paced)), key=lambda number: len(paced[number]))
    size = at_once(model.device, on_a_card=AT_ONCE)
    sounds: dict[int, Samples] = {}
    for numbers in (order[begin : begin + size] for begin in range(0, len(order), size)):
        together = _decode(model, [paced[n] for n in numbers], [speakers[n] for n in numbers])
        sounds |= zip(numbers, together, strict=True)
    return [sounds[number] for number in range(len(paced))]


def _paced(latents: Tensor, speed: float) -> Tensor:
    """Return a row's latents stretched for a speed, as in coqui-tts."""
    from torch.nn.functional import interpolate

    if speed == 1.0:
        return latents
    paced: Tensor = interpolate(latents.T[None], scale_factor=1 / speed, mode="linear")[0].T
    return paced


def _decode(
    model: Any, latents: Sequence[Tensor], speakers: Sequence[npt.NDArray[np.float32]]
) -> list[Samples]:
    import torch

    longest = max(map(len, latents)) + math.ceil(AHEAD / _frames(model, 1))
    padded = [torch.cat([row, row[-1:].expand(longest - len(row), -1)]) for row in latents]
    voices = torch.stack([torch.from_numpy(speaker) for speaker in speakers])[..., None]
    wave = model.hifigan_decoder(torch.stack(padded), g=voices.to(model.device))
    whole: Samples = wave.reshape(len(latents), -1).clamp(-1.0, 1.0).cpu().numpy()
    frame = whole.shape[1] // _frames(model, longest)
    lengths = [_frames(model, len(row)) * frame for row in latents]
    return [row[:length].copy() for row, length in zip(whole, lengths, strict=True)]


def _frames(model: Any, tokens: int) -> int:
    """Return the number of frames that the decoder makes from ``tokens`` tokens."""
    decoder = model.hifigan_decoder
    stretches = (
        decoder.ar_mel_length_compression / decoder.output_hop_length,
        decoder.output_sample_rate / decoder.input_sample_rate,
    )
    frames = tokens
    for stretch in stretches:
        frames = math.floor(frames * stretch)
    return frames

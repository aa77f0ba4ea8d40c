"""XTTS's language model over many lines at once.

coqui-tts speaks one line a call. Here the layers of its model run over rows that differ in text,
language, voice and speed. A row's result does not depend on the other rows, within floating-point
error: padding is masked, and each row has its own random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dubbing.engines.adapters._xtts.decoder import sound
from dubbing.media.samples import Samples

if TYPE_CHECKING:
    from torch import Tensor

STEP = 16
"""Attention covers a multiple of this many tokens, which CUDA's kernels need."""
FILLER = 1
"""The audio token with which coqui-tts fills the prefix; so its repetition is penalised."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A text as input of the model."""

    tokens: list[int]
    conditioning: npt.NDArray[np.float32]
    """The voice for the language model, (positions, channels)."""
    speaker: npt.NDArray[np.float32]
    """The voice for the decoder, (channels,)."""
    speed: float
    chances: Tensor
    """Random numbers in [0, 1); their number is the most audio tokens of the row."""


def speak(model: Any, rows: Sequence[Row], at_once: int) -> list[Samples | None]:
    """Return the sound of each row; None for a row without an end token.

    at_once: rows to generate together; rows of similar length are grouped.
    """
    import torch

    order = sorted(range(len(rows)), key=lambda number: len(rows[number].tokens))
    groups = [order[begin : begin + at_once] for begin in range(0, len(rows), at_once)]
    with torch.inference_mode():
        written = {
            number: latents
            for numbers in groups
            for number, latents in zip(numbers, write(model, _of(rows, numbers)), strict=True)
            if latents is not None
        }
        voices = [row.speaker for row in _of(rows, written)]
        speeds = [row.speed for row in _of(rows, written)]
        sounds = sound(model, list(written.values()), voices, speeds)
    by_row = dict(zip(written, sounds, strict=True))
    return [by_row.get(number) for number in range(len(rows))]


def _of(rows: Sequence[Row], numbers: Iterable[int]) -> list[Row]:
    return [rows[number] for number in numbers]


def write(model: Any, rows: Sequence[Row]) -> list[Tensor | None]:
    """Return the latents of each row for the decoder, (tokens, channels).

    None for a row without an end token among as many tokens as it has `chances`. Tokens are sampled
    as transformers does for coqui-tts, with the settings in the model's configuration.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    gpt = model.gpt
    stop, positions = gpt.stop_audio_token, gpt.mel_pos_embedding.emb.weight
    bounds = torch.tensor([len(row.chances) for row in rows], device=model.device)
    chances = pad_sequence([row.chances for row in rows], batch_first=True).to(model.device)
    prefix, hidden = _prefix(gpt, rows)
    transformer = _Transformer(gpt, hidden, room=prefix.shape[1] + chances.shape[1])
    written = torch.full_like(chances, stop, dtype=torch.long)
    used = torch.zeros(len(rows), gpt.num_audio_tokens, dtype=torch.bool, device=model.device)
    used[:, [FILLER, gpt.start_audio_token]] = True
    ended = torch.zeros_like(bounds, dtype=torch.bool)
    latents = []
    # The state that predicts a token is also the decoder's latent for it.
    state = transformer.run(prefix)
    for step in range(chances.shape[1]):
        latents.append(gpt.final_norm(state))
        token = _draw(gpt.mel_head(latents[-1]), used, chances[:, step, None], model.config)
        written[:, step, None] = token
        used.scatter_(1, token, value=True)
        ended |= (token[:, 0] == stop) | (bounds <= step + 1)
        if ended.all():
            break
        state = transformer.run(gpt.mel_embedding(token) + positions[step + 1])
    together = torch.stack(latents, dim=1)
    stops = (written == stop).tolist()
    lengths = [_length(row, flags) for row, flags in zip(rows, stops, strict=True)]
    return [row[:length] if length else None for row, length in zip(together, lengths, strict=True)]


def _length(row: Row, stops: list[bool]) -> int:
    """Return the number of tokens of a row, including the end token; 0 without one."""
    within = stops[: len(row.chances)]
    return within.index(True) + 1 if True in within else 0


def _prefix(gpt: Any, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """Return the input before the first audio token, and its mask of padding.

    Shapes: (rows, positions, channels) and (rows, positions). Padding is on the left, so that all
    rows continue from the same position.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    device = gpt.text_head.weight.device
    start = gpt.mel_embedding.weight[gpt.start_audio_token] + gpt.mel_pos_embedding.emb.weight[0]
    prefixes = []
    for row in rows:
        text = [gpt.start_text_token, *row.tokens, gpt.stop_text_token]
        embedded = gpt.text_embedding(torch.tensor(text, device=device))
        embedded = embedded + gpt.text_pos_embedding.emb.weight[: len(text)]
        conditioning = torch.from_numpy(row.conditioning).to(device)
        prefixes.append(torch.cat([conditioning, embedded, start[None]]))
    padded = pad_sequence(prefixes, batch_first=True, padding_side="left")
    missing = torch.tensor([padded.shape[1] - len(prefix) for prefix in prefixes], device=device)
    return padded, torch.arange(padded.shape[1], device=device) < missing[:, None]


def _draw(logits: Tensor, used: Tensor, chances: Tensor, config: Any) -> Tensor:
    """Return a token for each row, (rows, 1).

    logits, used: (rows, tokens); used: whether the row already has that token.
    """
    import torch

    penalty = config.repetition_penalty
    penalised = torch.where(logits < 0, logits * penalty, logits / penalty)
    logits = torch.where(used, penalised, logits) / config.temperature
    best, tokens = logits.topk(min(config.top_k or logits.shape[1], logits.shape[1]))
    odds = best.softmax(-1)
    odds = odds.masked_fill(odds.cumsum(-1) - odds >= config.top_p, 0.0)
    heaped = odds.cumsum(-1)
    return tokens.gather(1, torch.searchsorted(heaped, chances * heaped[:, -1:]))


class _Transformer:
    """GPT-2's layers, with their cache of keys and values.

    transformers' own implementation takes twice as long for one token of a few rows.
    """

    def __init__(self, gpt: Any, hidden: Tensor, room: int) -> None:
        """Allocate ``room`` positions; attention ignores hidden ones.

        hidden: whether each of the first positions is hidden, (rows, positions).
        """
        import torch

        self._gpt = gpt.gpt
        self._heads = gpt.heads
        self._end = 0
        room = math.ceil(room / STEP) * STEP
        weight = gpt.text_head.weight
        self._never = torch.finfo(weight.dtype).min
        shape = (len(self._gpt.h), 2, len(hidden), gpt.heads, room, gpt.model_dim // gpt.heads)
        self._kept = weight.new_zeros(shape)
        # Added to the attention to each position, (rows, 1, 1, positions).
        self._mask = weight.new_full((len(hidden), 1, 1, room), self._never)
        self._mask[..., : hidden.shape[1]] = hidden[:, None, None] * self._never

    def run(self, new: Tensor) -> Tensor:
        """Return the output of the last of the new positions, (rows, channels).

        new: (rows, positions, channels); only positions of the first call may be hidden.
        """
        from torch.nn.functional import scaled_dot_product_attention

        begin, self._end = self._end, self._end + new.shape[1]
        seen = math.ceil(self._end / STEP) * STEP
        mask = self._look(begin)[..., :seen]
        for layer, kept in zip(self._gpt.h, self._kept, strict=True):
            heads = layer.attn.c_attn(layer.ln_1(new)).unflatten(-1, (3, self._heads, -1))
            query, key, value = heads.permute(2, 0, 3, 1, 4)
            kept[0, :, :, begin : self._end] = key
            kept[1, :, :, begin : self._end] = value
            keys, values = kept[:, :, :, :seen]
            attended = scaled_dot_product_attention(query, keys, values, attn_mask=mask)
            new = new + layer.attn.c_proj(attended.transpose(1, 2).flatten(2))
            new = new + layer.mlp(layer.ln_2(new))
        last: Tensor = self._gpt.ln_f(new[:, -1])
        return last

    def _look(self, begin: int) -> Tensor:
        """Return the mask for positions from ``begin`` on: each sees the positions up to itself."""
        import torch

        mask: Tensor = self._mask
        if begin:
            mask[..., begin : self._end] = 0.0
            return mask
        later = torch.full_like(mask[0, 0, 0], self._never).expand(self._end, -1).triu(1)
        return torch.minimum(mask, later)

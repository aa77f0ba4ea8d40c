"""How much a sound speaks for each word of a text.

Whisper fills in small words where it expects them, so a word that it read need not have been said,
and it mishears others. The evidence compares two texts instead of trusting one: how much likelier
the text with the word is than the text without it. A word that was not said makes the sounds after
it unlikely. A part of the difference that there would be without any sound is taken off: a "the" is
likely before "middle" whatever was heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

EXPECTED = 0.6
"""Share of the model's own expectation that is taken off: takes of a real voice with and without
each of their words are told apart best by it."""
SETTLED = 6.0
"""Natural logarithm of a ratio that no expectation outweighs."""
DEAF_FRAMES = 8
"""Frames of no sound; their number changes nothing, as they are all alike."""
LEAST = 1e-7
"""Least probability of a token, below which differences mean nothing."""


def evidence(
    model: Any,
    sound: Any,
    frames: int,
    prompt: Sequence[int],
    words: Sequence[Sequence[int]],
    wanted: Iterable[int],
) -> dict[int, float]:
    """Return the evidence for each of the wanted words, by index; below 0 it was hardly said.

    model: a CTranslate2 Whisper. sound: what it encoded of so many frames of spectra. words: the
    tokens of all words of the text. wanted: indices of words.
    """
    heard = _ratios(model, np.array(sound), frames, prompt, words, [*wanted])
    # The first word has none before it that would let expect it.
    open_ = [at for at, ratio in heard.items() if at and ratio < SETTLED]
    deaf = np.zeros((1, DEAF_FRAMES, np.array(sound).shape[-1]), np.float32)
    expected = _ratios(model, deaf, 2 * DEAF_FRAMES, prompt, words, open_)
    return {at: ratio - EXPECTED * expected.get(at, 0.0) for at, ratio in heard.items()}


def _ratios(
    model: Any,
    sound: np.ndarray[Any, Any],
    frames: int,
    prompt: Sequence[int],
    words: Sequence[Sequence[int]],
    wanted: Sequence[int],
) -> Mapping[int, float]:
    """Return by how much, as a natural logarithm, each word makes the text likelier."""
    if not wanted:
        return {}
    from ctranslate2 import StorageView

    texts = [_joined(words), *(_joined(words, without=at) for at in wanted)]
    tiled = StorageView.from_array(np.repeat(sound, len(texts), 0))
    aligned = model.align(tiled, [*prompt], texts, [frames] * len(texts))
    whole, *others = (_likelihood(each.text_token_probs) for each in aligned)
    return {at: whole - other for at, other in zip(wanted, others, strict=True)}


def _joined(words: Sequence[Sequence[int]], without: int = -1) -> list[int]:
    return [token for at, word in enumerate(words) if at != without for token in word]


def _likelihood(probabilities: Sequence[float]) -> float:
    return float(np.log(np.maximum(probabilities, LEAST)).sum())

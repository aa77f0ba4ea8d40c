"""The evidence of a sound for a text and against its rivals.

The evidence is a log-likelihood ratio in nats: Whisper scores the text and the rival on the same
sound. A word that was not said makes the words after it unlikely. Whisper also expects some words
whatever it hears, such as "the" before "middle", so a share of the ratio without any sound is
subtracted. Negative evidence favours the rival.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dubbing.media.samples import Samples
from dubbing.proof.rivals import Rival

SETTLED = 10.0
"""Times `Kind.expected`, the ratio from which on a sound is decisive: nothing is subtracted."""
AT_ONCE = 500
"""Most tokens in one call of the model; each takes half a megabyte."""
DEAF_FRAMES = 8
"""Encoded frames without sound; their number does not change the result, as all are zero."""
LEAST = 1e-7
"""Lowest probability of a token; differences below it are noise."""


class Likelihoods:
    """Compares texts with a Whisper model in CTranslate2 format, with or without a sound."""

    def __init__(self, model: Any, prompt: Sequence[int]) -> None:
        """Take the model and the tokens before each text."""
        self._model = model
        self._prompt = prompt

    def evidence(
        self, sound: Any, frames: int, text: Sequence[int], rivals: Sequence[Rival]
    ) -> list[float]:
        """Return the evidence in nats for a text against each of its rivals, in their order.

        sound: the encoder's output, (1, encoded frames, channels).
        frames: number of spectra that were encoded. text: the tokens of the text.
        """
        encoded = np.array(sound)
        ratios = self._ratios(encoded, frames, text, [rival.tokens for rival in rivals])
        open_ = [
            at for at, rival in enumerate(rivals) if ratios[at] < SETTLED * rival.kind.expected
        ]
        deaf = np.zeros((1, DEAF_FRAMES, encoded.shape[-1]), np.float32)
        others = [rivals[at].tokens for at in open_]
        expected = self._ratios(deaf, 2 * DEAF_FRAMES, text, others)
        for at, ratio in zip(open_, expected, strict=True):
            ratios[at] -= rivals[at].kind.expected * ratio
        return [ratio + rival.kind.advantage for ratio, rival in zip(ratios, rivals, strict=True)]

    def _ratios(
        self, sound: Samples, frames: int, text: Sequence[int], others: Sequence[Sequence[int]]
    ) -> list[float]:
        """Return the log-likelihood ratio of the text to each other text, in nats."""
        if not others:
            return []
        texts = [text, *others]
        at_once = max(1, AT_ONCE // len(text))
        whole, *rest = (
            likelihood
            for first in range(0, len(texts), at_once)
            for likelihood in self._likelihoods(sound, frames, texts[first : first + at_once])
        )
        return [whole - other for other in rest]

    def _likelihoods(
        self, sound: Samples, frames: int, texts: Sequence[Sequence[int]]
    ) -> Iterator[float]:
        from ctranslate2 import StorageView

        sounds = StorageView.from_array(np.repeat(sound, len(texts), 0))
        found = self._model.align(
            sounds, [*self._prompt], [*map(list, texts)], [frames] * len(texts)
        )
        for each in found:
            yield float(np.log(np.maximum(each.text_token_probs, LEAST)).sum())

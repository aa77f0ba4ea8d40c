"""How much a sound speaks for a text, and against its rivals.

The evidence is the natural logarithm of how much likelier the text is than the rival, as Whisper
hears the sound. A word that was not said makes the words after it unlikely. A share of the ratio
that there would be without any sound is taken off: a "the" is likely before "middle" whatever was
heard. Below 0, the sound speaks for the rival.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dubbing.media.samples import Samples
from dubbing.proof.rivals import Rival

SETTLED = 10.0
"""A ratio that no expectation outweighs."""
AT_ONCE = 500
"""Tokens that are compared at once; each takes half a megabyte. A usual line has half as many."""
DEAF_FRAMES = 8
"""Frames of no sound; their number changes nothing, as they are all alike."""
LEAST = 1e-7
"""Least probability of a token, below which differences mean nothing."""


class Likelihoods:
    """Compares texts by a Whisper model of CTranslate2's, with or without a sound."""

    def __init__(self, model: Any, prompt: Sequence[int]) -> None:
        """Take the model and the tokens before each text."""
        self._model = model
        self._prompt = prompt

    def evidence(
        self, sound: Any, frames: int, text: Sequence[int], rivals: Sequence[Rival]
    ) -> list[float]:
        """Return the evidence for a text against each of its rivals.

        sound: what the model encoded of so many frames of spectra. text: its tokens.
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
        """Return by how much the text is likelier than each other one."""
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

"""That XTTS's tokens are drawn, and decoded in batches, as coqui-tts does it."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from services import unavailable

from dubbing.engines.adapters._torch import prepare
from dubbing.engines.adapters.xtts import XTTS
from dubbing.engines.engine import missing_libraries

if missing_libraries(XTTS()):
    unavailable("coqui-tts")

TOLERANCE = 1e-5
"""Fraction of full scale."""


@pytest.fixture(autouse=True)
def library() -> None:
    prepare()


def test_a_published_decoder_does_not_hear_the_row_beside() -> None:
    import torch
    from TTS.tts.layers.xtts.hifigan_decoder import HifiDecoder

    from dubbing.engines.adapters._xtts.decoder import _decode

    sizes = {
        "resblock_type_decoder": "1",
        "resblock_dilation_sizes_decoder": [[1, 3, 5]] * 3,
        "resblock_kernel_sizes_decoder": [3, 7, 11],
        "upsample_rates_decoder": [8, 8, 2, 2],
        "upsample_kernel_sizes_decoder": [16, 16, 4, 4],
        # Fewer than in the published decoder: faster, with the same reach.
        "upsample_initial_channel_decoder": 64,
    }
    torch.manual_seed(0)
    decoder = HifiDecoder(**sizes).eval()
    # With random weights alone, distant input would have hardly any influence.
    for name, weight in decoder.waveform_decoder.named_parameters():
        if "resblocks" in name and name.endswith("original0"):
            weight.data.mul_(3)
    model = SimpleNamespace(hifigan_decoder=decoder, device="cpu")
    random = torch.Generator().manual_seed(0)
    long, short = (torch.randn(tokens, 1024, generator=random) for tokens in (12, 3))
    speaker = np.full(512, 0.04, np.float32)
    with torch.inference_mode():
        together = _decode(model, [long, short], [speaker, speaker])
        alone = [_decode(model, [own], [speaker])[0] for own in (long, short)]
    for one, other in zip(together, alone, strict=True):
        assert np.abs(one).max() > 0.1
        assert len(one) == len(other)
        assert np.abs(one - other).max() < TOLERANCE


def test_tokens_are_drawn_by_the_odds_that_transformers_gives_them() -> None:
    import torch
    from transformers import generation

    from dubbing.engines.adapters._xtts.language_model import _draw

    class Config:
        temperature, top_k, top_p, repetition_penalty = 0.75, 20, 0.85, 5.0

    logits = 3 * torch.randn(1, 60, generator=torch.Generator().manual_seed(0))
    had = torch.tensor([[1, 3, 5, 7, 11]])
    steps = (
        generation.RepetitionPenaltyLogitsProcessor(Config.repetition_penalty),
        generation.TemperatureLogitsWarper(Config.temperature),
        generation.TopKLogitsWarper(Config.top_k),
        generation.TopPLogitsWarper(Config.top_p),
    )
    odds = generation.LogitsProcessorList(steps)(had, logits.clone()).softmax(-1)[0]
    count = 4000
    used = torch.zeros_like(logits, dtype=torch.bool).scatter(1, had, value=True)
    chances = ((torch.arange(count) + 0.5) / count)[:, None]
    drawn = Counter(
        _draw(logits.expand(count, -1), used.expand(count, -1), chances, Config)[:, 0].tolist()
    )
    assert {token for token, odd in enumerate(odds) if odd} == set(drawn)
    for token, number in drawn.items():
        assert number / count == pytest.approx(float(odds[token]), abs=1 / count)

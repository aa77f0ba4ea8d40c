from __future__ import annotations

import numpy as np
import pytest
from meters import loudness

from dubbing.media.loudness import integrated


def voice(seconds: float, rate: int, seed: int) -> np.ndarray:
    """Return voice-like sound in syllables with pauses, at a random level."""
    source = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    noise = np.cumsum(source.standard_normal(len(time))) * 0.02
    noise = np.diff(noise, prepend=0) + 0.2 * source.standard_normal(len(time))
    pitch = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20))
    loud = np.where((time % 1.7) < 1.2, 1.0, 1e-3) * source.uniform(0.01, 0.4)
    return ((noise * 0.3 + pitch) * loud).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("seconds", [0.4, 0.5, 1.0, 2.7, 8.0])
def test_it_is_what_a_reference_meter_says(rate: int, seconds: float) -> None:
    samples = voice(seconds, rate, seed=round(rate * seconds))
    expected = loudness(samples, rate)
    assert integrated(samples, rate) == pytest.approx(expected, abs=0.1)


def test_a_full_scale_tone_is_at_the_level_that_the_standard_says() -> None:
    tone = np.sin(2 * np.pi * 997 * np.arange(48_000 * 5) / 48_000).astype(np.float32)
    assert integrated(tone, 48_000) == pytest.approx(-3.01, abs=0.02)


def test_a_line_too_short_for_a_gating_block_has_none() -> None:
    assert integrated(voice(0.399, 24_000, 1), 24_000) is None


def test_silence_has_none() -> None:
    assert integrated(np.zeros(48_000, np.float32), 48_000) is None

from __future__ import annotations

import numpy as np
import pytest
from meters import loudness, true_peak

from dubbing.assembly.mastering import LOOKAHEAD, RATE, Levels, gain, limit
from dubbing.assembly.profiles import PROFILES, Profile
from dubbing.media.samples import Samples


def blocks(programme: Samples, size: int = RATE) -> list[Samples]:
    return [programme[first : first + size] for first in range(0, len(programme), size)]


def mastered(programme: Samples, decibels: float, ceiling: float, size: int = RATE) -> Samples:
    louder = programme * np.float32(10 ** (decibels / 20))
    return np.concatenate(list(limit(blocks(louder, size), ceiling)))


def speech(seconds: float, *, seed: int = 0, channels: int = 1, peak: float = 0.5) -> Samples:
    """Return noise in syllables, with the crest factor of a voice."""
    source = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time), 0, 1) ** 2
    sound = source.standard_normal(len(time)) * syllables
    return np.repeat((sound / np.abs(sound).max() * peak)[:, None], channels, 1).astype(np.float32)


def between_samples(seconds: float = 2) -> Samples:
    """Return a tone at a quarter of the rate and 45 degrees: true peaks 3 dB over every sample."""
    n = np.arange(round(seconds * RATE))
    return (0.9 * np.sin(np.pi / 2 * n + np.pi / 4))[:, None].astype(np.float32)


def square(seconds: float = 2) -> Samples:
    """Return bursts of a square wave, whose band-limited form overshoots."""
    n = np.arange(round(seconds * RATE))
    wave = np.sign(np.sin(2 * np.pi * 997 * n / RATE)) * 0.8 * (n % 9600 < 4800)
    return wave[:, None].astype(np.float32)


@pytest.mark.parametrize("programme", [between_samples(), square(), speech(3, peak=0.9)])
@pytest.mark.parametrize("decibels", [0.0, 6.0, 12.0])
@pytest.mark.parametrize("ceiling", [-1.0, -2.0])
def test_no_true_peak_is_above_the_ceiling(
    programme: Samples, decibels: float, ceiling: float
) -> None:
    assert true_peak(mastered(programme, decibels, ceiling)) <= ceiling + 0.1


def test_a_limited_programme_comes_up_to_the_ceiling() -> None:
    assert true_peak(mastered(between_samples(), 6, -1)) == pytest.approx(-1, abs=0.15)


def test_a_programme_under_the_ceiling_gets_the_gain_and_nothing_else() -> None:
    programme = speech(5, peak=0.2, channels=2)
    np.testing.assert_allclose(mastered(programme, 6, -1), programme * 10 ** (6 / 20), rtol=1e-6)


@pytest.mark.parametrize("size", [1, 100, 4801, 48_000, 1_000_000])
def test_blocks_of_any_size_give_the_same_programme(size: int) -> None:
    programme = speech(0.1 if size == 1 else 2, peak=0.9, channels=2)
    whole = mastered(programme, 9, -1, len(programme))
    np.testing.assert_allclose(mastered(programme, 9, -1, size), whole, atol=1e-4)


def test_the_limiter_moves_nothing_in_time() -> None:
    programme = np.zeros((RATE, 1), np.float32)
    programme[12_345] = 1.0
    limited = mastered(programme, 0, -6)
    assert len(limited) == len(programme)
    assert np.abs(limited[:, 0]).argmax() == 12_345


def test_the_limiter_is_down_before_a_peak_and_comes_up_slowly() -> None:
    programme = np.full((RATE, 1), 0.1, np.float32)
    programme[RATE // 2] = 2.0
    attenuation = 20 * np.log10(mastered(programme, 0, -1)[:, 0] / programme[:, 0])
    assert attenuation[RATE // 2 - 3 * LOOKAHEAD] == pytest.approx(0, abs=1e-3)
    assert attenuation[RATE // 2] == pytest.approx(-7.0, abs=0.6)
    assert attenuation[RATE // 2 + RATE // 20] == pytest.approx(-4.2, abs=0.6)
    assert attenuation[-1] == pytest.approx(0, abs=1e-3)
    assert np.abs(np.diff(attenuation[RATE // 2 + 9 :])).max() < 0.05, "no step is heard"


def test_channels_are_limited_together() -> None:
    programme = np.stack([between_samples()[:, 0], np.full(2 * RATE, 0.1, np.float32)], 1)
    limited = mastered(programme, 6, -1)
    middle = slice(RATE // 2, RATE)
    factor = limited[middle, 1] / programme[middle, 1]
    np.testing.assert_allclose(limited[middle, 0], programme[middle, 0] * factor, rtol=1e-4)
    assert factor.max() < 10 ** (6 / 20) * 0.9


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())
@pytest.mark.parametrize("peak", [0.02, 0.9])
def test_a_programme_comes_to_its_profile(profile: Profile, peak: float) -> None:
    programme = speech(12, peak=peak, channels=2)
    levels = Levels()
    for block in blocks(programme, 2 * RATE):
        levels.observe(block)
    decibels = gain(profile, loudness(programme, RATE), levels)
    finished = mastered(programme, decibels, profile.ceiling)
    assert loudness(finished, RATE) == pytest.approx(profile.loudness, abs=0.5)
    assert true_peak(finished) <= profile.ceiling + 0.1


def test_what_the_limiter_takes_is_made_up_for() -> None:
    programme = speech(12, peak=0.5)
    programme[12_000::48_000] = 0.98
    levels = Levels()
    levels.observe(programme)
    loud = Profile(loudness=-15.0, ceiling=-1.0)
    measured = loudness(programme, RATE)
    decibels = gain(loud, measured, levels)
    assert decibels > loud.loudness - measured + 0.5
    finished = mastered(programme, decibels, loud.ceiling)
    assert loudness(finished, RATE) == pytest.approx(loud.loudness, abs=0.5)

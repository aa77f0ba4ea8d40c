from __future__ import annotations

import numpy as np
import pytest

from dubbing.assembly.background import FADE, keep
from dubbing.assembly.mix import BLOCK
from dubbing.media.probe import RATE
from dubbing.media.samples import Samples


def at(curve: Samples, seconds: float) -> float:
    return float(curve[round(seconds * RATE)])


def test_a_track_that_is_cut_anywhere_is_kept_the_same() -> None:
    noise = np.random.default_rng(7).standard_normal((28 * RATE, 2)).astype(np.float32)
    missing = [(0.5 + 3.1 * n, 1.2 + 3.1 * n) for n in range(9)]

    def parted(size: int) -> Samples:
        under, own = blocks(noise, size), blocks(-noise, size)
        return np.concatenate(list(keep(under, own, missing)))

    np.testing.assert_allclose(parted(4_801), parted(BLOCK), atol=1e-4)


def blocks(sound: Samples, size: int = BLOCK) -> list[Samples]:
    return [sound[first : first + size] for first in range(0, len(sound), size)]


def level(value: float, seconds: float) -> list[Samples]:
    return blocks(np.full((round(seconds * RATE), 1), value, np.float32))


def test_the_films_sound_replaces_what_was_under_a_missing_line_and_fades_outside_it() -> None:
    mixed = np.concatenate(list(keep(level(0.5, 12), level(-0.25, 12), [(4.0, 6.0)])))[:, 0]
    assert (mixed[4 * RATE : 6 * RATE + 1] == np.float32(-0.25)).all()
    assert (mixed[: round((4 - FADE) * RATE)] == 0.5).all()
    assert (mixed[round((6 + FADE) * RATE) + 1 :] == 0.5).all()
    assert at(mixed, 4 - FADE / 2) == pytest.approx(0.125, abs=1e-3), "half of each"
    assert np.abs(np.diff(mixed)).max() < 0.75 / (FADE * RATE) * 1.01


def test_music_that_both_sounds_hold_goes_on_through_the_crossfade() -> None:
    mixed = np.concatenate(list(keep(level(0.5, 3), level(0.5, 3), [(1.0, 1.5), (1.52, 2.0)])))
    np.testing.assert_allclose(mixed, 0.5, atol=1e-6)


@pytest.mark.parametrize(("under", "own"), [(0.0, 12.0), (3.0, 12.0), (12.0, 3.0), (7.0, 6.0)])
def test_a_sound_that_ends_before_the_other_is_silent_from_there(under: float, own: float) -> None:
    mixed = np.concatenate(list(keep(level(0.5, under), level(0.25, own), [(1.0, 11.0)])))[:, 0]
    assert len(mixed) == 12 * RATE if max(under, own) == 12 else 7 * RATE
    end = round(min(own, 11) * RATE)
    assert (mixed[RATE:end] == 0.25).all()
    assert not mixed[end + RATE // 10 : 11 * RATE - RATE // 10].any()

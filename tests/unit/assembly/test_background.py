from __future__ import annotations

import numpy as np
import pytest

from dubbing.assembly.background import FADE, duck, keep
from dubbing.assembly.mix import BLOCK
from dubbing.job import Background
from dubbing.media.probe import RATE
from dubbing.media.samples import Samples

SETTINGS = Background(mode="duck", depth=12, attack=0.15, release=0.4)


def ducked(spoken: list[tuple[float, float]], seconds: float, size: int = BLOCK) -> Samples:
    """Return the decibels by which each frame is attenuated."""
    sound = np.ones((round(seconds * RATE), 1), np.float32)
    blocks = [sound[first : first + size] for first in range(0, len(sound), size)]
    lowered = np.concatenate(list(duck(blocks, spoken, SETTINGS)))
    return -20 * np.log10(lowered[:, 0])


def at(curve: Samples, seconds: float) -> float:
    return float(curve[round(seconds * RATE)])


def test_the_film_is_down_from_a_lines_first_sample_to_its_last() -> None:
    curve = ducked([(2.0, 4.0)], 6)
    assert curve[2 * RATE : 4 * RATE] == pytest.approx(12, abs=1e-3)
    assert at(curve, 1.85) == pytest.approx(0, abs=1e-3)
    assert at(curve, 1.925) == pytest.approx(6, abs=1e-2), "linear in dB"
    assert at(curve, 4.2) == pytest.approx(6, abs=1e-2)
    assert at(curve, 4.41) == pytest.approx(0, abs=1e-3)
    assert (at(curve, 0), at(curve, 5.9)) == (0, 0)


def test_the_film_comes_up_only_as_far_as_a_short_gap_lets_it() -> None:
    curve = ducked([(1.0, 2.0), (2.275, 3.0)], 4)
    assert at(curve, 2.2) == pytest.approx(6, abs=1e-2), "the ramps meet half-way up"
    assert curve[2 * RATE : round(2.275 * RATE)].min() == pytest.approx(6, abs=1e-2)


def test_lines_that_overlap_or_touch_duck_as_one() -> None:
    curve = ducked([(3.0, 3.5), (1.0, 4.0), (4.0, 5.0)], 6)
    assert curve[RATE : 5 * RATE] == pytest.approx(12, abs=1e-3)


def test_a_line_at_the_very_start_is_ducked_for() -> None:
    assert at(ducked([(0.0, 1.0)], 2), 0) == pytest.approx(12, abs=1e-3)


def test_nobody_speaking_leaves_the_film_alone() -> None:
    assert not ducked([], 2).any()


def test_the_curve_does_not_depend_on_the_blocks() -> None:
    spoken = [(0.5 + 1.3 * n, 1.2 + 1.3 * n) for n in range(20)]
    np.testing.assert_allclose(ducked(spoken, 28, size=4_801), ducked(spoken, 28), atol=1e-4)


def test_a_track_that_is_cut_anywhere_is_ducked_and_kept_the_same() -> None:
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


def test_the_ducking_gives_way_to_a_missing_line_in_time_and_without_a_click() -> None:
    lines, missing = [(1.0, 4.99), (7.0, 8.0), (5.5, 6.0)], [(5.0, 7.0)]
    mixed = np.concatenate(list(duck(level(1.0, 9), lines, SETTINGS, missing)))[:, 0]
    assert (mixed[5 * RATE : 7 * RATE + 1] == 1).all(), "though somebody speaks in it"
    assert at(mixed, 4.9) == pytest.approx(10 ** (-12 / 20), abs=1e-3)
    assert at(mixed, 7.0 + FADE) == pytest.approx(10 ** (-12 / 20), abs=1e-3)
    assert np.abs(np.diff(mixed)).max() < np.log(10) * 12 / 20 / (FADE * RATE) * 1.05

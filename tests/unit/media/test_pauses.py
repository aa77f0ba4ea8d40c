"""Pauses inside a line and the decay at its end, found and shortened without a trace."""

from __future__ import annotations

import numpy as np
import pytest

from dubbing.media.pauses import FADE, LONGEST_DECAY, find_decay, find_pauses, without
from dubbing.media.samples import Audio, Samples
from dubbing.planning.pauses import cuts, spare

RATE = 24_000


def speech(*seconds: float, noise: float = 0.0) -> Audio:
    """Return tones and pauses in turn, over room tone of a level."""
    parts: list[Samples] = []
    for number, length in enumerate(seconds):
        time = np.arange(round(length * RATE)) / RATE
        tone = np.sin(2 * np.pi * 150 * time) if number % 2 == 0 else np.zeros(len(time))
        parts.append((0.5 * tone).astype(np.float32))
    samples = np.concatenate(parts)
    samples += np.random.default_rng(1).normal(0, noise, len(samples)).astype(np.float32)
    return Audio(samples=samples, rate=RATE)


def test_pauses_inside_are_found_and_neither_plosives_nor_ends() -> None:
    found = find_pauses(speech(0.5, 0.3, 0.4, 0.11, 0.2, 0.5, 0.3, 0.4))
    assert found == ((0.5, 0.8), (1.51, 2.01))


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 192_000])
def test_a_pause_late_in_a_long_line_is_found_in_its_place(rate: int) -> None:
    tone = np.full(26 * rate, 0.5, np.float32)
    tone[24 * rate : 24 * rate + 2 * rate // 5] = 0
    ((start, end),) = find_pauses(Audio(samples=tone, rate=rate))
    assert (start, end) == (pytest.approx(24.0, abs=0.01), pytest.approx(24.4, abs=0.01))


def test_sound_of_one_loudness_has_no_pauses() -> None:
    assert find_pauses(speech(1.0)) == ()
    assert find_pauses(Audio(samples=np.zeros(100, np.float32), rate=RATE)) == ()
    assert find_pauses(speech(0.5, 0.3, 0.5, noise=0.02)) == (), "the room is too loud to tell"


def test_a_cut_leaves_the_speech_and_the_shortest_pause() -> None:
    audio = speech(0.5, 0.4, 0.5)
    shorter = without(audio, cuts(find_pauses(audio), 0.12, 1.0))
    assert shorter.seconds == pytest.approx(1.12)
    assert find_pauses(Audio(samples=shorter.samples, rate=RATE)) == ()
    np.testing.assert_array_equal(shorter.samples[: RATE // 2], audio.samples[: RATE // 2])
    np.testing.assert_array_equal(shorter.samples[-RATE // 2 :], audio.samples[-RATE // 2 :])


def test_room_tone_goes_on_as_loud_through_a_cut_and_without_a_click() -> None:
    audio = speech(0.5, 0.9, 0.5, noise=0.001)
    (cut,) = cuts(find_pauses(audio), 0.12, 0.6)
    shorter = without(audio, [cut])
    first = round(cut[0] * RATE)
    crossed = shorter.samples[first : first + round(FADE * RATE)]
    before = shorter.samples[first - 2_000 : first]
    assert np.std(crossed) == pytest.approx(np.std(before), rel=0.25)
    steps = np.abs(np.diff(shorter.samples[first - 100 : first + 400]))
    assert steps.max() < 6 * np.std(before) * np.sqrt(2)


def test_every_pause_gives_the_same_share_of_what_it_spares() -> None:
    pauses = ((1.0, 1.52), (3.0, 3.22), (4.0, 4.13))
    assert spare(pauses, 0.12) == pytest.approx(0.51)
    first, second = cuts(pauses, 0.15, 0.22)
    assert first == pytest.approx((1.26 - 0.0925, 1.26 + 0.0925))
    assert second == pytest.approx((3.11 - 0.0175, 3.11 + 0.0175))
    assert cuts(pauses, 0.12, 0.0) == ()
    assert cuts((), 0.12, 1.0) == ()


def test_a_sound_without_cuts_is_left_as_it_is() -> None:
    audio = speech(0.5)
    assert without(audio, ()) is audio


def ending(*decibels: float) -> Audio:
    """Return a tone of half a second, and after it 10 ms at each level beneath it."""
    samples = speech(0.5).samples
    windows = [samples[-RATE // 100 :] * 10 ** (level / 20) for level in decibels]
    return Audio(samples=np.concatenate([samples, *windows]).astype(np.float32), rate=RATE)


def test_a_line_may_end_where_it_only_dies_away_less_a_fade() -> None:
    assert find_decay(ending(-10, -20, -31, -35, -40)) == pytest.approx(0.02)
    assert find_decay(ending(-31)) == 0.0, "the fade takes it"
    assert find_decay(ending(-10, -20, -25)) == 0.0
    assert find_decay(Audio(samples=np.zeros(RATE, np.float32), rate=RATE)) == 0.0
    assert find_decay(Audio(samples=np.zeros(10, np.float32), rate=RATE)) == 0.0


def test_neither_a_burst_after_its_closure_nor_a_weak_fricative_is_a_decay() -> None:
    closure = (-45, -60, -60, -60)
    assert find_decay(ending(*closure, -36, -38, -41)) == 0.0
    longest = round((LONGEST_DECAY + FADE) * 100)
    assert find_decay(ending(*[-36.0] * longest)) == pytest.approx(LONGEST_DECAY)
    assert find_decay(ending(*[-36.0] * (longest + 1))) == 0.0


def test_a_line_without_its_decay_is_the_same_up_to_there() -> None:
    audio = ending(-20, -32, -36, -40, -44)
    decay = find_decay(audio)
    shorter = without(audio, [(audio.seconds - decay, audio.seconds)])
    assert shorter.seconds == pytest.approx(audio.seconds - 0.03)
    np.testing.assert_array_equal(shorter.samples, audio.samples[: len(shorter.samples)])

"""The balance of speech and background, measured in the finished mix by another meter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import soxr
from backgrounds import apart, at, music, noise, part
from meters import loudness, true_peak
from scenes import CLIP_RATE, voice

from dubbing.assembly.balance import ABOVE, FADED, Balance, balance
from dubbing.assembly.mastering import Levels, limit
from dubbing.assembly.mix import BLOCK, mix, spread
from dubbing.assembly.profiles import PROFILES
from dubbing.assembly.spoken import SpokenLine
from dubbing.job import Background
from dubbing.media.loudness import integrated, powers
from dubbing.media.probe import RATE
from dubbing.media.samples import Samples

SECONDS = 12
LINES = [(0.5, 2.5), (3.12, 5.0), (7.0, 7.3), (9.0, 11.45)]
"""The first pause is too short for the background to come up in it."""


@dataclass
class Finished:
    """A mastered programme."""

    balance: Balance
    lines: list[tuple[float, float]]
    background: Samples
    """The background as it came, ``(n, 2)``."""
    track: Samples
    """All that is heard, ``(n, 2)``."""

    @property
    def speech(self) -> Samples:
        return apart(self.track)[0]

    @property
    def under(self) -> Samples:
        return apart(self.track)[1]

    def during_lines(self, sound: Samples) -> float:
        """Return the LUFS of a sound while somebody speaks."""
        return loudness(np.concatenate([part(sound, *line) for line in self.lines]), RATE)

    def distances(self) -> list[float]:
        """Return the LU from each line down to the background under it."""
        return [
            loudness(part(self.speech, *line), RATE) - loudness(part(self.under, *line), RATE)
            for line in self.lines
            if line[1] - line[0] > 0.4
        ]

    def curve(self) -> Samples:
        """Return the gain of the background in dB, every 10 ms."""
        heard = np.abs(self.background[:, 0]) > 1e-4
        gains = np.full(len(heard), np.nan)
        gains[heard] = self.under[heard, 0] / self.background[heard, 0]
        return 20 * np.log10(np.nanmedian(gains.reshape(-1, RATE // 100), axis=1))


def blocks(sound: Samples) -> list[Samples]:
    return [sound[first : first + BLOCK] for first in range(0, len(sound), BLOCK)]


def finished(
    background: Samples,
    *,
    profile: str = "ebu-r128",
    mode: str = "duck",
    lines: list[tuple[float, float]] = LINES,
    quieter: tuple[float, ...] = (),
) -> Finished:
    """Return the programme of lines over a background. quieter: dB of the first lines."""
    speech = np.zeros((len(background), 1), np.float32)
    spoken = []
    for number, (start, end) in enumerate(lines):
        said = soxr.resample(voice(end - start, pitch=110 + 30 * number).samples, CLIP_RATE, RATE)
        said = said * 10 ** (-(quieter[number] if number < len(quieter) else 0) / 20)
        speech[round(start * RATE) : round(start * RATE) + len(said), 0] += said
        lufs = integrated(np.asarray(said, np.float32), RATE)
        spoken.append(SpokenLine(start=start, end=end, loudness=lufs and lufs + spread(2)))
    levels = Levels()
    levels.observe(speech)
    balanced = balance(
        powers(speech, RATE) * 2,
        powers(background, RATE),
        spoken,
        len(speech),
        profile=PROFILES[profile],
        settings=Background(mode=mode, track="track" if mode == "track" else None),
        levels=levels,
    )
    mixed = mix(blocks(speech), blocks(background), balanced, channels=2)
    track = np.concatenate(list(limit(mixed, PROFILES[profile].ceiling)))
    return Finished(balance=balanced, lines=lines, background=background, track=track)


@pytest.mark.parametrize("mode", ["duck", "track"])
@pytest.mark.parametrize("lufs", [-26, -17, -9])
@pytest.mark.parametrize("sound", [noise, music])
def test_speech_carries_the_profile_and_the_background_keeps_its_distance(
    sound: object, lufs: float, mode: str
) -> None:
    made = finished(at(sound(SECONDS), lufs), mode=mode)  # type: ignore[operator]
    assert made.during_lines(made.track) == pytest.approx(-23, abs=1)
    distances = made.distances()
    assert min(distances) >= 10
    assert made.balance.distances.min() == pytest.approx(min(distances), abs=2)
    assert loudness(made.track, RATE) == pytest.approx(-23, abs=1)
    slopes = np.diff(made.curve()) * 100
    assert slopes.min() > -FADED / 0.15 * 1.01, "it falls as the job's attack says"
    assert slopes.max() < FADED / 0.4 * 1.01, "it rises as the job's release says"


@pytest.mark.parametrize("mode", ["duck", "track"])
def test_the_background_does_not_come_up_in_a_short_pause(mode: str) -> None:
    curve = finished(at(noise(SECONDS), -17), mode=mode).curve()
    pause, line = curve[250:312], np.append(curve[50:250], curve[312:500])
    assert pause.max() < line.max() + 0.1
    assert curve[510:690].max() > line.max() + 5, "but in a longer one"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_quiet_background_is_not_raised(profile: str) -> None:
    made = finished(at(noise(SECONDS), -45), profile=profile)
    assert made.balance.background == 0
    assert made.curve().max() == pytest.approx(0, abs=0.1)
    assert made.curve().min() == pytest.approx(-12, abs=0.1), "it is ducked, and no more"


@pytest.mark.parametrize("profile", PROFILES)
def test_speech_alone_carries_the_profile(profile: str) -> None:
    made = finished(np.zeros((SECONDS * RATE, 2), np.float32), profile=profile)
    assert made.during_lines(made.track) == pytest.approx(PROFILES[profile].loudness, abs=0.5)
    assert not made.balance.distances.size


def test_a_background_alone_carries_the_profile() -> None:
    made = finished(at(noise(SECONDS), -30), lines=[])
    assert loudness(made.track, RATE) == pytest.approx(-23, abs=0.1)


def test_a_passage_that_nobody_speaks_in_is_not_much_louder_than_the_speech() -> None:
    sound = at(noise(40), -24)
    sound[28 * RATE : 32 * RATE] *= 4
    under = finished(sound, lines=[(1.0 + 3 * n, 3.4 + 3 * n) for n in range(8)]).under
    seconds = [loudness(part(under, start, start + 3), RATE) for start in np.arange(26, 32, 0.25)]
    assert max(seconds) < -23 + ABOVE + 0.2
    assert max(seconds) > -23 + ABOVE - 1.5, "it is no quieter than it has to be"


def test_the_background_keeps_its_distance_from_a_quiet_line_too() -> None:
    made = finished(at(music(SECONDS), -12), mode="track", quieter=(9.0,))
    assert min(made.distances()) >= 10
    assert max(made.distances()) < 13.5
    assert made.during_lines(made.speech) == pytest.approx(-23, abs=0.5)


def test_speech_wins_where_the_programme_cannot_keep_its_profile_with_it() -> None:
    made = finished(at(noise(40), -35), lines=[(5.0, 7.0)])
    assert made.during_lines(made.track) == pytest.approx(-23, abs=0.5)
    assert loudness(made.track, RATE) < -24
    assert made.balance.background == 0, "moving it would not help"


def test_netflix_measures_a_programme_with_little_speech_as_a_whole() -> None:
    little = finished(at(noise(40), -25), profile="netflix", lines=[(5.0, 9.0)])
    assert little.during_lines(little.track) == pytest.approx(-27, abs=0.5)
    assert loudness(little.track, RATE) == pytest.approx(-24, abs=2)
    much = finished(at(noise(SECONDS), -40), profile="netflix")
    assert much.during_lines(much.track) == pytest.approx(-27, abs=0.5)


def test_no_peak_is_above_the_ceiling_and_the_speech_is_not_squashed_under_loud_music() -> None:
    made = finished(at(music(SECONDS), -9), profile="streaming", mode="track")
    assert true_peak(made.track) <= -0.9
    assert made.during_lines(made.speech) == pytest.approx(-16, abs=0.5)


def test_a_programme_shorter_than_a_gating_block_is_mixed() -> None:
    background = at(noise(SECONDS), -17)[: RATE // 5]
    made = finished(background, lines=[(0.0, 0.15)])
    assert np.isfinite(made.track).all()

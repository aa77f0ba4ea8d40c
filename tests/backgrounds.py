"""Backgrounds that come out of a finished stereo mix again.

The background is in opposite phase in the two channels and the speech in the same.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from meters import loudness

from dubbing.media.probe import RATE
from dubbing.media.samples import Samples


@cache
def noise(seconds: int) -> Samples:
    """Return pink noise, mono."""
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(seconds * RATE))
    pitch = np.maximum(np.fft.rfftfreq(seconds * RATE, 1 / RATE), 20)
    return np.fft.irfft(spectrum / np.sqrt(pitch)).astype(np.float32)


@cache
def music(seconds: int) -> Samples:
    """Return a chord that swells, and a drum, mono."""
    time = np.arange(seconds * RATE) / RATE
    swell = 1 + 0.8 * np.sin(2 * np.pi * 0.3 * time)
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220, 277.2, 330)) * swell
    drum = np.random.default_rng(4).standard_normal(len(time)) * np.exp(-8 * (time % 0.5))
    return np.asarray(chord + 3 * drum, np.float32)


def at(sound: Samples, lufs: float) -> Samples:
    """Return a mono sound at a loudness, ``(n, 2)`` in opposite phase."""
    both = np.stack([sound, -sound], axis=1)
    return both * np.float32(10 ** ((lufs - loudness(both, RATE)) / 20))


def apart(track: Samples) -> tuple[Samples, Samples]:
    """Return the speech and the background of a finished mix, ``(n, 2)`` each."""
    speech = np.repeat(track.mean(axis=1, keepdims=True), 2, axis=1)
    return speech, track - speech


def part(sound: Samples, start: float, end: float) -> Samples:
    """Return the sound between two times in seconds."""
    return sound[round(start * RATE) : round(end * RATE)]

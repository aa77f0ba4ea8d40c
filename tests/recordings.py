"""Recordings of speech, made with eSpeak: clean, or as bad as a test needs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scenes import ffmpeg
from services import unavailable

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, Line
from dubbing.errors import EngineMissing
from dubbing.media.samples import Audio, Samples
from dubbing.voices.reference import RATE

TEXT = (
    "You told me the ship would leave before dawn, and I believed you. Yes. I never said that I "
    "would stay here with you, not for a day, not for an hour. What did you expect of me then?"
)


@cache
def _espeak() -> Engine:
    engine = Catalogue().create("espeak")
    try:
        engine.load("cpu")
    except EngineMissing as exc:
        unavailable(str(exc))
    return engine


@cache
def speech(voice: str = "m3", text: str = TEXT) -> Audio:
    """Return speech of one of eSpeak's voices, at a peak of 0.5."""
    (sound,) = _espeak().synthesize([Line(text=text, language="en", voice=voice)])
    assert isinstance(sound, Audio)
    samples = soxr.resample(sound.samples, sound.rate, RATE)
    return Audio(samples=samples / np.abs(samples).max() * np.float32(0.5), rate=RATE)


def noisy(sound: Audio, snr: float) -> Audio:
    """Return a recording with white noise, ``snr`` dB below the sounding speech."""
    sounding = sound.samples[np.abs(sound.samples) > 1e-3]
    power = np.square(sounding).mean() / 10 ** (snr / 10)
    noise = np.random.default_rng(7).standard_normal(len(sound.samples)) * np.sqrt(power)
    return Audio(samples=(sound.samples + noise).astype(np.float32), rate=sound.rate)


def clipped(sound: Audio, gain: float) -> Audio:
    """Return a recording that clips, ``gain`` times too loud."""
    return Audio(samples=np.clip(sound.samples * np.float32(2 * gain), -1, 1), rate=sound.rate)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def write(path: Path, sound: Audio, container: str = "wav") -> Path:
    """Write a recording as WAV, MP3, FLAC or M4A, whatever the path's suffix."""
    plain = path.with_name(f"{path.name}.plain")
    soundfile.write(plain, sound.samples, sound.rate, format="WAV", subtype="PCM_16")
    ffmpeg("-i", plain, "-f", {"m4a": "ipod"}.get(container, container), path)
    plain.unlink()
    return path

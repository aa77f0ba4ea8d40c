"""What tests of engines share: lines to say, and what is heard in the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import soxr
from services import unavailable

from dubbing.audio import Audio, trim
from dubbing.catalogue import Catalogue
from dubbing.engine import Engine, Line, VoiceForm
from dubbing.engines.tone import Tone
from dubbing.errors import EngineMissing

TEXTS = (
    "You told me the ship would leave before dawn.",
    "Yes.",
    "I never said that I would stay here with you, not for a day, not for an hour.",
)
LONGEST = 15.0


def loaded(name: str) -> Iterator[Engine]:
    engine = Catalogue().create(name)
    try:
        engine.load("cpu")
    except EngineMissing as exc:
        unavailable(str(exc))
    yield engine
    engine.unload()


def line(engine: Engine, text: str = TEXTS[0], **fields: object) -> Line:
    """A line in a language and a voice that the engine has."""
    language = "en" if engine.spec.covers("en") else engine.spec.languages[0]
    plain = Line(text=text, language=language, voice=a_voice(engine))
    return replace(plain, **fields)


def a_voice(engine: Engine) -> str | VoiceForm:
    if engine.spec.voices:
        return engine.spec.voices[0]
    return engine.extract(recording(), TEXTS[0])


def recording() -> Audio:
    """Ten seconds that sound like a voice."""
    hum = Tone().synthesize([Line(text="x" * 150, language="en", voice="low")])[0]
    assert isinstance(hum, Audio)
    return hum


def speak(engine: Engine, *lines: Line) -> list[Audio]:
    """What the engine says, each without the silence around it."""
    return [trim(sound) for sound in spoken(engine, *lines)]


def spoken(engine: Engine, *lines: Line) -> list[Audio]:
    results = engine.synthesize(lines)
    assert len(results) == len(lines)
    sounds = [result for result in results if isinstance(result, Audio)]
    assert sounds == results
    return sounds


def spectrum(sound: Audio) -> np.ndarray:
    """The mean spectrum in 16 bands up to 8 kHz, in dB about its mean."""
    samples = soxr.resample(sound.samples, sound.rate, 16_000)
    frames = samples[: len(samples) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    power = np.square(np.abs(np.fft.rfft(frames)[:, 1:])).mean(axis=0)
    decibels = 10 * np.log10(power.reshape(16, 16).mean(axis=1) + 1e-9)
    return decibels - decibels.mean()


def pitch(sound: Audio) -> float:
    """The median fundamental in Hz."""
    return float(Tone().extract(sound, "")["f0"][0])

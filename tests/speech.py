"""Shared parts of engine tests: lines to speak, and measurements of the sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import engine_servers
import numpy as np
import pytest
import soxr
import speech_server
import tiny
from services import unavailable

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.conversion import Converted
from dubbing.engines.engine import Converter, Engine, Line, VoiceForm, require
from dubbing.engines.models.folders import ModelFolders
from dubbing.engines.remote.pool import Pools
from dubbing.engines.remote.registry import Registry
from dubbing.errors import EngineMissing
from dubbing.media.samples import Audio, trim
from dubbing.storage import Storage

TEXTS = (
    "You told me the ship would leave before dawn.",
    "Yes.",
    "I never said that I would stay here with you, not for a day, not for an hour.",
)
LONGEST = 15.0
KINDS = {
    "openai": "openai",
    "indextts": "omni",
    "gpt-sovits": "sovits",
    "piper-http": "piper",
    "yourtts-http": "yourtts",
}
"""The kind of server of a remote engine."""
HEAVY = ("indextts25",)
"""Engines whose libraries scripts/setup does not install, as these are large."""


def loaded(name: str, models: Path) -> Iterator[Engine]:
    """Yield a loaded engine, with its tiny model if needed; a converter gets the tone engine."""
    storage = Storage.at(str(models / "storage"))
    pools = Pools(lambda: storage)
    catalogue = Catalogue(ModelFolders(root=models), pools=pools)
    with ExitStack() as servers:
        engine = catalogue.create(name)
        try:
            require(engine)
            tiny.make(name, models / name)
            servers.enter_context(served(name, Registry(catalogue, pools), models))
            engine = catalogue.create(name)
            engine.load("cpu")
        except EngineMissing as exc:
            if name in HEAVY:
                pytest.skip(str(exc))
            unavailable(str(exc))
        yield over_tone(engine) if engine.spec.base else engine
        engine.unload()


@contextmanager
def served(name: str, registry: Registry, folder: Path) -> Iterator[None]:
    """Run a server for a remote engine, as its endpoint; nothing for another one.

    folder: is shared with the server.
    """
    if name == "remote":
        registry.add(name, {"url": engine_servers.shared().url}, {})
        yield
        return
    if name not in KINDS:
        yield
        return
    with speech_server.running(KINDS[name]) as server:
        declared = {"references": str(folder)} if name == "gpt-sovits" else {}
        registry.add(name, {"url": server.url}, declared)
        yield


def over_tone(converter: Converter) -> Engine:
    """Return a converter over the tone engine, without pitch, which random models do not keep."""
    tone = Tone()
    tone.spec = tone.spec.model_copy(update={"delivery": ()})
    tone.load("cpu")
    return Converted(converter, tone)


def line(engine: Engine, text: str = TEXTS[0], **fields: object) -> Line:
    """Return a line in a language and a voice of the engine."""
    language = "en" if engine.spec.covers("en") else engine.spec.languages[0]
    base_voice = "low" if engine.spec.base else ""
    plain = Line(text=text, language=language, voice=a_voice(engine), base_voice=base_voice)
    return replace(plain, **fields)


def in_stock_voice(engine: Engine, voice: str) -> Line:
    """Return a line in a stock voice, which a converter converts."""
    return line(engine, **{"base_voice" if engine.spec.base else "voice": voice})


def a_voice(engine: Engine) -> str | VoiceForm:
    if engine.spec.voices and not engine.spec.base:
        return engine.spec.voices[0]
    return engine.extract(recording(), TEXTS[0])


def recording(voice: str = "low") -> Audio:
    """Return ten seconds that sound like a voice."""
    hum = Tone().synthesize([Line(text="x" * 150, language="en", voice=voice)])[0]
    assert isinstance(hum, Audio)
    return hum


def speak(engine: Engine, *lines: Line) -> list[Audio]:
    """Return the engine's speech of each line, without the silence around it."""
    return [trim(sound) for sound in spoken(engine, *lines)]


def spoken(engine: Engine, *lines: Line) -> list[Audio]:
    results = engine.synthesize(lines)
    assert len(results) == len(lines)
    sounds = [result for result in results if isinstance(result, Audio)]
    assert sounds == results
    return sounds


def spectrum(sound: Audio) -> np.ndarray:
    """Return the mean spectrum in 16 bands up to 8 kHz, in dB relative to its mean."""
    samples = soxr.resample(sound.samples, sound.rate, 16_000)
    frames = samples[: len(samples) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    power = np.square(np.abs(np.fft.rfft(frames)[:, 1:])).mean(axis=0)
    decibels = 10 * np.log10(power.reshape(16, 16).mean(axis=1) + 1e-9)
    return decibels - decibels.mean()


def pitch(sound: Audio) -> float:
    """Return the median fundamental frequency in Hz."""
    return float(Tone().extract(sound, "")["f0"][0])

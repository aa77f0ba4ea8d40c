"""An engine without a model, for tests, dry runs and benchmarks: it hums instead of speaking.

Each line is a series of short harmonic tones, about one per three characters. Its length in samples
is known in advance. The same line with the same seed gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from dubbing.engines.adapters._shared import no_such_voice
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm, described
from dubbing.engines.models.folders import Weights
from dubbing.errors import DubbingError, SpeechRejected
from dubbing.media.samples import Audio, Samples

RATE = 24_000
PACE = 15.0
"""Characters a second."""
SYLLABLE_CHARACTERS = 3
SOUNDING = 0.6
"""Share of a syllable's time with sound; the rest is silence before the next syllable."""
MELODY = 2.0
"""Most semitones by which syllables vary from the voice's pitch, up or down."""
LOUDNESS = 0.5
"""Peak of a line."""
STEPS = 4096
"""Length of the tables from which a line is made."""

# Hz; low and high voices alternate.
VOICES = {"low": 100.0, "high": 240.0, "mid": 150.0, "bright": 340.0, "deep": 70.0}

LOWEST, HIGHEST = 60.0, 500.0
"""Limits in Hz of the search for a reference's pitch."""
WINDOW = 0.05
"""Seconds of a reference that are analysed together: three periods of the lowest pitch."""
VOICED = 0.5
"""Autocorrelation from which a window counts as voiced."""


class Tone:
    """Hums lines, in a stock voice or at the pitch of a reference."""

    weights: ClassVar[Weights | None] = None
    extra: ClassVar[str] = ""
    libraries: ClassVar[tuple[str, ...]] = ()
    spec = EngineSpec(
        name="tone",
        summary="Hums instead of speaking: for tests, dry runs and benches",
        languages=("*",),
        voices=tuple(VOICES),
        says_words=False,
        clones=True,
        reference_seconds=(1.0, 30.0),
        max_characters={"*": 1000},
        characters_per_second={"*": PACE},
        speed=(0.5, 2.0),
        delivery=("pitch",),
        sample_rate=RATE,
        batch_lines=64,
        batch_seconds=100_000.0,
        seconds_per_call=60.0,
        licence="Apache-2.0",
    )
    model: str

    def __init__(self, name: str = "tone", folder: Path = Path()) -> None:
        self.spec = described(type(self).spec, name, folder)

    def load(self, device: str) -> None:
        """Set the digest; there is no model to load."""
        self.model = hashlib.sha256(b"tone").hexdigest()

    def unload(self) -> None:
        """Do nothing: nothing is held."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Return the reference's pitch, ``{"f0": (1,) float64, Hz}``.

        Raises SpeechRejected when no pitch is heard in it.
        """
        return {"f0": np.array([_fundamental(reference)])}

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Hum ``lines``; the length of a line in seconds is its characters ÷ pace ÷ speed."""
        return [self._speak(line) for line in lines]

    def _speak(self, line: Line) -> Spoken:
        try:
            pitch = self._pitch(line.voice) * 2 ** (line.pitch / 12)
        except DubbingError as exc:
            return exc
        frames = round(len(line.text) / PACE / line.speed * RATE)
        syllables = max(1, round(len(line.text) / SYLLABLE_CHARACTERS))
        melody = _random(line).uniform(-MELODY, MELODY, syllables)
        return Audio(samples=_hum(frames, pitch * 2 ** (melody / 12)), rate=RATE)

    def _pitch(self, voice: str | VoiceForm) -> float:
        if not isinstance(voice, str):
            return float(voice["f0"][0])
        if voice not in VOICES:
            raise no_such_voice(self.spec, voice)
        return VOICES[voice]


def _random(line: Line) -> np.random.Generator:
    digest = hashlib.blake2b(f"{line.seed} {line.text}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest))


def _hum(frames: int, pitches: npt.NDArray[np.float64]) -> Samples:
    """Return ``frames`` samples with one syllable a pitch; the last one ends at the last frame."""
    place = np.linspace(0, len(pitches) - 1 + SOUNDING, frames, endpoint=False)
    turns = np.cumsum((pitches / RATE)[place.astype(np.intp)])
    hum: Samples = _SYLLABLE[_step(place)] * _PERIOD[_step(turns)]
    return hum


def _step(place: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the indices into a table for the fractional parts of ``place``."""
    return (place * STEPS).astype(np.intp) % STEPS


def _syllable() -> Samples:
    """Return the envelope of a syllable."""
    sounding = round(STEPS * SOUNDING)
    loudness = np.zeros(STEPS, np.float32)
    loudness[:sounding] = np.sqrt(np.sin(np.pi * np.arange(sounding) / sounding))
    return loudness


def _period() -> Samples:
    """Return one period with the falling harmonics of a voice."""
    turn = 2 * np.pi * np.arange(STEPS) / STEPS
    wave = np.sum([np.sin(turn * n) / n for n in range(1, 9)], axis=0)
    period: Samples = (LOUDNESS * wave / np.abs(wave).max()).astype(np.float32)
    return period


_SYLLABLE, _PERIOD = _syllable(), _period()


def _fundamental(reference: Audio) -> float:
    """Return the median pitch of the voiced parts, in Hz, by autocorrelation."""
    size = round(WINDOW * reference.rate)
    count = len(reference.samples) // size
    windows = reference.samples[: count * size].reshape(count, size).astype(np.float64)
    windows = windows - windows.mean(axis=1, keepdims=True)
    energy = np.square(windows).sum(axis=1)
    loud = windows[energy > energy.max(initial=0) / 100]
    spectrum = np.abs(np.fft.rfft(loud, 2 * size)) ** 2
    correlation = np.fft.irfft(spectrum)[:, :size]
    shortest, longest = round(reference.rate / HIGHEST), round(reference.rate / LOWEST)
    periods = correlation[:, shortest:longest]
    voiced = periods.max(axis=1, initial=0) > VOICED * correlation[:, 0]
    if not voiced.any():
        raise SpeechRejected("no pitch is heard in the reference: give clear speech of one voice")
    return float(reference.rate / np.median(shortest + periods[voiced].argmax(axis=1)))

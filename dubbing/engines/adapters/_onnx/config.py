"""What the configuration of an acoustic graph and a vocoder says: what is what in them."""

from __future__ import annotations

from pydantic import Field, model_validator

from dubbing.documents import Model


class Symbols(Model):
    """How a text becomes numbers."""

    numbers: dict[str, int] = Field(min_length=1)
    """The number of each symbol."""
    phonemes: str | None = None
    """The language in whose phonemes eSpeak reads a text; left out, symbols are its letters."""
    lower: bool = False
    """Whether letters are made small."""
    blank: int | None = None
    """Stands before, between and after all symbols."""
    start: int | None = None
    end: int | None = None
    pad: int = 0
    """Fills the shorter lines of a batch."""


class Inputs(Model):
    """Names of inputs of the acoustic graph."""

    tokens: str
    """Numbers of symbols, (lines, symbols) or (symbols,)."""
    lengths: str | None = None
    """How many of them each line has."""
    speaker: str | None = None
    speed: str | None = None
    """Twice as fast at 2; of each line, or of all."""
    length_scale: str | None = None
    """Twice as slow at 2; in place of ``speed``."""


class Outputs(Model):
    """Names of outputs of the acoustic graph."""

    mel: str
    """The spectrogram, (lines, mels, frames); ``lines`` may be left out."""
    mel_lengths: str | None = None
    """How many frames each line has."""
    durations: str | None = None
    """How many frames each symbol lasts, (lines, symbols); in place of ``mel_lengths``."""


class Acoustic(Model):
    """The graph that makes a spectrogram of symbols."""

    file: str
    inputs: Inputs
    outputs: Outputs
    frames_first: bool = False
    """Whether its spectrograms are (frames, mels)."""


class Vocoder(Model):
    """The graph that makes sound of a spectrogram."""

    file: str
    input: str
    output: str
    frames_first: bool = False
    """Whether its spectrograms are (frames, mels)."""


class Config(Model):
    """What ``config.json`` says of a model."""

    languages: tuple[str, ...] = Field(min_length=1)
    sample_rate: int = Field(gt=0)
    speakers: dict[str, int] = Field(default={})
    symbols: Symbols
    acoustic: Acoustic
    vocoder: Vocoder

    @model_validator(mode="after")
    def _fits_together(self) -> Config:
        inputs = self.acoustic.inputs
        if bool(self.speakers) != bool(inputs.speaker):
            raise ValueError("speakers and acoustic.inputs.speaker need each other")
        if inputs.speed and inputs.length_scale:
            raise ValueError("acoustic.inputs has both speed and length_scale: keep one")
        return self

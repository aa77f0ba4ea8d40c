"""The configuration of an acoustic graph and a vocoder, with the names of inputs and outputs."""

from __future__ import annotations

from pydantic import Field, model_validator

from dubbing.documents import Model


class Symbols(Model):
    """The conversion of text to numbers."""

    numbers: dict[str, int] = Field(min_length=1)
    """The number of each symbol."""
    phonemes: str | None = None
    """eSpeak's name of the language for phonemes; without it, the symbols are letters."""
    lower: bool = False
    """Whether text is converted to lower case."""
    blank: int | None = None
    """The number to insert before, between and after all symbols."""
    start: int | None = None
    end: int | None = None
    pad: int = 0
    """The number that pads the shorter lines of a batch."""


class Inputs(Model):
    """Names of the acoustic graph's inputs."""

    tokens: str
    """Numbers of symbols, (lines, symbols) or (symbols,)."""
    lengths: str | None = None
    """Number of symbols of each line."""
    speaker: str | None = None
    speed: str | None = None
    """The speed of each line, or of all: 2 is twice as fast."""
    length_scale: str | None = None
    """In place of ``speed``, its inverse: 2 is half as fast."""


class Outputs(Model):
    """Names of the acoustic graph's outputs."""

    mel: str
    """The spectrogram, (lines, mels, frames) or (mels, frames)."""
    mel_lengths: str | None = None
    """Number of frames of each line."""
    durations: str | None = None
    """Number of frames of each symbol, (lines, symbols); instead of ``mel_lengths``."""


class Acoustic(Model):
    """The graph that turns symbols into a spectrogram."""

    file: str
    inputs: Inputs
    outputs: Outputs
    frames_first: bool = False
    """Whether its spectrograms are (frames, mels)."""


class Vocoder(Model):
    """The graph that turns a spectrogram into sound."""

    file: str
    input: str
    output: str
    frames_first: bool = False
    """Whether its spectrograms are (frames, mels)."""


class Config(Model):
    """The ``config.json`` of a model."""

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

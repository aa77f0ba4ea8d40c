"""Sound on its way to a caller: joined, at the rate and in the format that were asked."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import soundfile
import soxr

from dubbing.media.samples import Audio

PCM_RATE, OPUS_RATE = 24_000, 48_000
"""Hz; the first is OpenAI's, the second is one of the rates that Opus has."""

SoundFormat: TypeAlias = Literal["mp3", "opus", "flac", "wav", "pcm"]


def joined(sounds: Sequence[Audio], pause: float = 0.0) -> Audio:
    """Return sounds of one rate, one after the other; there has to be one.

    pause: seconds of silence between them.
    """
    first, *others = sounds
    silence = np.zeros(round(pause * first.rate), np.float32)
    parts = [first.samples, *(part for one in others for part in (silence, one.samples))]
    return Audio(samples=np.concatenate(parts), rate=first.rate)


def at_rate(audio: Audio, rate: int) -> Audio:
    """Return a sound at another rate."""
    if audio.rate == rate:
        return audio
    return Audio(samples=soxr.resample(audio.samples, audio.rate, rate), rate=rate)


def _file(audio: Audio, format_: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio.samples, audio.rate, subtype, format=format_)
    return file.getvalue()


def _pcm(audio: Audio) -> bytes:
    samples = np.clip(at_rate(audio, PCM_RATE).samples * 32767, -32768, 32767)
    return samples.astype("<i2").tobytes()


FORMATS: Mapping[SoundFormat, tuple[Callable[[Audio], bytes], str]] = {
    "mp3": (lambda audio: _file(audio, "MP3", "MPEG_LAYER_III"), "audio/mpeg"),
    "opus": (lambda audio: _file(at_rate(audio, OPUS_RATE), "OGG", "OPUS"), "audio/ogg"),
    "flac": (lambda audio: _file(audio, "FLAC", "PCM_16"), "audio/flac"),
    "wav": (lambda audio: _file(audio, "WAV", "PCM_16"), "audio/wav"),
    "pcm": (_pcm, "audio/pcm"),
}
"""How each format is written, and its media type."""

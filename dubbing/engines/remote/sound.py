"""The sound in a server's answer. Of its header, only the sample rate is trusted."""

from __future__ import annotations

import io
from itertools import chain
from typing import Any

import av
import numpy as np
import soundfile
from av.error import FFmpegError

from dubbing.engines.remote.wire import Failed
from dubbing.media.samples import SILENCE_DBFS, Audio, Samples, peak

LONGEST = 600.0
"""Seconds; a small file may hold hours of silence."""
LONGEST_HEADER = 1024
"""Bytes of a WAV file beside its samples; with more, its header tells too few samples."""
SHORTEST = 0.05
"""Seconds; servers that fail answer with a few samples, or none."""


def sound_of(answer: bytes) -> Audio:
    """Return the sound of an answer in any format that ffmpeg reads, as mono.

    A WAV file whose header claims another length is read to its end. Raises Failed for an answer
    without sound, with hardly any, or with silence alone.
    """
    return _heard(*(_plain(answer) or _decoded(answer)))


def _plain(answer: bytes) -> tuple[Samples, int] | None:
    """Return samples and rate of mono WAV in 16 bits whose header is true; None for others.

    Most servers answer so, and ffmpeg takes twelve times as long to open it.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(answer)) as file:
            kind = file.format, file.subtype, file.channels
            if kind != ("WAV", "PCM_16", 1) or len(answer) - 2 * file.frames > LONGEST_HEADER:
                return None
            return file.read(dtype="float32"), file.samplerate
    except (soundfile.SoundFileError, RuntimeError):
        return None


def _decoded(answer: bytes) -> tuple[Samples, int]:
    """Return samples and rate of a file in any format."""
    blocks: list[Samples] = []
    count = rate = 0
    try:
        with av.open(io.BytesIO(answer), mode="r") as container:
            (stream, *_) = container.streams.audio
            rate = int(stream.rate or 0)
            mono = av.AudioResampler(format="fltp", layout="mono")
            for frame in chain(container.decode(stream), [None]):
                parts = [part.to_ndarray()[0] for part in mono.resample(frame)]
                blocks += parts
                count += sum(map(len, parts))
                if count > LONGEST * rate:
                    raise Failed("the answer is longer than any line")
    except (FFmpegError, ValueError) as exc:
        raise Failed("the answer is no sound") from exc
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32), rate


def sound_of_numbers(answer: Any, rate: int) -> Audio:
    """Return the sound of samples that came as numbers in JSON.

    rate: Hz. Raises Failed as `sound_of` does.
    """
    try:
        samples: Samples = np.asarray(answer, np.float32)
    except (TypeError, ValueError) as exc:
        raise Failed("the answer is no sound") from exc
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise Failed("the answer is no sound")
    return _heard(samples.clip(-1.0, 1.0), rate)


def _heard(samples: Samples, rate: int) -> Audio:
    """Return samples as sound, if there is any in them."""
    if len(samples) > LONGEST * rate > 0:
        raise Failed("the answer is longer than any line")
    if rate <= 0 or len(samples) < SHORTEST * rate:
        raise Failed("the answer holds hardly any sound")
    if peak(samples) < 10 ** (SILENCE_DBFS / 20):
        raise Failed("the answer is silent")
    return Audio(samples=samples, rate=rate)

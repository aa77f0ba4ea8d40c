"""The sound in a server's answer. Only the sample rate in its header is trusted."""

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
"""Most seconds of an answer, because a small compressed file may hold hours of silence."""
LONGEST_HEADER = 1024
"""Most bytes of a WAV file besides its samples; if there are more, the header's length is wrong."""
SHORTEST = 0.05
"""Least seconds of an answer: servers that fail return a few samples, or none."""


def sound_of(answer: bytes) -> Audio:
    """Return the sound of an answer in any format that ffmpeg reads, as mono.

    A WAV file whose header claims another length is read to its end. Raises Failed for an answer
    without sound, with hardly any, or with silence alone.
    """
    return _heard(*(_plain(answer) or _decoded(answer)))


def _plain(answer: bytes) -> tuple[Samples, int] | None:
    """Return samples and rate of a 16-bit mono WAV file with a correct header; None for others.

    Most servers answer in this format, and ffmpeg, which starts a process, decodes it more slowly.
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
        raise Failed("the answer is not a sound") from exc
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32), rate


def sound_of_numbers(answer: Any, rate: int) -> Audio:
    """Return the sound of samples that a server sent as numbers in JSON.

    answer: a list of samples. rate: Hz. Raises Failed as `sound_of` does.
    """
    try:
        samples: Samples = np.asarray(answer, np.float32)
    except (TypeError, ValueError) as exc:
        raise Failed("the answer is not a sound") from exc
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise Failed("the answer is not a sound")
    return _heard(samples.clip(-1.0, 1.0), rate)


def _heard(samples: Samples, rate: int) -> Audio:
    """Return samples as sound; raises Failed if they are too long, too short or silent."""
    if len(samples) > LONGEST * rate > 0:
        raise Failed("the answer is longer than any line")
    if rate <= 0 or len(samples) < SHORTEST * rate:
        raise Failed("the answer contains hardly any sound")
    if peak(samples) < 10 ** (SILENCE_DBFS / 20):
        raise Failed("the answer is silent")
    return Audio(samples=samples, rate=rate)

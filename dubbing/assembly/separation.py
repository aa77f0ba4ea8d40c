"""A sound without its voices, window by window: memory stays flat.

A model finds voices at its own rate, in stereo, in windows that overlap and fade into one another.
The voices are subtracted from the sound, which itself is never resampled, so every sample of the
rest stays in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
import soxr

from dubbing.media.probe import RATE
from dubbing.media.samples import Samples

OVERLAP = 0.25
"""Share of a window that overlaps the next one, as in Demucs."""
PAIRS = {1: ((0, 0),), 2: ((0, 1),), 6: ((0, 1), (2, 2), (4, 5))}
"""Pairs of channels that the model gets as stereo, by channel count: in 5.1 the front, the centre
and the surround; the low-frequency effects hold no voice."""


class Model(Protocol):
    """A model that finds the voices in stereo."""

    rate: int
    """Hz."""
    window: int
    """Most frames that it hears at once."""

    def voices(self, sound: Samples) -> Samples:
        """Return the voices in ``(frames, 2)``, of the same shape."""


def without_voices(
    sound: Iterable[Samples], model: Model, *, channels: int, check: Callable[[], None]
) -> Iterator[Samples]:
    """Yield a sound without its voices, frame by frame as it came, in blocks of any length.

    sound: blocks of ``(frames, channels)`` at 48 kHz; 1, 2 or 6 channels.
    check: called before each window; raises to stop the work.
    """
    heard = sorted({channel for pair in PAIRS[channels] for channel in pair})
    pairs = [(heard.index(left), heard.index(right)) for left, right in PAIRS[channels]]

    def voices(window: Samples) -> Samples:
        check()
        found = np.empty_like(window)
        for left, right in pairs:
            both = model.voices(window[:, [left, right]])
            if left == right:
                found[:, left] = both.mean(axis=1)
            else:
                found[:, [left, right]] = both
        return found

    waiting: list[Samples] = []

    def coming() -> Iterator[Samples]:
        for block in sound:
            waiting.append(block)
            yield block[:, heard]

    there = _resampled(coming(), RATE, model.rate, len(heard))
    for found in _resampled(overlapped(there, model.window, voices), model.rate, RATE, len(heard)):
        rest = _taken(waiting, len(found))
        rest[:, heard] -= found[: len(rest)]
        yield rest
    # Rounding of the two rates may leave a frame or two.
    yield from filter(len, waiting)


def overlapped(
    sound: Iterable[Samples], size: int, change: Callable[[Samples], Samples]
) -> Iterator[Samples]:
    """Yield a sound after ``change``, which is called for each of the overlapping windows.

    sound: blocks of ``(frames, channels)``, of any length. size: frames of a window; the last one
    may be shorter. change: returns a window of the same shape.
    """
    stride = size - int(size * OVERLAP)
    rise = np.arange(1, size // 2 + 1, dtype=np.float32)
    fade = np.concatenate([rise, np.arange(size - size // 2, 0, -1, dtype=np.float32)])[:, None]
    fade /= fade.max()
    summed = weights = np.zeros((0, 1), np.float32)
    for window in _windows(sound, size, stride):
        if len(summed):
            yield summed[:stride] / weights[:stride]
        summed, weights = _longer(summed[stride:], window), _longer(weights[stride:], window[:, :1])
        summed[: len(window)] += change(window) * fade[: len(window)]
        weights[: len(window)] += fade[: len(window)]
    if len(summed):
        yield summed / weights


def _windows(sound: Iterable[Samples], size: int, stride: int) -> Iterator[Samples]:
    """Yield windows that start ``stride`` frames apart, until one reaches the sound's end."""
    waiting: list[Samples] = []
    seen = 0
    for block in sound:
        waiting.append(block)
        while sum(map(len, waiting)) >= size:
            whole = np.concatenate(waiting)
            yield whole[:size]
            waiting, seen = [whole[stride:]], size - stride
    if sum(map(len, waiting)) > seen:
        yield np.concatenate(waiting)


def _longer(sound: Samples, window: Samples) -> Samples:
    """Return a copy of a sound with silence at its end, so that the window fits into it."""
    longer = np.zeros((max(len(sound), len(window)), window.shape[1]), np.float32)
    longer[: len(sound)] = sound
    return longer


def _resampled(
    sound: Iterable[Samples], rate: int, wanted: int, channels: int
) -> Iterator[Samples]:
    """Yield a sound at another rate; it is not delayed."""
    stream = soxr.ResampleStream(rate, wanted, channels, dtype="float32")
    for block in sound:
        yield stream.resample_chunk(np.ascontiguousarray(block))
    yield stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)


def _taken(waiting: list[Samples], frames: int) -> Samples:
    """Remove and return the first frames of the waiting blocks, or as many as there are."""
    whole = np.concatenate(waiting) if waiting else np.zeros((0, 1), np.float32)
    waiting[:] = [whole[frames:]]
    return whole[:frames].copy()

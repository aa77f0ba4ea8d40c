"""A sound without its voices, window by window: memory stays flat.

A model hears voices in windows that overlap and fade into one another, at its own rate and in
stereo. The voices are subtracted from the sound, which itself is never resampled: the rest keeps
each of its samples, in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
import soxr

from dubbing.media.probe import RATE
from dubbing.media.samples import Samples

OVERLAP = 0.25
"""Share of a window that the next one hears, too; Demucs's own."""
PAIRS = {1: ((0, 0),), 2: ((0, 1),), 6: ((0, 1), (2, 2), (4, 5))}
"""The channels that are heard together as stereo, by channel count: in 5.1 the front, the centre
and the surround; its low-frequency effects hold no voice."""


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
    """Yield what ``change`` makes of a sound, window by window.

    sound: blocks of ``(frames, channels)``, of any length. size: frames of a window; the last one
    is shorter. change: returns a window of the same shape.
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
    """Yield windows that begin ``stride`` frames apart, until one has reached the sound's end."""
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
    """Take the first frames out of the blocks that wait, or as many as there are."""
    whole = np.concatenate(waiting) if waiting else np.zeros((0, 1), np.float32)
    waiting[:] = [whole[frames:]]
    return whole[:frames].copy()

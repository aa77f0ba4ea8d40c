"""Mixes clips and background block by block, so memory does not grow with the programme.

A clip is placed by its absolute sample, so nothing drifts; clips that overlap are summed. While
one block is mixed, a bounded pool of threads fetches, decodes, stretches and resamples the clips of
the next blocks.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import soxr

from dubbing.errors import BadInput, ClipUnreadable, NotFound
from dubbing.media.loudness import integrated
from dubbing.media.probe import RATE
from dubbing.media.samples import Audio, Samples
from dubbing.media.stretch import stretch
from dubbing.planning.clip import digest_of, read_clip
from dubbing.storage import Storage, each
from dubbing.storage.parallel import in_order

BLOCK = 5 * RATE
"""Frames mixed at a time."""
FETCHED = 32
"""Clips that are fetched at once: as many as a bucket 80 ms away needs."""
RENDERED = 8
"""Clips that are rendered at once, and so ahead of the mix."""
SPEECH = {1: slice(0, 1), 2: slice(0, 2), 6: slice(2, 3)}
"""Channels that carry the speech, by channel count: the centre where there is one."""

Listener = Callable[[str, Audio], object]
"""Is called with each line's id and its clip as spoken, by several threads."""


@dataclass(frozen=True, kw_only=True)
class PlacedClip:
    """A clip and its place in the programme."""

    id: str
    """The segment's id."""
    key: str
    start: int
    """Frame of the programme at which it starts."""
    stretch: float
    """Above 1 is faster; 1 leaves it unchanged."""
    gain: float
    """Linear."""
    digest: str = ""
    """SHA-256 of the clip, by the result of its line."""


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A clip as it is mixed."""

    samples: Samples
    """float32 mono at ``RATE``."""
    loudness: float | None
    """LUFS, before the gain of the programme; None when it is under 0.4 s or silent."""


class Mixer:
    """The mix of one programme.

    Iterate over ``blocks`` once; afterwards ``loudness`` holds the loudness of each line.
    """

    def __init__(
        self,
        storage: Storage,
        clips: Iterable[PlacedClip],
        *,
        frames: int,
        channels: int,
        listen: Listener = lambda id_, audio: None,
    ):
        """Prepare the mix of ``clips``.

        frames: length of the programme. channels: 1, 2 or 6.
        listen: called with each line as spoken, by several threads.
        """
        self._storage = storage
        self._clips = sorted(clips, key=lambda clip: clip.start)
        self._frames = frames
        self._channels = channels
        self._listen = listen
        self.loudness: dict[str, float | None] = {}
        """LUFS of each line as mixed, before the gain of the programme, by segment id."""

    def blocks(self, background: Iterator[Samples] | None = None) -> Iterator[Samples]:
        """Yield the programme, float32 ``(n, channels)``, ``BLOCK`` frames at a time.

        background: blocks of ``BLOCK`` frames, ``(n, channels)``; it may end early.
        Raises ClipUnreadable, which names each line whose clip is missing, damaged, or not its own.
        """
        beds = read_ahead(background or iter(()))
        for speech in self._speech():
            yield self._block(speech, next(beds, None))

    def _block(self, speech: Samples, bed: Samples | None) -> Samples:
        block = np.zeros((len(speech), self._channels), np.float32)
        if bed is not None:
            shared = min(len(bed), len(block))
            block[:shared] = bed[:shared]
        block[:, SPEECH[self._channels]] += speech[:, None]
        return block

    def _speech(self) -> Iterator[Samples]:
        """Yield the speech alone, mono."""
        rendered = self._render()
        waiting = deque(clip.start for clip in self._clips)
        sounding: list[tuple[int, Samples]] = []
        for first in range(0, self._frames, BLOCK):
            last = min(first + BLOCK, self._frames)
            while waiting and waiting[0] < last:
                sounding.append((waiting.popleft(), next(rendered)))
            block = np.zeros(last - first, np.float32)
            for start, samples in sounding:
                _add(block, samples, start - first)
            sounding = [
                (start, samples) for start, samples in sounding if start + len(samples) > last
            ]
            yield block

    def _render(self) -> Iterator[Samples]:
        """Yield the samples of each clip in order; fetch and render clips ahead of the mix."""
        keys = (clip.key for clip in self._clips)
        with (
            closing(in_order(self._storage.get, keys, at_once=FETCHED)) as fetched,
            closing(
                in_order(self._rendered, zip(self._clips, fetched, strict=True), at_once=RENDERED)
            ) as rendered,
        ):
            try:
                for clip, done in zip(self._clips, rendered, strict=True):
                    self.loudness[clip.id] = done.loudness
                    yield done.samples
            except (NotFound, BadInput) as exc:
                raise unreadable(self._storage, self._clips) from exc

    def _rendered(self, fetched: tuple[PlacedClip, bytes]) -> Rendered:
        clip, data = fetched
        return render(data, clip, self._listen)


def read_ahead(blocks: Iterator[Samples]) -> Iterator[Samples]:
    """Yield ``blocks``; make the next block while the caller works on the current one."""
    with ThreadPoolExecutor(1, thread_name_prefix="background") as pool:
        coming = pool.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = pool.submit(next, blocks, None)
            yield block


def render(data: bytes, clip: PlacedClip, listen: Listener) -> Rendered:
    """Return a clip stretched, at its level and resampled to ``RATE``.

    Calls ``listen`` with the unchanged clip. Raises BadInput when the clip is damaged, or not the
    one that was spoken.
    """
    audio = read_clip(data, clip.key, clip.digest).audio
    listen(clip.id, audio)
    samples = stretch(audio, clip.stretch) * np.float32(clip.gain)
    return Rendered(
        samples=soxr.resample(samples, audio.rate, RATE),
        loudness=integrated(samples, audio.rate),
    )


def unreadable(storage: Storage, clips: Sequence[PlacedClip]) -> ClipUnreadable:
    """Return the error about all lines whose clips are missing, damaged, or not their own.

    Raises BadInput when storage refuses a clip's key: to speak the line again would not help.
    """

    def fault(clip: PlacedClip) -> str | None:
        """Return None for a good clip, else the digest of the object; empty when there is none."""
        try:
            data = storage.get(clip.key)
        except NotFound:
            return ""
        try:
            read_clip(data, clip.key, clip.digest)
        except BadInput:
            return digest_of(data)
        return None

    faults = zip(clips, each(fault, clips), strict=True)
    found = {clip.id: digest for clip, digest in faults if digest is not None}
    return ClipUnreadable(list(found), {id_: digest for id_, digest in found.items() if digest})


def spread(channels: int) -> float:
    """Return the decibels that speech gains by sounding in more than one channel."""
    speaking = SPEECH[channels]
    return 10 * math.log10(speaking.stop - speaking.start)


def _add(block: Samples, samples: Samples, offset: int) -> None:
    """Add to ``block`` the part of ``samples`` within it; ``offset`` may be negative."""
    first, last = max(offset, 0), min(offset + len(samples), len(block))
    if first < last:
        block[first:last] += samples[first - offset : last - offset]

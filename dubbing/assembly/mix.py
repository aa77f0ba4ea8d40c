"""Lays the speech and mixes it with its background, block by block: memory stays flat.

A clip is placed by its absolute sample, so nothing drifts; clips that overlap are summed. While
one block is laid, a bounded pool of threads fetches, decodes, stretches and resamples the clips of
the next blocks. The speech is kept apart from the background until both are measured.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import soxr

from dubbing.assembly.background import Envelope, Span
from dubbing.assembly.balance import Balance
from dubbing.errors import BadInput, ClipUnreadable, NotFound
from dubbing.media.loudness import integrated
from dubbing.media.pauses import without
from dubbing.media.probe import RATE
from dubbing.media.samples import Audio, Samples, level
from dubbing.media.stretch import stretch
from dubbing.planning.clip import digest_of, read_clip
from dubbing.planning.pauses import Span as Cut
from dubbing.storage import Storage, each
from dubbing.storage.parallel import in_order

BLOCK = 5 * RATE
"""Frames mixed at a time."""
FETCHED = 32
"""Clips that are fetched at once: as many as a bucket 80 ms away needs."""
RENDERED = 8
"""Clips that are rendered at once, ahead of the mix."""
FADE_IN, FADE_OUT = 0.003, 0.01
"""Seconds of the fades at a clip's edges. A clip keeps 3 ms before its onset when it is trimmed; a
word dies away over more than 10 ms."""
SPEECH = {1: slice(0, 1), 2: slice(0, 2), 6: slice(2, 3)}
"""Channels that carry the speech, by channel count: the centre where there is one."""

Listener = Callable[[str, Audio], object]
"""Called by several threads with each line's id, and its clip as spoken."""


@dataclass(frozen=True, kw_only=True)
class PlacedClip:
    """A clip and its place in the programme."""

    id: str
    """The segment's id."""
    key: str
    start: int
    """Frame of the programme at which it starts."""
    cuts: tuple[Cut, ...] = ()
    """Parts that are taken out, in seconds of the clip."""
    stretch: float
    """Above 1 is faster; 1 leaves it unchanged."""
    loudness: float
    """LUFS that it is brought to; of a clip under 0.4 s, whose loudness cannot be measured, the
    level in dBFS."""
    digest: str = ""
    """SHA-256 of the clip, by the result of its line."""


class Mixer:
    """The speech of one programme.

    Iterate over ``blocks`` once; afterwards ``loudness`` holds the loudness of each line.
    """

    def __init__(
        self,
        storage: Storage,
        clips: Iterable[PlacedClip],
        *,
        frames: int,
        listen: Listener = lambda id_, audio: None,
    ):
        """Prepare the speech that ``clips`` make.

        frames: length of the programme.
        listen: called by several threads with each line as spoken.
        """
        self._storage = storage
        self._clips = sorted(clips, key=lambda clip: clip.start)
        self._frames = frames
        self._listen = listen
        self.loudness: dict[str, float | None] = {}
        """LUFS of each line as laid, by segment id; None when it is under 0.4 s or silent."""

    def blocks(self) -> Iterator[Samples]:
        """Yield the speech, float32 ``(n, 1)``, ``BLOCK`` frames at a time.

        Raises ClipUnreadable, which names each line whose clip is missing, damaged, or not its own.
        """
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
            yield block[:, None]

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
                for clip, (samples, loudness) in zip(self._clips, rendered, strict=True):
                    self.loudness[clip.id] = loudness
                    yield samples
            except (NotFound, BadInput) as exc:
                raise unreadable(self._storage, self._clips) from exc

    def _rendered(self, fetched: tuple[PlacedClip, bytes]) -> tuple[Samples, float | None]:
        clip, data = fetched
        return render(data, clip, self._listen)


def read_ahead(blocks: Iterator[Samples]) -> Generator[Samples]:
    """Yield ``blocks``; make the next block while the caller works on the current one."""
    with ThreadPoolExecutor(1, thread_name_prefix="background") as pool:
        coming = pool.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = pool.submit(next, blocks, None)
            yield block


def render(data: bytes, clip: PlacedClip, listen: Listener) -> tuple[Samples, float | None]:
    """Return a clip shortened, stretched, at its loudness and resampled, and its loudness.

    The loudness is None when the clip is under 0.4 s or silent. Calls ``listen`` with the unchanged
    clip. Raises BadInput when the clip is damaged, or not the one that was spoken.
    """
    audio = read_clip(data, clip.key, clip.digest).audio
    listen(clip.id, audio)
    samples = stretch(without(audio, clip.cuts), clip.stretch)
    measured = integrated(samples, audio.rate)
    gain = clip.loudness - (level(samples) if measured is None else measured)
    # Digital silence has a level of -inf.
    factor = 10 ** (gain / 20) if math.isfinite(gain) else 1.0
    samples = _faded(samples * np.float32(factor), audio.rate)
    return soxr.resample(samples, audio.rate, RATE), None if measured is None else clip.loudness


def _faded(samples: Samples, rate: int) -> Samples:
    """Let the sound come and go over the fades, so that neither of its edges clicks."""
    for edge, seconds in ((samples, FADE_IN), (samples[::-1], FADE_OUT)):
        count = min(round(seconds * rate), len(samples) // 2)
        edge[:count] *= np.linspace(0, 1, count, endpoint=False, dtype=np.float32)
    return samples


def mix(
    speech: Iterable[Samples],
    background: Iterable[Samples],
    balance: Balance,
    *,
    channels: int,
    unchanged: Iterable[Span] = (),
) -> Iterator[Samples]:
    """Yield the programme, float32 ``(n, channels)``, in the blocks of the speech.

    speech: mono, in blocks of ``BLOCK`` frames. background: in the same blocks, ``(n, channels)``;
    it may end early.
    unchanged: spans in which the background is not lowered, even if somebody speaks.
    """
    kept = Envelope(unchanged)
    voice = np.float32(10 ** (balance.speech / 20))
    beds = iter(background)
    first = 0
    for said in speech:
        block = np.zeros((len(said), channels), np.float32)
        if (bed := next(beds, None)) is not None:
            shared = min(len(bed), len(block))
            factors = _factors(balance, first, kept.at(first, shared)[:, 0])
            # A channel at a time, which is faster than to broadcast over two.
            for channel in range(channels):
                np.multiply(bed[:shared, channel], factors, out=block[:shared, channel])
        voiced = said[:, 0] * voice
        for channel in range(channels)[SPEECH[channels]]:
            block[:, channel] += voiced
        first += len(said)
        yield block


def _factors(balance: Balance, first: int, kept: Samples) -> Samples:
    """Return the linear gain of the background at each frame from ``first`` on.

    kept: the share of the lowering that is omitted, for each frame.
    """
    # In place: new arrays of this size would cost more than the computation.
    decibels = balance.lowered_at(first, len(kept))
    if kept.any():
        decibels *= 1 - kept
    np.subtract(balance.background, decibels, out=decibels)
    decibels *= np.float32(np.log(10) / 20)
    return np.exp(decibels, out=decibels)


def unreadable(storage: Storage, clips: Sequence[PlacedClip]) -> ClipUnreadable:
    """Return the error about all lines whose clips are missing, damaged, or not their own.

    Raises BadInput when storage refuses a clip's key, because a repair would not help.
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

"""What a programme is made of: its film, where each line goes, its channels and its length.

It is as long as the film, or, without one, as its last line. A line that runs past the film's end
is declared like any that is too long, and the sound grows to hold it: no word is cut. It is
mono, stereo or 5.1 as the film's sound is, else as the music-and-effects track is, else mono.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dubbing.audio import Samples
from dubbing.disk import check_space
from dubbing.errors import MediaError, StorageRefused
from dubbing.job import Container, Job, Segment
from dubbing.mastering import PROFILES
from dubbing.media import RATE, MediaInfo, decode, probe
from dubbing.mix import BLOCK, Clip, duck, spread
from dubbing.outcome import Outcome
from dubbing.plan import line_rooms
from dubbing.storage import Storage
from dubbing.timeline import Placement, Spoken, fit

SURROUND = 6
"""Channels of 5.1."""
WITH_CENTRE = 5
"""Channels from which every common layout has a centre; of three, the third may be the LFE."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A film or sound that lies on this machine."""

    path: Path
    info: MediaInfo


@dataclass(frozen=True, kw_only=True)
class Programme:
    """Everything that mixing needs to know; nothing has been mixed yet."""

    job: Job
    script: Sequence[Segment]
    """Every line, in time order, as it was spoken last."""
    outcomes: Mapping[str, Outcome]
    """By segment id; each with a take."""
    film: Source | None
    """The film, or the sound, that is dubbed."""
    track: Source | None
    """Music and effects."""
    placements: Mapping[str, Placement]
    """By segment id."""
    channels: int
    """1, 2 or 6."""
    frames: int

    @property
    def containers(self) -> tuple[Container, ...]:
        """The files to write."""
        has_video = self.film is not None and self.film.info.has_video
        default: Container = "mp4" if has_video else "flac"
        return self.job.output.formats or (default,)

    def clips(self) -> list[Clip]:
        """Return what is heard of each line and where, its speaker at the profile's loudness."""
        gains = self._gains()
        return [
            Clip(
                id=segment.id,
                key=self.outcomes[segment.id].result.takes[placement.take].key,
                start=placement.frame,
                stretch=placement.stretch,
                gain=gains[segment.speaker],
            )
            for segment, placement in ((line, self.placements[line.id]) for line in self.script)
        ]

    def background(self) -> Iterator[Samples] | None:
        """Return what is heard under the speech, ``BLOCK`` frames at a time."""
        settings = self.job.background
        if self.track:
            return decode(self.track.path, self.channels, frames=BLOCK)
        if settings.mode == "duck" and self.film and self.film.info.channels:
            spoken = [(line.start, line.end) for line in self.placements.values()]
            return duck(decode(self.film.path, self.channels, frames=BLOCK), spoken, settings)
        return None

    def _gains(self) -> dict[str, float]:
        """Return each speaker's linear gain.

        It is one gain a speaker, so that voices match and a whisper stays one.
        """
        target = PROFILES[self.job.output.loudness].loudness - spread(self.channels)
        levels: dict[str, list[float]] = defaultdict(list)
        for segment in self.script:
            levels[segment.speaker].append(self.outcomes[segment.id].result.takes[0].level)
        return {
            speaker: 10 ** ((target - statistics.median(of)) / 20) for speaker, of in levels.items()
        }


def prepare(
    job: Job,
    script: Sequence[Segment],
    outcomes: Mapping[str, Outcome],
    storage: Storage,
    folder: Path,
) -> Programme:
    """Return what ``job`` asks to be mixed.

    folder: where media is put that does not lie on this machine.
    Raises MediaError when it cannot be read, NotFound when it is not there.
    """
    film = _fetch(storage, job.media, folder / "film")
    track = _fetch(storage, job.background.track, folder / "track")
    placements = place(job, script, outcomes, film.info.seconds if film else math.inf)
    seconds = max((line.end for line in placements.values()), default=0.0)
    sounds = [source.info.channels for source in (film, track) if source]
    return Programme(
        job=job,
        script=script,
        outcomes=outcomes,
        film=film,
        track=track,
        placements=placements,
        channels=next((_layout(channels) for channels in sounds if channels), 1),
        frames=math.ceil(max(seconds, film.info.seconds if film else 0.0) * RATE),
    )


def place(
    job: Job, script: Sequence[Segment], outcomes: Mapping[str, Outcome], end: float
) -> dict[str, Placement]:
    """Return where each line goes, by segment id; ``end`` is that of the film in seconds."""
    rooms = line_rooms(script, end)
    speakers: dict[str, list[Spoken]] = defaultdict(list)
    for segment in script:
        speakers[segment.speaker].append(
            Spoken(
                id=segment.id,
                start=segment.start,
                room=rooms[segment.id],
                text=segment.text,
                takes=outcomes[segment.id].result.takes,
            )
        )
    return {line.id: line for lines in speakers.values() for line in fit(lines, job.fit)}


def _layout(channels: int) -> int:
    """Return the channels of the nearest of mono, stereo and 5.1."""
    return SURROUND if channels >= WITH_CENTRE else min(channels, 2)


def _fetch(storage: Storage, source: str | None, path: Path) -> Source | None:
    """Return a file where it lies in the storage's folder, else a copy of it at ``path``."""
    if source is None:
        return None
    holder, key = storage.resolve(source)
    local = holder.path(key)
    if local is None:
        try:
            check_space({path.parent: holder.size(key) or 0})
            holder.download(key, path)
        except StorageRefused as exc:
            raise MediaError(f"{source}: {exc}") from exc
        local = path
    return Source(path=local, info=probe(local))

"""A programme before mixing: its film, where each line goes, its channels and its length.

A programme is as long as its film; without a film, it ends with its last line. A line that runs
past the film's end is reported like any line that is too long, and the sound is extended: no word
is cut. The programme is mono, stereo or 5.1, like the film's sound, or else like the
music-and-effects track, or else mono.

A line that could not be spoken is missing: the film's own sound is heard unchanged in its place. A
silent line is not missing: its time sounds like any time in which nobody speaks.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dubbing.assembly.background import Span, keep
from dubbing.assembly.mix import BLOCK, PlacedClip, spread
from dubbing.assembly.profiles import PROFILES, Profile
from dubbing.assembly.timeline import FitLine, Placement, fit
from dubbing.errors import BadInput, MediaError, StorageRefused
from dubbing.job import LONGEST_PROGRAMME, Container, Job, Segment
from dubbing.media.disk import check_space
from dubbing.media.probe import RATE, MediaInfo, decode, probe
from dubbing.media.samples import Samples
from dubbing.planning.outcome import Outcome
from dubbing.planning.rooms import line_rooms, silences_before
from dubbing.storage import Storage
from dubbing.text.sounds import is_silent

SPILL = 600.0
"""Seconds by which the last lines may exceed the longest programme."""
MOST_APART = 5.0
"""LU by which a line may be louder or quieter than its voice. Netflix limits the range of dialogue
to 10 LU, because quieter lines are missed in a living room."""
SURROUND = 6
"""Channels of 5.1."""
WITH_CENTRE = 5
"""Channels from which every common layout has a centre; the third of three may be the LFE."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A film or sound file on this machine."""

    path: Path
    info: MediaInfo
    wanted: str | None = None
    """The chosen sound track, as in `media.probe`."""


@dataclass(frozen=True, kw_only=True)
class Programme:
    """Everything that mixing needs; nothing has been mixed yet."""

    job: Job
    script: Sequence[Segment]
    """All segments, in time order."""
    spoken: Sequence[Segment]
    """The segments of the script that have something to say."""
    outcomes: Mapping[str, Outcome]
    """By segment id."""
    film: Source | None
    """The film or sound file that is dubbed."""
    track: Source | None
    """Music and effects, or the film's sound without speech."""
    placements: Mapping[str, Placement]
    """By segment id; a line without one is missing."""
    channels: int
    """1, 2 or 6."""
    frames: int

    @property
    def containers(self) -> tuple[Container, ...]:
        """The files to write."""
        has_video = self.film is not None and self.film.info.has_video
        default: Container = "mp4" if has_video else "flac"
        return self.job.output.formats or (default,)

    @property
    def profile(self) -> Profile:
        """The loudness and peak that it is mastered to."""
        return PROFILES[self.job.output.loudness]

    def clips(self) -> list[PlacedClip]:
        """Return each line's clip and place, with the loudness that it is brought to."""
        medians = self._medians()
        return [
            self._placed(segment, placement, medians[self._voice(segment)])
            for segment in self.spoken
            if (placement := self.placements.get(segment.id))
        ]

    def _placed(self, segment: Segment, placement: Placement, median: float) -> PlacedClip:
        takes = self.outcomes[segment.id].result.takes
        take = takes[placement.take]
        louder = min(max(takes[0].level - median, -MOST_APART), MOST_APART)
        return PlacedClip(
            id=segment.id,
            key=take.key,
            start=placement.frame,
            cuts=placement.cuts,
            stretch=placement.stretch,
            loudness=self.profile.loudness - spread(self.channels) + louder,
            digest=take.digest,
        )

    def background(self) -> Iterator[Samples]:
        """Return the sound under the speech, in blocks of ``BLOCK`` frames."""
        if self.job.background.mode == "duck":
            return self._own()
        under = self._decoded(self.track) if self.track else iter(())
        return keep(under, self._own(), self.unchanged) if self.unchanged else under

    @property
    def unchanged(self) -> list[Span]:
        """The spans in which the film's own sound is heard unchanged, in place of missing lines."""
        return [span for line in self.spoken if (span := self._kept(line))]

    def note(self, line: Segment) -> str:
        """Return a note on an unusual line; for a missing line, the sound in its place."""
        if placement := self.placements.get(line.id):
            return placement.note
        if self._kept(line):
            return "is missing: the film's own sound is heard in its place"
        heard = "music and effects alone are" if self.track else "silence is"
        return f"is missing: {heard} heard in its place, as there is no film's sound to keep"

    def _own(self) -> Iterator[Samples]:
        """Return the film's own sound, or no blocks when it has none."""
        return self._decoded(self.film) if self.film and self.film.info.channels else iter(())

    def _decoded(self, source: Source) -> Iterator[Samples]:
        return decode(source.path, self.channels, track=source.wanted, frames=BLOCK)

    def _kept(self, line: Segment) -> Span | None:
        """Return the span where the film's own sound replaces a line, or None."""
        if line.id in self.placements or not (self.film and self.film.info.channels):
            return None
        end = min(line.end, self.film.info.seconds)
        return (line.start, end) if line.start < end else None

    def _voice(self, segment: Segment) -> tuple[str, str, str]:
        """Return the speaker, engine and voice of a line as heard."""
        batch = self.outcomes[segment.id].batch
        return segment.speaker, batch.engine, batch.voice.identity

    def _medians(self) -> dict[tuple[str, str, str], float]:
        """Return the median level in dBFS of each speaker on each engine and voice.

        Levels are compared within a voice, so voices are equally loud, and a whisper is quieter.
        """
        levels: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for segment in self.spoken:
            for natural in self.outcomes[segment.id].result.takes[:1]:
                levels[self._voice(segment)].append(natural.level)
        return {voice: statistics.median(found) for voice, found in levels.items()}


def prepare(
    job: Job,
    script: Sequence[Segment],
    outcomes: Mapping[str, Outcome],
    storage: Storage,
    folder: Path,
) -> Programme:
    """Return the programme that ``job`` asks for.

    folder: receives copies of media that is not on this machine.
    Raises BadInput or MediaError when media cannot be read, NotFound when it is missing, and
    BadInput when the programme is longer than one may be.
    """
    film = fetch_source(storage, job.media, folder / "film", job.media_track)
    track = fetch_source(storage, job.background.track, folder / "track")
    spoken = [segment for segment in script if not is_silent(job, segment)]
    placements = place(job, spoken, outcomes, film.info.seconds if film else math.inf)
    unheard = [line for line in script if line.id not in placements]
    ends = [line.end for line in placements.values()]
    # Lines that are not heard have their time, but do not extend a film.
    ends += [film.info.seconds] if film else [line.end for line in unheard]
    seconds = max(ends, default=0.0)
    if seconds > LONGEST_PROGRAMME + SPILL:
        raise BadInput(
            f"the programme lasts {seconds / 3600:.1f} hours, more than "
            f"{LONGEST_PROGRAMME / 3600:.0f}: check the times of its lines",
            where=job.id,
        )
    sounds = [source.info.channels for source in (film, track) if source]
    return Programme(
        job=job,
        script=script,
        spoken=spoken,
        outcomes=outcomes,
        film=film,
        track=track,
        placements=placements,
        channels=next((_layout(channels) for channels in sounds if channels), 1),
        frames=math.ceil(seconds * RATE),
    )


def place(
    job: Job, script: Sequence[Segment], outcomes: Mapping[str, Outcome], end: float
) -> dict[str, Placement]:
    """Return where each spoken line goes, by segment id.

    script: the segments that have something to say, in time order.
    end: end of the film in seconds. No line may run into a missing one.
    """
    rooms = line_rooms(script, end, job.fit.max_tail)
    widest = line_rooms(script, end, job.fit.max_tail, gap=0.0)
    silences = silences_before([(line.start, _latest(line, outcomes)) for line in script])
    speakers: dict[str, list[FitLine]] = defaultdict(list)
    for segment, silence in zip(script, silences, strict=True):
        if not outcomes[segment.id].result.takes:
            continue
        speakers[segment.speaker].append(
            FitLine(
                id=segment.id,
                start=segment.start,
                room=rooms[segment.id],
                gap=widest[segment.id] - rooms[segment.id],
                silence=silence,
                text=segment.text,
                takes=outcomes[segment.id].result.takes,
            )
        )
    return {line.id: line for lines in speakers.values() for line in fit(lines, job.fit)}


def _latest(segment: Segment, outcomes: Mapping[str, Outcome]) -> float:
    """Return the latest end of a line in seconds: at its natural pace, or of its cue if missing."""
    takes = outcomes[segment.id].result.takes
    return segment.start + takes[0].seconds if takes else segment.end


def _layout(channels: int) -> int:
    """Return the number of channels of the nearest of mono, stereo and 5.1."""
    return SURROUND if channels >= WITH_CENTRE else min(channels, 2)


def fetch_source(
    storage: Storage, source: str | None, path: Path, wanted: str | None = None
) -> Source | None:
    """Return a file in place when storage is a folder, else a copy of it at ``path``."""
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
    return Source(path=local, info=probe(local, track=wanted), wanted=wanted)

"""The dub as an edit: OpenTimelineIO with the picture and a track of clips for each speaker.

A clip is a part of its speaker's stem, so an editor moves, trims and mutes single lines.
OpenTimelineIO's adapter for AAF converts it, as all times have one rate and each clip has a mob id.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dubbing.media.probe import RATE

if TYPE_CHECKING:
    from opentimelineio.opentime import TimeRange
    from opentimelineio.schema import Track


@dataclass(frozen=True, kw_only=True)
class Part:
    """A line on the timeline, in frames of the programme at 48 kHz."""

    id: str
    """The segment's id."""
    name: str
    """What editors show on it."""
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A track of the edit."""

    name: str
    file: str
    """Its sound or picture, as long as the programme, by its path from the edit."""
    parts: Sequence[Part]
    """In time order; where one runs into the next, it is cut there, and the sum is the same."""
    kind: Literal["Audio", "Video"] = "Audio"


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A programme as tracks."""

    name: str
    lanes: Sequence[Lane]
    start: int
    """Its first frame by its timecode, counted from midnight at 48 kHz."""
    frames: int
    """Its length."""

    def write(self, path: Path) -> None:
        """Write it as OpenTimelineIO's JSON."""
        import opentimelineio as otio  # noqa: PLC0415 (loads slowly, and few jobs want it)

        timeline = otio.schema.Timeline(
            self.name, global_start_time=otio.opentime.RationalTime(self.start, RATE)
        )
        timeline.tracks.extend([self._track(lane) for lane in self.lanes])
        otio.adapters.write_to_file(timeline, str(path), "otio_json")

    def _track(self, lane: Lane) -> Track:
        from opentimelineio import schema  # noqa: PLC0415 (loads slowly)

        track = schema.Track(lane.name, kind=lane.kind)
        media = schema.ExternalReference(lane.file, _span(self.start, self.frames))
        at = 0
        for part, after in zip(lane.parts, [*lane.parts[1:], None], strict=True):
            end = min(part.end, self.frames if after is None else after.start)
            if end <= part.start:
                # The next line starts with it, and its clip holds both.
                continue
            if part.start > at:
                track.append(schema.Gap(source_range=_span(0, part.start - at)))
            where = _span(self.start + part.start, end - part.start)
            clip = schema.Clip(part.name, media.deepcopy(), where)
            clip.metadata["dubbing"] = {"segment": part.id}
            clip.metadata["AAF"] = {"MobID": _mob_id()}
            track.append(clip)
            at = end
        return track


def _mob_id() -> str:
    """Return a new id for AAF (SMPTE ST 330). AAF names ids alone, so each line has its own."""
    id_ = uuid.uuid4().hex
    words = ".".join(id_[at : at + 8] for at in range(0, len(id_), 8))
    return f"urn:smpte:umid:060a2b34.01010105.01010f20.13000000.{words}"


def _span(start: int, length: int) -> TimeRange:
    from opentimelineio.opentime import RationalTime, TimeRange  # noqa: PLC0415 (loads slowly)

    return TimeRange(RationalTime(start, RATE), RationalTime(length, RATE))

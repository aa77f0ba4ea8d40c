"""The dub as an edit: OpenTimelineIO with the picture and a track of clips for each speaker.

A clip is a part of its speaker's stem, so an editor moves, trims and mutes single lines. Tools of
OpenTimelineIO turn the file into EDL, AAF and others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dubbing.media.probe import RATE

if TYPE_CHECKING:
    from opentimelineio.schema import Track


@dataclass(frozen=True, kw_only=True)
class Part:
    """A line on the timeline."""

    id: str
    """The segment's id."""
    name: str
    """What editors show on it."""
    start: int
    """Frame of the programme at which it starts, at 48 kHz."""
    end: int


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A track of the edit."""

    name: str
    file: str
    """Its sound or picture, beside the edit."""
    parts: Sequence[Part]
    """In time order; where one runs into the next, it is cut there, and the sum is the same."""
    kind: str = "Audio"
    """Or ``Video``."""


def write_edit(name: str, lanes: Sequence[Lane], frames: int, path: Path) -> None:
    """Write an edit. frames: length of the programme at 48 kHz; each lane's file is as long."""
    import opentimelineio as otio  # noqa: PLC0415 (loads slowly, and few jobs want it)

    timeline = otio.schema.Timeline(name)
    timeline.tracks.extend([_track(lane, frames) for lane in lanes])
    otio.adapters.write_to_file(timeline, str(path), "otio_json")


def _track(lane: Lane, frames: int) -> Track:
    from opentimelineio import opentime, schema  # noqa: PLC0415 (loads slowly)

    def span(start: int, end: int) -> opentime.TimeRange:
        first, length = (opentime.RationalTime(n, RATE) for n in (start, end - start))
        return opentime.TimeRange(first, length)

    track = schema.Track(lane.name, kind=lane.kind)
    media = schema.ExternalReference(lane.file, span(0, frames))
    at = 0
    for part, after in zip(lane.parts, [*lane.parts[1:], None], strict=True):
        end = min(part.end, frames if after is None else after.start)
        if end <= part.start:
            # The next line starts with it, and its clip holds both.
            continue
        if part.start > at:
            track.append(schema.Gap(source_range=span(0, part.start - at)))
        clip = schema.Clip(part.name, media.deepcopy(), span(part.start, end))
        clip.metadata["dubbing"] = {"segment": part.id}
        track.append(clip)
        at = end
    return track

"""The time of day at which a film begins by its timecode, as studios set it: often an hour."""

from __future__ import annotations

from pathlib import Path

from dubbing.media.probe import RATE

TAG = "timecode"
"""In capitals in a Matroska file."""


def begins_at(film: Path) -> int:
    """Return a film's first frame by its timecode, counted from midnight at 48 kHz; 0 without one.

    film: a file that `media.probe` accepts.
    """
    import av  # noqa: PLC0415 (loads slowly)
    from opentimelineio import opentime  # noqa: PLC0415 (loads slowly)

    with av.open(film) as container:
        tags = (part.metadata for part in (container, *container.streams))
        told = (value for tag in tags for name, value in tag.items() if name.lower() == TAG)
        timecode = next(told, None)
        rate = next((one.average_rate for one in container.streams.video if one.average_rate), None)
    if timecode is None or rate is None:
        return 0
    try:
        seconds: float = opentime.from_timecode(timecode, float(rate)).to_seconds()
    except ValueError:
        # Of a rate that has no timecode, or damaged.
        return 0
    return round(seconds * RATE)

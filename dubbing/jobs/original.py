"""The original sound of a line: the film's sound at the line's time."""

from __future__ import annotations

from dubbing.errors import NotFound
from dubbing.jobs.store import load_job
from dubbing.media.excerpt import excerpt
from dubbing.media.samples import Audio
from dubbing.storage import Storage
from dubbing.storage.ranges import opened

AFTER = 0.5
"""Seconds of sound after the end of the line: speech may end late."""
LONGEST = 60.0
"""Maximum length of the sound, in seconds."""


def original(storage: Storage, job_id: str, line: str) -> Audio:
    """Return the original sound from the line's start on.

    Raises NotFound for an unknown line, and for a job without media or whose media is gone;
    BadInput and MediaError for media without sound, or that cannot be read.
    """
    job = load_job(storage, job_id)
    segment = next((one for one in job.segments if one.id == line), None)
    if segment is None:
        raise NotFound(f"job {job_id!r} has no line {line!r}")
    if job.media is None:
        raise NotFound(f"job {job_id!r} has no media, and so no original sound")
    place, key = storage.resolve(job.media)
    with opened(place, key) as film:
        return excerpt(
            film,
            "the media",
            start=segment.start,
            seconds=min(LONGEST, segment.end - segment.start + AFTER),
            track=job.media_track,
        )

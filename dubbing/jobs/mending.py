"""Changes of one line of a job: its text, voice or speed in the stored request."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from dubbing.engines.engine import EngineSpec
from dubbing.errors import NotFound
from dubbing.job import Job
from dubbing.planning.check import check
from dubbing.storage import Storage
from dubbing.text.characters import as_shown
from dubbing.voices.names import names, stored_voice, with_stored_voices


def mended(
    storage: Storage,
    specs: Mapping[str, EngineSpec],
    job: Job,
    line: str,
    change: Mapping[str, Any],
) -> Job:
    """Return ``job`` with one line changed.

    change: any of ``text``, ``voice`` and ``speed``; a voice or speed of None means that of the
    speaker's role. Raises NotFound for an unknown line, and BadInput for a line that
    cannot be spoken.
    """
    if all(segment.id != line for segment in job.segments):
        raise NotFound(f"job {job.id!r} has no line {line!r}")
    if "text" in change:
        change = {**change, "text": as_shown(change["text"])}
    segments = tuple(
        segment.model_copy(update=dict(change)) if segment.id == line else segment
        for segment in job.segments
    )
    changed = with_stored_voices(
        job.model_copy(update={"segments": segments}),
        specs,
        partial(stored_voice, storage, job.tenant),
    )
    alone = tuple(segment for segment in changed.segments if segment.id == line)
    check(changed.model_copy(update={"segments": alone}), specs, voices=names(storage, job.tenant))
    return changed

"""Approvals: sounds of lines that a person has heard and accepted.

An approval is a mark whose key holds the line and the digest of its sound. So a line that is spoken
again loses its approval, and one listing returns all approvals of a job. They are removed with the
job.
"""

from __future__ import annotations

from dubbing.planning.result import SegmentResult
from dubbing.storage import Keys, Storage


def sound_of(result: SegmentResult) -> str:
    """Return the name of a line's sound; ``""`` without one."""
    if not result.takes:
        return ""
    take = result.takes[0]
    # The key of a clip ends with a digest of the request.
    return take.digest or take.key.rpartition("/")[2].removesuffix(".flac")


def approve(storage: Storage, job_id: str, line: str, sound: str) -> None:
    """Approve a sound of a line."""
    storage.create(Keys.approval(job_id, line, sound), b"")


def take_back(storage: Storage, job_id: str, line: str) -> None:
    """Withdraw the approval of any sound of a line."""
    for key in list(storage.keys(Keys.approvals(job_id, line))):
        storage.delete(key)


def approved(storage: Storage, job_id: str) -> set[tuple[str, str]]:
    """Return the approved lines, each with its approved sound."""
    prefix = Keys.approvals(job_id)
    found = (key.removeprefix(prefix).partition("/") for key in storage.keys(prefix))
    return {(line, sound) for line, _, sound in found}

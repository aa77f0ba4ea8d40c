"""Holds on shared objects: they keep one while a document that names it is written.

The writer of such a document creates a hold first, and then looks for the mark of a deletion. A
deletion creates its mark first, and then looks for holds and documents. So at least one of the two
sees the other, and no document is left without its object. Holds and marks of processes that were
killed are ignored after an hour.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from dubbing.errors import Conflict, NotFound
from dubbing.storage.keys import Keys
from dubbing.storage.store import Storage

if TYPE_CHECKING:
    from dubbing.job import Job

ABANDONED_SECONDS = 3600.0
"""Age of a hold or mark whose process was killed: both last for seconds."""


class Shared(NamedTuple):
    """What documents share: a voice, or media."""

    name: str
    """For people."""
    holds: str
    """Prefix of its holds."""
    deletions: str
    """Prefix of the marks of its deletions."""
    objects: tuple[str, ...]
    """Keys of the objects without which it is gone."""

    @classmethod
    def voice(cls, digest: str) -> Shared:
        """Return a stored voice."""
        return cls(
            f"voice {digest}",
            Keys.voice_holds(digest),
            Keys.voice_deletions(digest),
            (Keys.voice(digest), Keys.reference(digest)),
        )

    @classmethod
    def media(cls, digest: str, *, there: bool = True) -> Shared:
        """Return an uploaded film or sound. there: whether it has to be stored already."""
        key = Keys.media(digest)
        objects = (key,) if there else ()
        return cls(key, Keys.media_holds(digest), Keys.media_deletions(digest), objects)


def shared_by(job: Job) -> set[Shared]:
    """Return the stored voices and the uploads that a job names."""
    voices = {Shared.voice(digest) for digest in job.voice_digests}
    sources = (source for source in (job.media, job.background.track) if source)
    uploads = (source for source in sources if source.startswith(Keys.MEDIA))
    return voices | {Shared.media(key.removeprefix(Keys.MEDIA)) for key in uploads}


@contextmanager
def held(storage: Storage, things: Iterable[Shared], holder: str) -> Iterator[None]:
    """Keep what a document names during the block, which writes it.

    holder: the job, upload or name of a voice whose document it is.
    Raises NotFound for what is gone, and Conflict for what is being deleted.
    """
    needed = sorted(set(things))
    holds = [f"{thing.holds}{holder}" for thing in needed]
    try:
        for hold in holds:
            storage.replace(hold, b"")
        for thing in needed:
            _check_there(storage, thing)
        yield
    finally:
        for hold in holds:
            storage.delete(hold)


def holders(storage: Storage, thing: Shared) -> tuple[str, ...]:
    """Return those whose documents about a thing are being written."""
    return _fresh(storage, thing.holds)


@contextmanager
def marked_for_deletion(storage: Storage, thing: Shared) -> Iterator[None]:
    """Mark a thing during the block, which deletes it unless it is used."""
    mark = thing.deletions + secrets.token_hex(8)
    storage.create(mark, b"")
    try:
        yield
    finally:
        storage.delete(mark)


def _fresh(storage: Storage, prefix: str) -> tuple[str, ...]:
    since = time.time() - ABANDONED_SECONDS
    found = storage.times(prefix).items()
    return tuple(sorted(key.removeprefix(prefix) for key, at in found if at > since))


def _check_there(storage: Storage, thing: Shared) -> None:
    if _fresh(storage, thing.deletions):
        raise Conflict(
            f"{thing.name} is being deleted: try again when that has ended, or in an hour if it "
            "was broken off"
        )
    if not all(map(storage.exists, thing.objects)):
        raise NotFound(f"{thing.name} is gone: it was deleted meanwhile: submit the files again")

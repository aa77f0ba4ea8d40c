"""Holds on voices: they keep a voice from being deleted while a document that names it is written.

The writer of such a document creates a hold first, and then looks for the mark of a deletion. A
deletion creates its mark first, and then looks for holds and documents. So at least one of the two
sees the other, and no document is left without its voice. Holds and marks of processes that were
killed are ignored after an hour.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from dubbing.errors import Conflict, NotFound
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

ABANDONED_SECONDS = 3600.0
"""Age of a hold or mark whose process was killed: both last for seconds."""


@contextmanager
def held(storage: Storage, digests: Iterable[str], holder: str) -> Iterator[None]:
    """Keep voices during the block, which writes the document that names them.

    holder: the job, or the voice's name, whose document it is.
    Raises NotFound for a voice that is gone, and Conflict for one that is being deleted.
    """
    voices = sorted(set(digests))
    holds = [Keys.voice_hold(digest, holder) for digest in voices]
    try:
        for hold in holds:
            storage.replace(hold, b"")
        for digest in voices:
            _check_there(storage, digest)
        yield
    finally:
        for hold in holds:
            storage.delete(hold)


def holders(storage: Storage, digest: str) -> tuple[str, ...]:
    """Return the jobs and names whose documents about a voice are being written."""
    return _fresh(storage, Keys.voice_holds(digest))


@contextmanager
def marked_for_deletion(storage: Storage, digest: str) -> Iterator[None]:
    """Mark a voice during the block, which deletes it unless it is used."""
    mark = Keys.voice_deletions(digest) + secrets.token_hex(8)
    storage.create(mark, b"")
    try:
        yield
    finally:
        storage.delete(mark)


def _fresh(storage: Storage, prefix: str) -> tuple[str, ...]:
    since = time.time() - ABANDONED_SECONDS
    found = [(key, storage.modified(key)) for key in storage.keys(prefix)]
    return tuple(sorted(key.removeprefix(prefix) for key, at in found if at and at > since))


def _check_there(storage: Storage, digest: str) -> None:
    if _fresh(storage, Keys.voice_deletions(digest)):
        raise Conflict(
            f"voice {digest} is being deleted: try again when that has ended, or in an hour if it "
            "was broken off"
        )
    if not all(map(storage.exists, (Keys.voice(digest), Keys.reference(digest)))):
        raise NotFound(f"voice {digest} is gone: it was deleted meanwhile")

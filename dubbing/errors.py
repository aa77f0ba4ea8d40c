"""All errors that the project raises on purpose.

::

    DubbingError
    ├── ReportedError        an error that a worker recorded, raised again in its caller
    ├── Unforeseen           a command ended by an exception that is not in this tree
    ├── Permanent            trying again cannot help
    │   ├── BadInput         the caller must change the request
    │   ├── Conflict         the id is taken by another request
    │   ├── NotFound         no such job, voice or object
    │   ├── WrongInstallation  storage and Redis belong to different installations
    │   ├── EngineMissing    the engine, or the extra that brings it, is not installed
    │   ├── SpeechRejected   the engine spoke, but not the line that was asked
    │   ├── GivenUp          begun again and again, never finished: it kills or hangs its workers
    │   ├── Damaged          a stored document cannot be read: it has to be restored, or removed
    │   ├── MediaError       a film or sound cannot be read or written
    │   │   └── FullDisk     no space is left for it, or for a temporary file
    │   ├── ClipUnreadable   stored clips are missing or damaged: speak those lines again
    │   └── ResultUnreadable stored results are missing or damaged: ask for those lines again
    └── Transient            the same call may succeed later
        ├── EngineFailed     the engine raised; another try or a smaller batch may succeed
        ├── EngineAway       this worker does not hold the engine now; another one may
        ├── Stopped          the work was told to stop; its new holder, if any, continues
        │   └── WorkerEnds   its worker ends; another one begins at once
        ├── NewerRelease     a newer release wrote it; a process of that release can read it
        ├── StorageUnavailable
        │   └── StorageRefused
        └── QueueUnavailable
            └── QueueRefused

The two branches are the two policies: work that raises a Transient error is tried again within
bounds, and a Permanent error is reported at once. The module that calls a foreign library turns
its exceptions into these errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from dubbing.visible import readable, readable_line


@dataclass(frozen=True)
class ErrorRecord:
    """An error in the form that results, reports and ``--json`` hold."""

    code: str
    """For machines, stable: the ``code`` of the error's class."""
    message: str
    """For people: what is wrong, and what to do about it."""


class DubbingError(Exception):
    """Base of the tree.

    ``code`` is for machines and stays stable; ``str(error)`` is for people and says what to do.
    """

    code: ClassVar[str] = "error"

    def to_record(self) -> ErrorRecord:
        """Return the error in its stored form."""
        return ErrorRecord(self.code, str(self))


class ReportedError(DubbingError):
    """An error that a worker recorded, raised again in its caller."""

    def __init__(self, record: ErrorRecord) -> None:
        self.record = record
        super().__init__(record.message)

    def to_record(self) -> ErrorRecord:
        """Return the worker's record, unchanged."""
        return self.record


def kind_of(code: str) -> type[DubbingError]:
    """Return the class of the errors with a code; `DubbingError` for one that is not known here."""
    kinds = [DubbingError]
    for kind in kinds:
        if kind.code == code:
            return kind
        kinds += kind.__subclasses__()
    return DubbingError


class Unforeseen(DubbingError):
    """An exception outside this tree ended a command; the message names the file of its details."""

    code = "unforeseen"


class Permanent(DubbingError):
    """The same call cannot succeed later."""

    code = "permanent"


class BadInput(Permanent):
    """The request is wrong; the message names the file, line or cue."""

    code = "bad_input"

    def __init__(self, message: str, *, where: str | None = None) -> None:
        self.message = readable(message)
        self.where = where and readable_line(where)
        super().__init__(f"{self.where}: {self.message}" if where else self.message)


class Conflict(Permanent):
    """An id is already taken by a different request; nothing was overwritten."""

    code = "conflict"


class NotFound(Permanent):
    """No such job, voice or object."""

    code = "not_found"


class WrongInstallation(Permanent):
    """Storage and Redis do not belong to the same installation; nothing was written."""

    code = "wrong_installation"


class EngineMissing(Permanent):
    """The engine is unknown, or the extra that brings its library is not installed."""

    code = "engine_missing"


class SpeechRejected(Permanent):
    """The engine's sound cannot be the line: empty, NaN, silent or far too long."""

    code = "speech_rejected"


class GivenUp(Permanent):
    """The work was begun again and again, and never finished: it kills its workers, or hangs."""

    code = "given_up"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} was begun again and again and never finished: see its workers' logs"
        )


class Damaged(Permanent):
    """A stored document cannot be read; its content is made again if possible."""

    code = "damaged"

    def __init__(self, where: str, why: str = "it is damaged") -> None:
        self.where = where
        """Key of the document."""
        super().__init__(f"{where} cannot be read: {why}: restore it from a backup, or remove it")


class MediaError(Permanent):
    """A film or sound could not be read or written."""

    code = "media"


class FullDisk(MediaError):
    """No space is left for a film, a sound or a temporary file."""


class ClipUnreadable(Permanent):
    """Stored clips are missing or damaged; their lines must be spoken again."""

    code = "clip_unreadable"

    def __init__(self, segments: Sequence[str], found: Mapping[str, str] | None = None) -> None:
        self.segments = tuple(segments)
        """Ids of the lines whose clips cannot be read, in time order."""
        self.found = found or {}
        """SHA-256 of each of these clips that is there, by the line's id."""
        super().__init__(f"the clips of these lines cannot be read: {', '.join(segments)}")


class ResultUnreadable(Permanent):
    """Counted results are missing or damaged; their lines must be requested again."""

    code = "result_unreadable"

    def __init__(self, segments: Sequence[str]) -> None:
        self.segments = tuple(segments)
        """Ids of the lines whose results cannot be read, in time order."""
        super().__init__(f"the results of these lines cannot be read: {', '.join(segments)}")


class Transient(DubbingError):
    """The same call may succeed later."""

    code = "transient"


class EngineFailed(Transient):
    """The engine raised while it loaded, extracted or spoke."""

    code = "engine_failed"


class EngineAway(Transient):
    """This worker takes no work for the engine: by order, or because it could not load it."""

    code = "engine_away"


class Stopped(Transient):
    """The work has to stop: its lease is lost, or its job has ended."""

    code = "stopped"


class WorkerEnds(Stopped):
    """The worker has to end; another one does the work."""

    code = "worker_ends"


class NewerRelease(Transient):
    """A newer release wrote a document or message, which only its own processes can read."""

    code = "newer_release"

    def __init__(self, what: str) -> None:
        self.what = what
        """The document or message."""
        super().__init__(f"{what} was written by a newer release of dubbing: upgrade this one")


class StorageUnavailable(Transient):
    """Object storage did not answer, or refused, after bounded retries."""

    code = "storage_unavailable"


class StorageRefused(StorageUnavailable):
    """Object storage needs other settings: keys, region, bucket, or a policy that allows this."""

    code = "storage_refused"


class QueueUnavailable(Transient):
    """Redis did not answer, or refused a write."""

    code = "queue_unavailable"


class QueueRefused(QueueUnavailable):
    """Redis needs other settings: a password, a user's rights, a database, TLS."""

    code = "queue_refused"

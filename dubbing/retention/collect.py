"""Garbage collection: mark, check and sweep while jobs start and workers speak.

1. **Mark**: all jobs are read. Objects that their rules no longer keep are removed; objects that
their documents name are marked.
2. **Check**: media and voices that are not marked get the mark of a deletion. Then new documents
   are marked: of all jobs, if there are such media or voices, or else of jobs that are or were
   open, or were submitted meanwhile. The writer of a request holds what it names (`storage.holds`),
   so that one of the two sees the other.
3. **Sweep**: an unmarked object is removed if it was not stored or used within its age. A worker
   that takes a stored clip renews its time before it stores the result that names it. The time is
   checked again just before a clip is removed. If a clip is removed while a worker takes it,
   assembly does not find it, and requests the line again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import NamedTuple

from dubbing.documents import Model, stored
from dubbing.errors import Conflict, Damaged, NewerRelease, NotFound, StorageUnavailable
from dubbing.jobs.index import submitted_before
from dubbing.jobs.store import open_ids
from dubbing.retention.broom import Broom, Removed
from dubbing.retention.clips import sweep_clips
from dubbing.retention.digests import DIGEST, Digests, packed
from dubbing.retention.jobs import JobFolder, Output, look, references
from dubbing.retention.rules import FOR_EVER, LEAST, OTHERS, Kind, Rules, beyond
from dubbing.storage import Entry, Keys, Storage, each, holds
from dubbing.storage.holds import Shared, holders, marked_for_deletion
from dubbing.storage.parallel import AT_ONCE, in_order
from dubbing.submission.uploads import Upload
from dubbing.voices.names import names, pointer, tenants

ABANDONED_SECONDS = 3600.0
"""Age of the mark of a collection whose process was killed."""
RENEWAL_SECONDS = 60.0
"""Interval at which a running collection renews its mark."""
MARKED_SECONDS = holds.ABANDONED_SECONDS / 2
"""Time after the marks of a deletion in which objects are removed: writers ignore older marks."""
SKEW_SECONDS = 300.0
"""Tolerated difference between the clocks of storage and of this machine."""


class Collected(Model):
    """The result of a collection: the objects that it removed, or would remove."""

    dry_run: bool
    seconds: float
    removed: tuple[Removed, ...]


def collect(
    storage: Storage,
    rules: Rules,
    *,
    dry: bool = False,
    rest: Callable[[], None] = lambda: None,
) -> Collected:
    """Remove the objects that the rules do not keep, and return them.

    dry: only list them.
    rest: called between two steps. Raises Conflict while another collection is running, and
    StorageUnavailable when the jobs are missing.
    """
    began = time.monotonic()
    broom = Broom(storage, dry=dry)
    with nullcontext() if dry else alone(storage) as renew:

        def between() -> None:
            if renew:
                renew()
            rest()

        Collector(storage, rules, broom, between).run()
    seconds = time.monotonic() - began
    return Collected(dry_run=dry, seconds=round(seconds, 3), removed=broom.removed)


@contextmanager
def alone(storage: Storage) -> Iterator[Callable[[], None]]:
    """Exclude other collections during the block; yield a function that renews the mark."""
    if not storage.create(Keys.COLLECTING, b""):
        since = storage.modified(Keys.COLLECTING) or 0.0
        if time.time() - since < ABANDONED_SECONDS:
            raise Conflict(
                "another collection is under way: wait for it, or for an hour if it was killed"
            )
        storage.replace(Keys.COLLECTING, b"")
    renewed = time.monotonic()

    def renew() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > RENEWAL_SECONDS:
            storage.replace(Keys.COLLECTING, b"")
            renewed = time.monotonic()

    try:
        yield renew
    finally:
        storage.delete(Keys.COLLECTING)


class Arrived(NamedTuple):
    """A finished upload, with its description in storage."""

    upload: Upload
    entry: Entry

    @property
    def modified(self) -> float:
        """When it arrived."""
        return self.entry.modified

    @property
    def size(self) -> int:
        """Bytes of its file."""
        return self.upload.bytes or 0


class Unused(NamedTuple):
    """Media or a voice that nothing names."""

    kind: Kind
    digest: str
    thing: Shared
    files: Sequence[Entry]

    @property
    def modified(self) -> float:
        """When it was last stored."""
        return max(entry.modified for entry in self.files)

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(entry.size for entry in self.files)


class Collector:
    """One collection."""

    def __init__(
        self, storage: Storage, rules: Rules, broom: Broom, between: Callable[[], None]
    ) -> None:
        """Read nothing yet. between: called between two steps."""
        self._storage = storage
        self._rules = rules
        self._broom = broom
        self._between = between
        self._now = time.time()
        self._clips = Digests()
        """Clips that results of kept jobs name."""
        self._named = Digests()
        """Media and voices that requests, plans, uploads and names of voices name."""

    def run(self) -> None:
        """Mark, check and sweep."""
        storage, were_open = self._storage, open_ids(self._storage)
        self._mark_jobs()
        self._mark_uploads()
        self._mark_names()
        unused = [*self._unused(Kind.MEDIA), *self._unused(Kind.VOICES)]
        with ExitStack() as marks:
            marked = time.monotonic()
            for found in unused if not self._broom.dry else ():
                marks.enter_context(marked_for_deletion(storage, found.thing))
            # A job may have been revised, and have ended, since it was read.
            self._check(storage.folders(Keys.JOBS) if unused else self._begun(were_open))
            for found in self._unnamed(unused):
                if time.monotonic() - marked < MARKED_SECONDS:
                    self._remove_unused(found)
        self._sweep_backgrounds()
        self._sweep_messages()
        sweep_clips(storage, self._clips, self._rules.of(Kind.CLIPS), self._broom, self._between)

    def _mark_jobs(self) -> None:
        storage, rules = self._storage, self._rules
        ids = storage.folders(Keys.JOBS)
        if not ids and next(submitted_before(storage, None), None):
            raise StorageUnavailable(
                f"{storage.url} names jobs, and holds none: is all of its folder mounted?"
            )
        outputs: dict[str, list[Output]] = {}
        looks = in_order(partial(look, storage, rules, self._now), ids, at_once=AT_ONCE)
        for id_, found in zip(ids, looks, strict=True):
            self._between()
            self._broom.remove(Kind.STRAYS, found.tenant, found.strays)
            # A retry that was opened meanwhile reads them.
            if found.rounds and not storage.exists(Keys.open(id_)):
                self._broom.remove(Kind.ROUNDS, found.tenant, found.rounds)
            else:
                self._clips.add(found.clips)
            self._named.add(found.named)
            if rules.of(Kind.OUTPUTS, found.tenant) != FOR_EVER:
                outputs.setdefault(found.tenant, []).extend(found.outputs)
        for tenant, some in outputs.items():
            for output in beyond(some, rules.of(Kind.OUTPUTS, tenant), self._now):
                self._remove_output(output)

    def _remove_output(self, output: Output) -> None:
        self._broom.remove(Kind.OUTPUTS, output.tenant, output.files)
        if not self._broom.dry:
            kept = Keys.kept(output.tenant, output.job)
            marks = [key for key in self._storage.keys(kept) if _of_round(key, kept, output.round)]
            each(self._storage.delete, marks)

    def _mark_uploads(self) -> None:
        """Remove the uploads that are not kept, and mark the media of the others."""
        arrived: dict[str, list[Arrived]] = {}
        for found in self._arrived():
            arrived.setdefault(found.upload.tenant, []).append(found)
        for tenant, some in arrived.items():
            gone = beyond(some, self._rules.of(Kind.UPLOADS, tenant), self._now)
            self._broom.remove(Kind.UPLOADS, tenant, [found.entry for found in gone])
            forgotten = {found.entry.key for found in gone}
            self._mark_media(found for found in some if found.entry.key not in forgotten)

    def _arrived(self, since: float = 0.0) -> list[Arrived]:
        """Return the uploads that arrived since a time."""

        def read(entry: Entry) -> Arrived | None:
            try:
                upload = stored(Upload, self._storage.get(entry.key), entry.key)
            except (NotFound, Damaged, NewerRelease):
                return None
            return Arrived(upload, entry) if upload.key else None

        entries = self._storage.entries(Keys.UPLOADS)
        documents = (entry for entry in entries if entry.key.endswith(".json"))
        found = each(read, (entry for entry in documents if entry.modified >= since))
        return [one for one in found if one]

    def _mark_media(self, arrived: Iterable[Arrived]) -> None:
        digests = (found.upload.sha256 or "" for found in arrived)
        self._named.add(packed(digest.encode() for digest in digests))

    def _mark_names(self) -> None:
        """Mark the voices that have a name."""
        storage = self._storage
        if self._rules.of(Kind.VOICES) == FOR_EVER:
            return

        def named(of: tuple[str, str]) -> bytes:
            try:
                return packed([pointer(storage, *of).encode()])
            except (NotFound, Damaged):
                return b""

        known = [(tenant, name) for tenant in tenants(storage) for name in names(storage, tenant)]
        self._named.add(b"".join(each(named, known)))

    def _unused(self, kind: Kind) -> list[Unused]:
        """Return the media, or the voices, that nothing names and that are not kept."""
        bound = self._rules.of(kind)
        if bound == FOR_EVER:
            return []
        prefix = Keys.MEDIA if kind is Kind.MEDIA else Keys.VOICES
        thing = Shared.media if kind is Kind.MEDIA else Shared.voice
        files: dict[str, list[Entry]] = {}
        for entry in self._storage.entries(prefix):
            digest = entry.key.removeprefix(prefix).partition("/")[0]
            if DIGEST.fullmatch(digest):
                files.setdefault(digest, []).append(entry)
        found = [Unused(kind, digest, thing(digest), some) for digest, some in files.items()]
        return beyond(self._unnamed(found), bound, self._now)

    def _unnamed(self, found: Sequence[Unused]) -> list[Unused]:
        lacks = self._named.lacks([one.digest for one in found])
        return [one for one, lacking in zip(found, lacks, strict=True) if lacking]

    def _begun(self, were_open: set[str]) -> set[str]:
        """Return the jobs that are or were open, or were submitted, since the mark began."""
        since = self._now - SKEW_SECONDS
        submitted = {id_ for _, id_ in submitted_before(self._storage, None, since=since)}
        return were_open | open_ids(self._storage) | submitted

    def _check(self, ids: Iterable[str]) -> None:
        """Mark documents of jobs, uploads and names that were written since the mark began."""
        storage, since = self._storage, self._now - SKEW_SECONDS

        def new(id_: str) -> tuple[bytes, bytes]:
            return references(storage, JobFolder.read(storage, id_), since)

        for clips, named in in_order(new, ids, at_once=AT_ONCE):
            self._clips.add(clips)
            self._named.add(named)
        self._mark_media(self._arrived(since))
        self._mark_names()

    def _remove_unused(self, found: Unused) -> None:
        if not holders(self._storage, found.thing):
            marks = found.thing.deletions
            files = [entry for entry in found.files if not entry.key.startswith(marks)]
            self._broom.remove_unused(found.kind, OTHERS, files, found.modified + 1)

    def _sweep_backgrounds(self) -> None:
        entries = self._storage.entries(Keys.BACKGROUNDS)
        gone = beyond(entries, self._rules.of(Kind.BACKGROUNDS), self._now)
        # An assembly may be reading a recently used one.
        self._broom.remove_unused(Kind.BACKGROUNDS, OTHERS, gone, self._now - LEAST)

    def _sweep_messages(self) -> None:
        """Remove old dead messages, and old marks of sent ones, which prevent duplicates."""
        for prefix in (Keys.TOLD, Keys.UNTOLD):
            for tenant in self._storage.folders(prefix):
                self._between()
                entries = self._storage.entries(f"{prefix}{tenant}/")
                gone = beyond(entries, self._rules.of(Kind.MESSAGES, tenant), self._now)
                self._broom.remove(Kind.MESSAGES, tenant, gone)


def _of_round(mark: str, prefix: str, round_: int) -> bool:
    """Whether a mark with the size of outputs belongs to a round."""
    return mark.removeprefix(prefix).partition("-")[0] == str(round_)

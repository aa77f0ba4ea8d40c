"""Object storage: a folder or a bucket.

Storage is the truth: everything in Redis can be rebuilt from it. Objects that a job reads are
written create-if-absent; of these, only documents and clips that are found damaged, and clips that
are found to be another line's, are ever overwritten.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, MemoryStore, ObjectStore

from dubbing.errors import BadInput, MediaError, NotFound, StorageRefused, StorageUnavailable
from dubbing.storage.calls import call, lay_beyond
from dubbing.storage.folder import check_folder, check_inside, make_folder
from dubbing.storage.keys import Keys, check_key
from dubbing.storage.parallel import in_order
from dubbing.storage.s3 import S3Options, lies_in, origin_of, s3_store

if TYPE_CHECKING:
    from obstore import ObjectMeta

NOTHING = MemoryStore()
"""The content of a folder that does not exist yet."""
CHUNK, RANGE = 8 << 20, 4 << 20
"""Bytes per part when a whole file is uploaded, and when it is downloaded."""
COPIED = 1 << 20
"""Bytes per part when a whole file is copied into a folder, which gains nothing by larger ones."""
PARTS_AT_ONCE = 4
"""Parts of a file that are on their way, and so in memory, at the same time."""
PRIVATE = 0o700
"""Mode of a folder that other users may not read."""
GREETING_SECONDS = 3.0
"""Timeout of a bucket's server that has never answered; one retry follows a failure."""
RENEWED_SECONDS = 6 * 3600.0
"""Age from which an object of a bucket that is used again is written again."""


class Entry(NamedTuple):
    """An object in a listing."""

    key: str
    size: int
    """Bytes."""
    modified: float
    """When it was written, in seconds since 1970."""


class Storage:
    """A folder or a bucket. Safe to use from several threads, not across a fork."""

    def __init__(
        self,
        store: ObjectStore | None,
        url: str,
        s3: S3Options | None = None,
        *,
        private: bool = False,
    ) -> None:
        """Wrap a store; None stands for the folder at ``url``, made with the first write.

        private: whether other users may not read the folder that is made.
        """
        self._opened = store
        self.url = url
        self.s3 = s3 or S3Options()
        """The access to its bucket, and to the buckets of sources and targets."""
        self._mode = PRIVATE if private else 0o777

    @classmethod
    def at(cls, url: str, s3: S3Options | None = None, *, private: bool = False) -> Storage:
        """Open a folder's path, a ``file://`` URL, or ``s3://bucket/prefix``.

        private: whether other users may not read a folder that is made.
        """
        if url.startswith("s3://"):
            return cls(s3_store(url, s3 or S3Options()), url, s3)
        if "://" in url and not url.startswith("file://"):
            raise BadInput("use a folder or s3://bucket/prefix", where=f"storage {url!r}")
        folder = Path(url.removeprefix("file://")).expanduser().absolute()
        return cls(None, str(folder), s3, private=private)

    @property
    def _store(self) -> ObjectStore:
        """The store; a folder that does not exist yet is empty."""
        if self._opened is None and Path(self.url).is_dir():
            self._opened = LocalStore(Path(self.url))
        return self._opened or NOTHING

    def impatient(self) -> Storage:
        """Return the same storage, but with timeouts of seconds for calls to a bucket."""
        far = self.url.startswith("s3://")
        store = s3_store(self.url, self.s3, GREETING_SECONDS) if far else self._opened
        return Storage(store, self.url, self.s3, private=self._mode == PRIVATE)

    def greet(self) -> None:
        """Connect to a bucket for the first time; it has to answer within seconds.

        Raises StorageRefused or StorageUnavailable, with S3's error code and what to check.
        """
        if not self.url.startswith("s3://"):
            return
        try:
            next(self.impatient().keys(Keys.OPEN), None)
        except StorageRefused:
            raise
        except StorageUnavailable as exc:
            server = self.s3.endpoint or "Amazon's S3"
            raise StorageUnavailable(
                f"no S3 answers at {server} for {self.url}: check DUBBING_S3_ENDPOINT, its http:// "
                f"or https:// too: {exc}"
            ) from exc

    def check_writable(self) -> None:
        """Raise StorageRefused unless this process can write into the folder of the storage.

        A bucket is not tried: each write says why it is refused.
        """
        if self.path("") is None:
            return
        make_folder(Path(self.url), self._mode)
        check_folder(Path(self.url))

    def create(self, key: str, data: bytes) -> bool:
        """Write ``data`` unless ``key`` exists; return whether it was written."""
        with self._writing(key):
            try:
                obstore.put(self._store, key, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
        return True

    def replace(self, key: str, data: bytes) -> None:
        """Write ``data`` whether ``key`` exists or not."""
        with self._writing(key):
            obstore.put(self._store, key, data, use_multipart=False)

    def upload(self, key: str, file: BinaryIO | Path) -> None:
        """Write a whole file, in parts when it is large."""
        with self._writing(key):
            part = CHUNK if self._folder is None else COPIED
            obstore.put(self._store, key, file, chunk_size=part, max_concurrency=PARTS_AT_ONCE)

    def get(self, key: str) -> bytes:
        """Return an object; raises NotFound."""
        return self.get_dated(key)[0]

    def get_dated(self, key: str) -> tuple[bytes, float]:
        """Return an object, and when it was written, as `modified` does; raises NotFound."""
        with self._call(key, "read"):
            # Workers ask this for every line, and the store would use another thread.
            if self._folder and not (self._folder / key).exists():
                raise FileNotFoundError(key)
            found = obstore.get(self._store, key)
            return bytes(found.bytes()), found.meta["last_modified"].timestamp()

    def renew(self, key: str, data: bytes, modified: float) -> None:
        """Renew the time of an object that is used again, which retention reads.

        data, modified: as `get_dated` returned them. In a bucket, a time of the last hours stays.
        """
        if self._folder:
            self.touch(key)
        elif modified < time.time() - RENEWED_SECONDS:
            self.replace(key, data)

    def touch(self, key: str) -> None:
        """Renew the time of an object of a folder that is used again; not in a bucket."""
        if path := self.path(key):
            # It may have been removed meanwhile, or belong to another user.
            with suppress(OSError):
                os.utime(path)

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, or as many as there are; raises NotFound."""
        try:
            with self._call(key, "read"):
                return bytes(obstore.get_range(self._store, key, start=offset, length=length))
        except StorageUnavailable as exc:
            # A truncated document is not a fault of the storage.
            if lay_beyond(exc):
                return b""
            raise

    def download(self, key: str, path: Path) -> None:
        """Write an object to ``path``, with memory flat in its size; raises NotFound.

        Each range of it has its own time limit and retries, whatever the object's size. Raises
        MediaError when ``path`` cannot be written, and StorageUnavailable when the object became
        shorter meanwhile. Any error leaves no file at ``path``.
        """
        size = self._head(key)["size"]

        def part(start: int) -> bytes:
            length = min(RANGE, size - start)
            data = self.get_range(key, start, length)
            if len(data) < length:
                raise StorageUnavailable(f"{key!r} became shorter while it was read")
            return data

        try:
            with path.open("wb") as file:
                for data in in_order(part, range(0, size, RANGE), at_once=PARTS_AT_ONCE):
                    file.write(data)
        except BaseException as exc:
            path.unlink(missing_ok=True)
            if isinstance(exc, OSError):
                raise MediaError(f"{path} cannot be written: {exc.strerror}") from exc
            raise

    def size(self, key: str) -> int | None:
        """Return an object's size in bytes, or None when there is none."""
        try:
            return self._head(key)["size"]
        except NotFound:
            return None

    def modified(self, key: str) -> float | None:
        """Return when an object was written, in seconds since 1970, or None when there is none."""
        try:
            return self._head(key)["last_modified"].timestamp()
        except NotFound:
            return None

    def exists(self, key: str) -> bool:
        """Whether there is an object at ``key``."""
        return self.size(key) is not None

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below ``prefix``, page by page; a bucket's are in their order."""
        with self._call(prefix, "list", timed=False):
            for page in obstore.list(self._store, prefix.rstrip("/")):
                yield from (item["path"] for item in page)

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Yield the objects below ``prefix``, in the order of `keys`."""
        with self._call(prefix, "list", timed=False):
            for page in obstore.list(self._store, prefix.rstrip("/")):
                for item in page:
                    yield Entry(item["path"], item["size"], item["last_modified"].timestamp())

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the size in bytes of each object below ``prefix``, by its key."""
        return {entry.key: entry.size for entry in self.entries(prefix)}

    def times(self, prefix: str) -> dict[str, float]:
        """Return when each object below ``prefix`` was written, as `modified` does, by its key."""
        return {entry.key: entry.modified for entry in self.entries(prefix)}

    def folders(self, prefix: str) -> list[str]:
        """Return the names of the folders directly below ``prefix``."""
        with self._call(prefix, "list"):
            found = obstore.list_with_delimiter(self._store, prefix.rstrip("/"))
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found["common_prefixes"])

    def link(self, key: str, seconds: int, method: Literal["GET", "PUT"] = "GET") -> str:
        """Return a URL for reading or writing an object of a bucket without keys, for some time."""
        with self._call(key, "sign"):
            return obstore.sign(self._store, method, key, timedelta(seconds=seconds))  # type: ignore[arg-type]

    @property
    def origin(self) -> str:
        """The origin of `link`, such as ``https://s3.example:9000``; ``""`` for a folder."""
        return origin_of(self.url, self.s3) if self._folder is None else ""

    def delete(self, key: str) -> None:
        """Remove an object; it need not exist."""
        try:
            with self._call(key, "delete"):
                obstore.delete(self._store, key)
        except NotFound:
            pass

    def path(self, key: str) -> Path | None:
        """Return an object's path on this machine, or None when storage is not a folder.

        Raises BadInput for a key that is not plain, or that leads out of the folder.
        """
        self._check(key)
        return self._folder and self._folder / key

    def resolve(self, source: str) -> tuple[Storage, str]:
        """Return the storage and key of ``source``, a key or an ``s3://`` URL.

        Raises BadInput for a URL in another bucket that is not granted: it would be read with the
        keys of this installation, in a job of any author.
        """
        if not source.startswith("s3://"):
            return self, source
        bucket, _, key = source.removeprefix("s3://").partition("/")
        own = f"{self.url}/".startswith(f"s3://{bucket}/")
        if not own and not lies_in(source, self.s3.granted):
            raise BadInput(
                f"this bucket is not granted to jobs: add s3://{bucket} to DUBBING_GRANTED_SOURCES "
                "here and for the assembly workers",
                where=source,
            )
        check_key(key)
        return Storage.at(f"s3://{bucket}", self.s3), key

    @property
    def _folder(self) -> Path | None:
        return None if "://" in self.url else Path(self.url)

    def _check(self, key: str) -> None:
        """Raise BadInput for a key that is not plain, or whose links lead out of the folder."""
        if key:
            check_key(key)
            if self._folder:
                check_inside(self._folder, key)

    def _head(self, key: str) -> ObjectMeta:
        """Return the size and the time of an object; raises NotFound."""
        with self._call(key, "look"):
            return obstore.head(self._store, key)

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        """Write in the block; *not found* then means the bucket."""
        if self._opened is None:
            make_folder(Path(self.url), self._mode)
        try:
            with self._call(key, "write"):
                yield
        except NotFound as exc:
            raise StorageRefused(f"{self.url} cannot be written: is there such a bucket?") from exc
        except StorageUnavailable:
            # The folder may give more details than the store.
            self.check_writable()
            raise

    def _call(
        self, key: str, operation: str, *, timed: bool = True
    ) -> AbstractContextManager[None]:
        """Return the block of a call, as in `call`; raises BadInput as `path` does."""
        self._check(key)
        return call(self._store, self.url, key, operation, timed=timed)

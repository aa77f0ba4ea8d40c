"""The place on S3 to which a job's results are delivered: ``output.to``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dubbing.errors import BadInput, StorageRefused, StorageUnavailable
from dubbing.storage.s3 import lies_in
from dubbing.storage.store import Storage

PROBE = ".dubbing-probe"
"""Name of the empty object that is written and removed to test a place."""


def check_target(storage: Storage, place: str) -> None:
    """Raise BadInput unless results may go to a place; nothing is written.

    Any author's job writes with the keys of this installation, so the place has to be granted, and
    must not lie among the installation's own objects.
    """
    if lies_in(place, [storage.url]):
        raise BadInput("the installation's own storage lies here: name another place", where=place)
    if not lies_in(place, storage.s3.targets):
        raise BadInput(
            f"this place is not granted to results: add {place} to DUBBING_GRANTED_TARGETS here "
            "and for the assembly workers",
            where=place,
        )


class Target:
    """A place on S3, reached with the keys of an installation. Safe to use from several threads."""

    def __init__(self, storage: Storage, place: str) -> None:
        """Keep the place, ``s3://bucket/prefix``; raises BadInput as `check_target` does."""
        check_target(storage, place)
        bucket, _, self._prefix = place.removeprefix("s3://").partition("/")
        self._place = place
        self._bucket = Storage.at(f"s3://{bucket}", storage.s3)

    def url(self, name: str) -> str:
        """Return the address of a written file."""
        return f"{self._place}/{name}"

    def try_out(self) -> None:
        """Raise BadInput unless this process can write here; the answer has to come within seconds.

        Raises StorageUnavailable when there is no answer.
        """
        quick = self._bucket.impatient()
        with self._named():
            quick.replace(self._key(PROBE), b"")
        # A key that may write need not be one that may delete.
        with suppress(StorageUnavailable):
            quick.delete(self._key(PROBE))

    def upload(self, name: str, path: Path) -> None:
        """Write a file in parts, in place of one of its name; raises as `write` does."""
        with self._named():
            self._bucket.upload(self._key(name), path)

    def write(self, name: str, data: bytes) -> None:
        """Write a small file, in place of one of its name.

        Raises BadInput when S3 refuses it, and StorageUnavailable when it does not answer.
        """
        with self._named():
            self._bucket.replace(self._key(name), data)

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Raise BadInput that names the place when S3 refuses: only people can change that."""
        try:
            yield
        except StorageRefused as exc:
            raise BadInput(f"results cannot be written here: {exc}", where=self._place) from exc

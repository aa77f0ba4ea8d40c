"""Removing objects, or only counting them, by kind and tenant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from dubbing.documents import Model
from dubbing.retention.rules import Kind
from dubbing.storage import Entry, Storage, each


class Removed(Model):
    """The removed objects of a kind."""

    kind: Kind
    tenant: str
    """``*`` for objects that all tenants share."""
    objects: int
    bytes: int


class Broom:
    """Removes objects; with ``dry``, only counts them. For use by one thread."""

    def __init__(self, storage: Storage, *, dry: bool) -> None:
        self.dry = dry
        self._storage = storage
        self._counts: dict[tuple[Kind, str], list[int]] = defaultdict(lambda: [0, 0])

    @property
    def removed(self) -> tuple[Removed, ...]:
        """All removed objects."""
        return tuple(
            Removed(kind=kind, tenant=tenant, objects=objects, bytes=size)
            for (kind, tenant), (objects, size) in sorted(self._counts.items())
        )

    def remove(self, kind: Kind, tenant: str, entries: Sequence[Entry]) -> None:
        """Remove objects, in their order."""
        self._sweep(kind, tenant, entries[:1], self._delete)
        self._sweep(kind, tenant, entries[1:], self._delete)

    def remove_unused(
        self, kind: Kind, tenant: str, entries: Sequence[Entry], before: float
    ) -> None:
        """Remove objects that were not written or used since ``before``."""

        def delete(entry: Entry) -> bool:
            now = self._storage.modified(entry.key)
            return now is not None and now < before and self._delete(entry)

        self._sweep(kind, tenant, entries, delete)

    def _sweep(
        self, kind: Kind, tenant: str, entries: Sequence[Entry], delete: Callable[[Entry], bool]
    ) -> None:
        # A folder answers faster than a thread starts.
        call = each if self._storage.path("") is None else map
        gone = [True] * len(entries) if self.dry else list(call(delete, entries))
        count = self._counts[kind, tenant] if any(gone) else [0, 0]
        count[0] += sum(gone)
        count[1] += sum(entry.size for entry, is_gone in zip(entries, gone, strict=True) if is_gone)

    def _delete(self, entry: Entry) -> bool:
        self._storage.delete(entry.key)
        return True

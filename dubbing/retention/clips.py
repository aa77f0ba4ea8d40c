"""Sweeping the clips that no result names."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from dubbing.retention.broom import Broom
from dubbing.retention.digests import DIGEST, Digests
from dubbing.retention.rules import FOR_EVER, LEAST, OTHERS, Bound, Kind
from dubbing.storage import Entry, Keys, Storage


def sweep_clips(
    storage: Storage, named: Digests, bound: Bound, broom: Broom, between: Callable[[], None]
) -> None:
    """Remove the clips that nothing names and that a bound does not keep.

    between: called between two steps.
    """
    if bound == FOR_EVER:
        return
    sweep = _Sweep(storage, named, bound, between)
    before = sweep.unused_before()
    for clips in sweep.unnamed():
        old = [entry for entry in clips if entry.modified < before]
        broom.remove_unused(Kind.CLIPS, OTHERS, old, before)


class _Sweep:
    def __init__(
        self, storage: Storage, named: Digests, bound: Bound, between: Callable[[], None]
    ) -> None:
        self._storage = storage
        self._named = named
        self._bound = bound
        self._between = between
        self._now = time.time()

    def unused_before(self) -> float:
        """Return the time (seconds since 1970) before which clips must be unused to be removed."""
        before = self._now - self._bound.age
        if math.isinf(self._bound.size):
            return before
        pairs = ((entry.modified, entry.size) for some in self.unnamed() for entry in some)
        found = np.fromiter(pairs, np.dtype([("at", float), ("size", float)]))
        newest_first = found[np.argsort(-found["at"])]
        too_many = newest_first["at"][np.cumsum(newest_first["size"]) > self._bound.size]
        # A result may soon name a clip that was just stored.
        last = min(float(too_many.max(initial=0.0)) + 1e-3, self._now - LEAST)
        return max(before, last)

    def unnamed(self) -> Iterator[list[Entry]]:
        """Yield the clips that nothing names, grouped by the beginning of their digests."""
        for begins in self._storage.folders(Keys.CLIPS):
            self._between()
            digests = dict(_digests(self._storage.entries(Keys.clips(begins))))
            lacks = self._named.lacks(list(digests))
            clips = zip(digests.values(), lacks, strict=True)
            yield [entry for entry, lacking in clips if lacking]


def _digests(entries: Iterable[Entry]) -> Iterator[tuple[str, Entry]]:
    """Yield the digest of each clip, with its entry; skip files of other programs."""
    for entry in entries:
        digest = entry.key.rpartition("/")[2].removesuffix(".flac")
        if DIGEST.fullmatch(digest) and entry.key == Keys.clip(digest):
            yield digest, entry

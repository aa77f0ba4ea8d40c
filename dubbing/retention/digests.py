"""The digests that documents name, held in eight bytes each.

The digests are SHA-256, so their beginnings distinguish them. If two begin alike, an unneeded
object is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

CLIP = re.compile(rb"clips/[0-9a-f]{2}/([0-9a-f]{64})\.flac")
"""The digest of a clip, in the result of a batch."""
ANY = re.compile(rb"[0-9a-f]{64}")
"""A digest of media or of a voice, in a request or a plan."""
DIGEST = re.compile(r"[0-9a-f]{64}")
BEGINNING = 16
"""Hex digits that are held of each."""


def packed(digests: Iterable[bytes]) -> bytes:
    """Return the beginnings of digests, as `Digests` takes them."""
    return bytes.fromhex(b"".join(digest[:BEGINNING] for digest in digests).decode())


class Digests:
    """A set of digests."""

    def __init__(self) -> None:
        self._sorted: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._new = bytearray()

    def add(self, some: bytes) -> None:
        """Add digests that are `packed`."""
        self._new += some

    def lacks(self, digests: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return for each digest whether the set lacks it."""
        if self._new:
            both = [self._sorted, np.frombuffer(bytes(self._new), np.uint64)]
            self._sorted, self._new = np.unique(np.concatenate(both)), bytearray()
        asked = np.frombuffer(packed(map(str.encode, digests)), np.uint64)
        if not self._sorted.size:
            return np.ones(len(digests), np.bool_)
        places = np.minimum(np.searchsorted(self._sorted, asked), self._sorted.size - 1)
        missing: npt.NDArray[np.bool_] = self._sorted[places] != asked
        return missing

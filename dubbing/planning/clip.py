"""Clips in storage: each bears its key as its name, and the result of its line holds its digest.

So a clip that lies under the key of another, or was changed after it was spoken, is noticed before
anybody hears it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from dubbing.errors import BadInput
from dubbing.media.samples import Audio, decode_clip, encode_flac
from dubbing.storage import Storage


@dataclass(frozen=True, kw_only=True)
class Clip:
    """The sound of a take, and its stored form."""

    audio: Audio
    data: bytes
    """FLAC, as stored."""

    @property
    def digest(self) -> str:
        """SHA-256 of the stored form, in hex."""
        return digest_of(self.data)


def encode_clip(audio: Audio, key: str) -> Clip:
    """Return ``audio`` as the clip to store under ``key``."""
    return Clip(audio=audio, data=encode_flac(audio, key))


def load_clip(storage: Storage, key: str, digest: str = "") -> Clip:
    """Return the clip under ``key``.

    digest: the SHA-256 in the result of the line; results of older releases hold none.
    Raises NotFound, or BadInput for a clip that is damaged, or is not the one of that key and
    digest.
    """
    return read_clip(storage.get(key), key, digest)


def read_clip(data: bytes, key: str, digest: str = "") -> Clip:
    """Return the clip that was stored under ``key``; raises BadInput as `load_clip` does."""
    if digest and digest_of(data) != digest:
        raise BadInput("this is not the clip that was spoken", where=key)
    return Clip(audio=decode_clip(data, key), data=data)


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a clip as stored, in hex."""
    return hashlib.sha256(data).hexdigest()

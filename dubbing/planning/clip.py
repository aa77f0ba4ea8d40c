"""Clips in storage: each carries its key as its name, and the result of its line holds its digest.

So a reader detects a clip under a wrong key and a changed clip. A clip also carries the proof of
its words, so no reader has to judge it again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from dubbing.documents import stored
from dubbing.errors import BadInput, Damaged
from dubbing.media.samples import Audio, decode_clip, encode_flac, title_of
from dubbing.planning.result import WordsHeard
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

    @property
    def words(self) -> WordsHeard | None:
        """The proof of its words; None if it has none, or an unreadable one."""
        try:
            about = title_of(self.data)
            return stored(WordsHeard, about.encode(), "the title of a clip") if about else None
        except (BadInput, Damaged):
            return None


def encode_clip(audio: Audio, key: str, words: WordsHeard | None = None) -> Clip:
    """Return ``audio`` as the clip to store under ``key``, with the proof of its words."""
    about = words.model_dump_json(exclude_defaults=True) if words else ""
    return Clip(audio=audio, data=encode_flac(audio, key, about))


def load_clip(storage: Storage, key: str, digest: str = "") -> Clip:
    """Return the clip under ``key``.

    digest: the SHA-256 in the result of the line; results of older releases hold none.
    Raises NotFound, or BadInput for a clip that is damaged, or is not the one of that key and
    digest.
    """
    return read_clip(storage.get(key), key, digest)


def load_clip_again(storage: Storage, key: str) -> Clip:
    """Return the clip under ``key`` for another line, and renew its time; raises as `load_clip`."""
    data, modified = storage.get_dated(key)
    clip = read_clip(data, key)
    storage.renew(key, data, modified)
    return clip


def read_clip(data: bytes, key: str, digest: str = "") -> Clip:
    """Return the clip that was stored under ``key``; raises BadInput as `load_clip` does."""
    if digest and digest_of(data) != digest:
        raise BadInput("this is not the clip that was spoken", where=key)
    return Clip(audio=decode_clip(data, key), data=data)


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a clip as stored, in hex."""
    return hashlib.sha256(data).hexdigest()

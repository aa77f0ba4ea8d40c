"""The files, recordings and stored voices of the jobs of one call, each read once.

A source is a path, an ``s3://`` URL, or the key of stored media.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from dubbing.errors import BadInput
from dubbing.files import digest_file
from dubbing.media.probe import MediaInfo, probe
from dubbing.media.scratch import scratch
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices import reference
from dubbing.voices.names import names, stored_voice
from dubbing.voices.reference import Recording, record
from dubbing.voices.store import store_voice
from dubbing.voices.voice import Voice


class Sources:
    """The sources and voices of the jobs of one call.

    Jobs share many sources: a film in several languages, or a cast in several episodes. An object
    that was read or stored for one job is not read or stored again for another.
    """

    def __init__(self, storage: Storage) -> None:
        """Keep the storage; nothing is read yet."""
        self.storage = storage
        self._stored: set[str] = set()
        """Digests of the voices that were stored."""
        # Cached per object, so that each source is read or stored once.
        self.upload = cache(self._upload)
        self.key = cache(self._key)
        self.info = cache(self._info)
        self.recording = cache(self._recording)
        self.voice = cache(self._voice)
        self.voice_names = cache(self._voice_names)

    def store(self, recording: Recording) -> None:
        """Store a new voice, unless it is stored already."""
        if recording.voice.digest not in self._stored:
            store_voice(self.storage, recording.voice, recording.audio)
            self._stored.add(recording.voice.digest)

    def file(self, source: str) -> Path | None:
        """Return the file of a source, or None for one in a bucket."""
        if source.startswith("s3://"):
            return None
        return self.storage.path(source) if is_stored(source) else Path(source)

    @contextmanager
    def fetched(self, source: str) -> Iterator[Path]:
        """Yield a source as a file during the block."""
        if file := self.file(source):
            yield file
            return
        with scratch() as folder:
            path = folder / _basename(source)
            storage, key = self.storage.resolve(source)
            storage.download(key, path)
            yield path

    def _upload(self, source: str) -> None:
        """Store a file under its key, unless it is stored already; one on ``s3://`` stays there."""
        key = self.key(source)
        if key != source and not self.storage.exists(key):
            self.storage.upload(key, Path(source))

    def _key(self, source: str) -> str:
        """Return the location from which workers read ``source``: its storage key, or its URL."""
        if source.startswith("s3://") or is_stored(source):
            return source
        return Keys.media(digest_file(Path(source)))

    def _info(self, source: str, track: str | None = None) -> MediaInfo | None:
        """Return the `MediaInfo` of a film or sound; None for one in a bucket. Raises BadInput."""
        storage, key = self.storage.resolve(source)
        asked = key != source or is_stored(source)
        if asked and not storage.exists(key):
            raise BadInput("there is no such object", where=source)
        file = self.file(source)
        return probe(file, track=track) if file else None

    def _recording(self, source: str) -> Recording:
        """Return a voice made from the recording at a path or URL. Raises BadInput."""
        if self.file(source) is None:
            storage, key = self.storage.resolve(source)
            reference.check_size(storage.size(key) or 0, source)
        with self.fetched(source) as path:
            return record([path], names=[_basename(source)])

    def _voice(self, tenant: str, name: str) -> Voice | None:
        """Return a tenant's stored voice of a name or digest, or None."""
        return stored_voice(self.storage, tenant, name)

    def _voice_names(self, tenant: str) -> list[str]:
        """Return the names of a tenant's stored voices, sorted."""
        return names(self.storage, tenant)


def is_stored(source: str) -> bool:
    """Whether a source is the key of stored media. Paths are absolute, so none looks like one."""
    return re.fullmatch(r"media/[0-9a-f]{64}", source) is not None


def _basename(source: str) -> str:
    return source.rstrip("/").rsplit("/", 1)[-1] or "recording"

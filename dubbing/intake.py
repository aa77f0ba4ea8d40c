"""The files that come with a job: looked at before anything is stored, then stored by digest."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from dubbing.audio import Audio
from dubbing.engine import EngineSpec
from dubbing.errors import BadInput
from dubbing.extraction import store_voice
from dubbing.job import Job, Role
from dubbing.media import decode_speech, probe
from dubbing.storage import Keys, Storage, digest_file

REFERENCE_RATE = 24_000
"""Hz; what the engines that clone were trained on, or more."""
LONGEST_REFERENCE = 300.0
"""Seconds; an engine's own bounds are narrower."""


class Intake:
    """Takes a job's files into storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def inspect(self, job: Job, specs: Mapping[str, EngineSpec]) -> float | None:
        """Return the film's length in seconds, when it can be told here.

        Raises BadInput for a file that is missing, unreadable or unfit. Media on ``s3://`` is only
        looked for: the worker that reads it looks at what it is.
        """
        for speaker, role in job.cast.items():
            if role.reference:
                self._inspect_reference(job, speaker, role.reference, specs)
        if job.background.track:
            self._seconds(job.background.track, film=False)
        return self._seconds(job.media, film=bool(job.films)) if job.media else None

    def store(self, job: Job) -> Job:
        """Return ``job`` with its files in storage and their keys in it."""
        background = job.background
        if background.track:
            background = background.model_copy(update={"track": self._put(background.track)})
        return job.model_copy(
            update={
                "media": self._put(job.media) if job.media else None,
                "background": background,
                "cast": {speaker: self._with_voice(role) for speaker, role in job.cast.items()},
                "script": None,
            }
        )

    def _seconds(self, source: str, *, film: bool) -> float | None:
        if source.startswith("s3://"):
            storage, key = self._storage.resolve(source)
            if not storage.exists(key):
                raise BadInput("there is no such object", where=source)
            return None
        info = probe(Path(source))
        if film and not info.has_video:
            raise BadInput("this holds no video: ask for flac, wav, mp3, ogg or m4a", where=source)
        return info.seconds

    def _inspect_reference(
        self, job: Job, speaker: str, source: str, specs: Mapping[str, EngineSpec]
    ) -> None:
        spec = specs.get(job.engine_of(speaker))
        seconds = self._reference(source)[1].seconds
        if spec and spec.reference_seconds:
            shortest, longest = spec.reference_seconds
            if not shortest <= seconds <= longest:
                raise BadInput(
                    f"engine {spec.name!r} needs a reference of {shortest:g} to {longest:g} s, "
                    f"and {speaker!r} has one of {seconds:.1f} s",
                    where=source,
                )

    def _put(self, source: str) -> str:
        """Return where ``source`` can be read from: an upload's key, or the URL itself."""
        if source.startswith("s3://"):
            return source
        path = Path(source)
        key = Keys.media(digest_file(path))
        if not self._storage.exists(key):
            self._storage.upload(key, path)
        return key

    def _with_voice(self, role: Role) -> Role:
        if not role.reference:
            return role
        digest, audio = self._reference(role.reference)
        store_voice(self._storage, digest, audio)
        return role.model_copy(update={"reference": digest})

    def _reference(self, source: str) -> tuple[str, Audio]:
        """Return a recording's digest and its sound."""
        if not source.startswith("s3://"):
            path = Path(source)
            audio = decode_speech(path, rate=REFERENCE_RATE, max_seconds=LONGEST_REFERENCE)
            return digest_file(path), audio
        with tempfile.TemporaryDirectory(prefix="dubbing-") as folder:
            path = Path(folder) / "reference"
            storage, key = self._storage.resolve(source)
            storage.download(key, path)
            return self._reference(str(path))

"""The files that come with a job: looked at before anything is stored, then stored by digest."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from dubbing.audio import Audio
from dubbing.encode import check_picture
from dubbing.engine import EngineSpec
from dubbing.errors import BadInput
from dubbing.extraction import store_voice
from dubbing.job import Job, Role
from dubbing.keys import Keys
from dubbing.media import MediaInfo, decode_speech, probe
from dubbing.storage import Storage, digest_file

REFERENCE_RATE = 24_000
"""Hz; what the engines that clone were trained on, or more."""
LONGEST_REFERENCE = 300.0
"""Seconds; an engine's own bounds are narrower."""


class Intake:
    """One job and its files, on their way into storage."""

    def __init__(self, storage: Storage, job: Job) -> None:
        self._storage = storage
        self.job = job
        """The job as it was handed in, its files at their paths or URLs."""
        self._voices: dict[str, tuple[str, Audio]] = {}
        """Digest and sound of each reference that was looked at."""

    def inspect(self, specs: Mapping[str, EngineSpec]) -> float | None:
        """Return the film's length in seconds, when it can be told here.

        Raises BadInput for a file that is missing, unreadable or unfit. Media on ``s3://`` is only
        looked for: the worker that reads it looks at what it is.
        """
        job = self.job
        for speaker, role in job.cast.items():
            if role.reference:
                _, audio = self._voices[role.reference] = self._read_reference(role.reference)
                for spec in (specs[name] for name in job.engines_of(speaker) if name in specs):
                    if spec.clones and (fault := spec.reference_fault(audio.seconds)):
                        raise BadInput(f"{fault}, for {speaker!r}", where=role.reference)
        track = job.background.track and self._probe(job.background.track)
        if track and not track.channels:
            raise BadInput("there is no sound in it", where=job.background.track)
        film = self._probe(job.media) if job.media else None
        if film and job.media:
            for container in job.films or (["mp4"] if film.has_video else []):
                check_picture(film, Path(job.media), container)
        return film.seconds if film else None

    @cached_property
    def stored(self) -> Job:
        """The job as it is stored: keys in place of files, and an id. Nothing is stored yet."""
        job, background = self.job, self.job.background
        keyed = job.model_copy(
            update={
                "media": job.media and self._key(job.media),
                "background": background.model_copy(
                    update={"track": background.track and self._key(background.track)}
                ),
                "cast": {speaker: self._with_voice(role) for speaker, role in job.cast.items()},
                "script": None,
            }
        )
        return keyed.model_copy(update={"id": job.id or f"job-{keyed.digest()[:16]}"})

    def upload(self) -> None:
        """Store the files, unless they are there."""
        for digest, audio in self._voices.values():
            store_voice(self._storage, digest, audio)
        for source in (self.job.media, self.job.background.track):
            if source and not source.startswith("s3://"):
                key = self._key(source)
                if not self._storage.exists(key):
                    self._storage.upload(key, Path(source))

    def _probe(self, source: str) -> MediaInfo | None:
        """Return what a film or sound is, when it can be told here; raises BadInput."""
        if source.startswith("s3://"):
            storage, key = self._storage.resolve(source)
            if not storage.exists(key):
                raise BadInput("there is no such object", where=source)
            return None
        return probe(Path(source))

    def _key(self, source: str) -> str:
        """Return where ``source`` is read from: an upload's key, or the URL itself."""
        return source if source.startswith("s3://") else Keys.media(digest_file(Path(source)))

    def _with_voice(self, role: Role) -> Role:
        if not role.reference:
            return role
        return role.model_copy(update={"reference": self._voices[role.reference][0]})

    def _read_reference(self, source: str) -> tuple[str, Audio]:
        """Return a recording's digest and its sound."""
        if source in self._voices:
            return self._voices[source]
        if not source.startswith("s3://"):
            path = Path(source)
            audio = decode_speech(path, rate=REFERENCE_RATE, max_seconds=LONGEST_REFERENCE)
            return digest_file(path), audio
        with tempfile.TemporaryDirectory(prefix="dubbing-") as folder:
            path = Path(folder) / "reference"
            storage, key = self._storage.resolve(source)
            storage.download(key, path)
            return self._read_reference(str(path))

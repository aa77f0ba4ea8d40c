"""The files that come with a job: inspected before anything is stored, then stored by digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from dubbing.engines.catalogue import specs_in
from dubbing.engines.engine import EngineSpec
from dubbing.engines.published import announce
from dubbing.errors import BadInput
from dubbing.files import digest_file
from dubbing.job import Container, Job, Manner, Request, Role
from dubbing.job.caution import Caution
from dubbing.media.pictures import Pictures
from dubbing.media.probe import MediaInfo, probe
from dubbing.media.scratch import scratch
from dubbing.script.manifest import SOURCE, Manifest
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.text.sounds import voiced
from dubbing.voices import reference
from dubbing.voices.from_film import ENOUGH, LEAST, cut_voices
from dubbing.voices.names import asks_stored, names, with_stored_voices
from dubbing.voices.reference import Recording, doubts_of, record
from dubbing.voices.store import load_voice, store_voice
from dubbing.voices.voice import Voice

Specs = Mapping[str, EngineSpec]


class Intake:
    """One job and its files, on their way into storage."""

    def __init__(self, storage: Storage, manifest: Manifest, specs: Specs) -> None:
        self._storage = storage
        self._specs = specs
        self.manifest = with_stored_voices(storage, manifest, specs)
        """The submitted manifest, with digests in place of the names of stored voices."""
        self._named = {
            speaker
            for speaker, role in manifest.cast.items()
            if self.manifest.cast[speaker] != role
        }
        """Speakers whose voice is stored already."""
        self._recordings: dict[str, Recording] = {}
        """Recordings of references, by the path or URL that the cast gives."""
        self._cut: dict[str, Recording] = {}
        """Recordings cut from the film, by speaker."""

    @property
    def stored_voices(self) -> list[str]:
        """Names of all stored voices if the cast names one that is missing; empty otherwise."""
        lacks = [
            speaker
            for speaker in self.manifest.cast
            if asks_stored(self.manifest, speaker, self._specs)
        ]
        return names(self._storage) if lacks else []

    def inspect(self) -> float | None:
        """Return the film's length in seconds; None without a film, or for one on ``s3://``.

        Raises BadInput for a file that is missing, unreadable or unfit. Of media on ``s3://``, only
        the existence is checked: the worker that reads the media inspects it.
        """
        manifest = self.manifest
        for speaker, role in manifest.cast.items():
            if role.reference and role.reference != SOURCE:
                voice = self._voice_of(speaker, role.reference)
                for spec in self._cloning(speaker):
                    if fault := spec.reference_fault(voice.seconds):
                        raise BadInput(f"{fault}, for {speaker!r}", where=role.reference)
        track = manifest.background.track and self._probe(manifest.background.track)
        if track and not track.channels:
            raise BadInput("there is no sound in it", where=manifest.background.track)
        film = self._probe(manifest.media, manifest.media_track) if manifest.media else None
        if film and manifest.media:
            self._try_copies(Path(manifest.media), film)
        return film.seconds if film else None

    def listen(self) -> list[Caution]:
        """Cut the voices that the cast takes from the film; return the doubts about every voice.

        Raises BadInput when a speaker is heard too little. This decodes the whole film, so it comes
        after all other checks.
        """
        manifest = self.manifest
        if manifest.media and (wanted := self._wanted()):
            segments, key = voiced(manifest).segments, self._key(manifest.media)
            with self._fetched(manifest.media) as film:
                self._cut = cut_voices(film, segments, wanted, key, track=manifest.media_track)
        return [
            Caution(code="reference", segment=None, message=f"the voice of {speaker!r}: {doubt}")
            for speaker in manifest.cast
            if (recording := self._recording_of(speaker))
            for doubt in doubts_of(recording.voice)
        ]

    @cached_property
    def stored(self) -> Job:
        """The job to store, with keys in place of files, and an id. Reading it stores nothing."""
        manifest, track = self.manifest, self.manifest.background.track
        asked = {name: getattr(manifest, name) for name in Request.model_fields}
        asked |= {
            "media": manifest.media and self._key(manifest.media),
            "background": manifest.background.model_copy(
                update={"track": track and self._key(track)}
            ),
            "cast": {speaker: self._stored_role(speaker) for speaker in manifest.cast},
        }
        digest = Job(id="unnamed", **asked).digest()
        return Job(id=manifest.id or f"job-{digest[:16]}", **asked)

    def upload(self) -> None:
        """Store the files and the specs of the job's engines, unless they are stored already."""
        announce(self._storage, specs_in(self.manifest, self._specs))
        for recording in (*self._recordings.values(), *self._cut.values()):
            store_voice(self._storage, recording.voice, recording.audio)
        for source in (self.manifest.media, self.manifest.background.track):
            if source and not source.startswith("s3://"):
                key = self._key(source)
                if not self._storage.exists(key):
                    self._storage.upload(key, Path(source))

    def _try_copies(self, path: Path, film: MediaInfo) -> None:
        """Raise BadInput unless the film's pictures can be copied into each requested format."""
        job = self.manifest
        pictures = Pictures(
            film=path,
            info=film,
            language=job.language,
            subtitles=None,
            original_sound=job.output.original_sound,
        )
        by_default: list[Container] = ["mp4"] if film.has_video else []
        for container in job.films if job.output.formats else by_default:
            pictures.try_copy(container)

    def _probe(self, source: str, track: str | None = None) -> MediaInfo | None:
        """Return the facts of a film or sound; None for one on ``s3://``. Raises BadInput."""
        if source.startswith("s3://"):
            storage, key = self._storage.resolve(source)
            if not storage.exists(key):
                raise BadInput("there is no such object", where=source)
            return None
        return probe(Path(source), track=track)

    def _key(self, source: str) -> str:
        """Return where workers read ``source`` from: an upload's key, or the URL itself."""
        return source if source.startswith("s3://") else Keys.media(digest_file(Path(source)))

    def _stored_role(self, speaker: str) -> Role:
        """Return the role of ``speaker`` to store: with a voice's digest in place of a file."""
        role, recording = self.manifest.cast[speaker], self._recording_of(speaker)
        manner = {name: getattr(role, name) for name in Manner.model_fields}
        # A speaker without a line has no voice in the film.
        stored = role.reference if role.reference != SOURCE else None
        return Role(**manner, clone=recording.voice.digest if recording else stored)

    def _recording_of(self, speaker: str) -> Recording | None:
        """Return the recording of a speaker's new voice; None for a stock or a stored voice."""
        return self._cut.get(speaker) or self._recordings.get(
            self.manifest.cast[speaker].reference or ""
        )

    def _voice_of(self, speaker: str, source: str) -> Voice:
        """Return the voice of a cast's reference; each reference is read once."""
        if speaker in self._named:
            return load_voice(self._storage, source)
        if source not in self._recordings:
            self._check_size(source)
            with self._fetched(source) as path:
                self._recordings[source] = record([path], names=[_basename(source)])
        return self._recordings[source].voice

    def _check_size(self, source: str) -> None:
        """Raise BadInput for a recording on S3 that is too large to download."""
        if source.startswith("s3://"):
            storage, key = self._storage.resolve(source)
            reference.check_size(storage.size(key) or 0, source)

    @contextmanager
    def _fetched(self, source: str) -> Iterator[Path]:
        """Provide the object at a path or URL as a file during the block."""
        if not source.startswith("s3://"):
            yield Path(source)
            return
        with scratch() as folder:
            path = folder / _basename(source)
            storage, key = self._storage.resolve(source)
            storage.download(key, path)
            yield path

    def _cloning(self, speaker: str) -> list[EngineSpec]:
        """Return the cloning engines among the engine and fallbacks of ``speaker``."""
        known = (
            self._specs[name] for name in self.manifest.engines_of(speaker) if name in self._specs
        )
        return [spec for spec in known if spec.clones]

    def _wanted(self) -> dict[str, tuple[float, float]]:
        """Return the least and most seconds of speech to cut from the film, by speaker."""
        wanted = {}
        for speaker in voiced(self.manifest).speakers:
            if self.manifest.role(speaker).reference == SOURCE:
                bounds = [
                    spec.reference_seconds or (0.0, ENOUGH) for spec in self._cloning(speaker)
                ]
                least = max([LEAST, *(shortest for shortest, _ in bounds)])
                wanted[speaker] = least, min([ENOUGH, *(longest for _, longest in bounds)])
        return wanted


def _basename(source: str) -> str:
    return source.rstrip("/").rsplit("/", 1)[-1] or "recording"

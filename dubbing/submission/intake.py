"""The files that come with a job: looked at before anything is stored, then stored by digest."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from dubbing.engines.catalogue import announce, specs_in
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput
from dubbing.job import SOURCE, Container, Job, Role
from dubbing.job.caution import Caution
from dubbing.media.pictures import Pictures
from dubbing.media.probe import MediaInfo, probe
from dubbing.storage import Storage, digest_file
from dubbing.storage.keys import Keys
from dubbing.voices import reference
from dubbing.voices.forms import store_voice
from dubbing.voices.from_film import ENOUGH, LEAST, cut_voices
from dubbing.voices.names import asks_stored, load, names, with_stored_voices
from dubbing.voices.reference import Recording, doubts_of, record
from dubbing.voices.voice import Voice

Specs = Mapping[str, EngineSpec]


class Intake:
    """One job and its files, on their way into storage."""

    def __init__(self, storage: Storage, job: Job, specs: Specs) -> None:
        self._storage = storage
        self._specs = specs
        self.job = with_stored_voices(storage, job, specs)
        """The job as it was handed in, its files at their paths or URLs, but digests for the
        stored voices that it names."""
        self._named = {
            speaker for speaker, role in job.cast.items() if self.job.cast[speaker] != role
        }
        """Speakers whose voice is stored already."""
        self._recordings: dict[str, Recording] = {}
        """By the path or URL that the cast gives."""
        self._cut: dict[str, Recording] = {}
        """From the film, by speaker."""

    @property
    def stored_voices(self) -> list[str]:
        """Names of the stored voices, when the cast names one that there is not."""
        lacks = [
            speaker for speaker in self.job.cast if asks_stored(self.job, speaker, self._specs)
        ]
        return names(self._storage) if lacks else []

    def inspect(self) -> float | None:
        """Return the film's length in seconds, when it can be told here.

        Raises BadInput for a file that is missing, unreadable or unfit. Media on ``s3://`` is only
        looked for: the worker that reads it looks at what it is.
        """
        job = self.job
        for speaker, role in job.cast.items():
            if role.reference and role.reference != SOURCE:
                voice = self._voice_of(speaker, role.reference)
                for spec in self._cloning(speaker):
                    if fault := spec.reference_fault(voice.seconds):
                        raise BadInput(f"{fault}, for {speaker!r}", where=role.reference)
        track = job.background.track and self._probe(job.background.track)
        if track and not track.channels:
            raise BadInput("there is no sound in it", where=job.background.track)
        film = self._probe(job.media, job.media_track) if job.media else None
        if film and job.media:
            self._try_copies(Path(job.media), film)
        return film.seconds if film else None

    def listen(self) -> list[Caution]:
        """Cut the voices that the cast takes from the film; return what is doubtful in any voice.

        Raises BadInput when too little is heard of a speaker. It decodes the whole film, so all
        else has to be right before.
        """
        job = self.job
        if job.media and (wanted := self._wanted()):
            with self._fetched(job.media) as film:
                self._cut = cut_voices(
                    film, job.segments, wanted, self._key(job.media), track=job.media_track
                )
        return [
            Caution(code="reference", segment=None, message=f"the voice of {speaker!r}: {doubt}")
            for speaker in job.cast
            if (recording := self._recording_of(speaker))
            for doubt in doubts_of(recording.voice)
        ]

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
                "cast": {speaker: self._with_digest(speaker) for speaker in job.cast},
                "script": None,
            }
        )
        return keyed.model_copy(update={"id": job.id or f"job-{keyed.digest()[:16]}"})

    def upload(self) -> None:
        """Store the files, and what the engines are, unless they are there."""
        announce(self._storage, specs_in(self.job, self._specs))
        for recording in (*self._recordings.values(), *self._cut.values()):
            store_voice(self._storage, recording.voice, recording.audio)
        for source in (self.job.media, self.job.background.track):
            if source and not source.startswith("s3://"):
                key = self._key(source)
                if not self._storage.exists(key):
                    self._storage.upload(key, Path(source))

    def _try_copies(self, path: Path, film: MediaInfo) -> None:
        """Raise BadInput unless the film's pictures can be copied into what is asked."""
        job = self.job
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
        """Return what a film or sound is, when it can be told here; raises BadInput."""
        if source.startswith("s3://"):
            storage, key = self._storage.resolve(source)
            if not storage.exists(key):
                raise BadInput("there is no such object", where=source)
            return None
        return probe(Path(source), track=track)

    def _key(self, source: str) -> str:
        """Return where ``source`` is read from: an upload's key, or the URL itself."""
        return source if source.startswith("s3://") else Keys.media(digest_file(Path(source)))

    def _with_digest(self, speaker: str) -> Role:
        """Return the cast's entry for ``speaker``, a digest in place of a recording."""
        role, recording = self.job.cast[speaker], self._recording_of(speaker)
        if recording is None:
            return role
        return role.model_copy(update={"reference": recording.voice.digest})

    def _recording_of(self, speaker: str) -> Recording | None:
        """Return what makes a speaker's voice, unless it is the engine's own or stored already."""
        return self._cut.get(speaker) or self._recordings.get(
            self.job.cast[speaker].reference or ""
        )

    def _voice_of(self, speaker: str, source: str) -> Voice:
        """Return the voice that a cast's reference is, read at most once."""
        if speaker in self._named:
            return load(self._storage, source)
        if source not in self._recordings:
            self._check_size(source)
            with self._fetched(source) as path:
                self._recordings[source] = record([path], names=[_basename(source)])
        return self._recordings[source].voice

    def _check_size(self, source: str) -> None:
        """Raise BadInput for a recording on S3 that is too large to be fetched."""
        if source.startswith("s3://"):
            storage, key = self._storage.resolve(source)
            reference.check_size(storage.size(key) or 0, source)

    @contextmanager
    def _fetched(self, source: str) -> Iterator[Path]:
        """Provide a file, during the block, of what lies at a path or URL."""
        if not source.startswith("s3://"):
            yield Path(source)
            return
        with tempfile.TemporaryDirectory(prefix="dubbing-") as folder:
            path = Path(folder) / _basename(source)
            storage, key = self._storage.resolve(source)
            storage.download(key, path)
            yield path

    def _cloning(self, speaker: str) -> list[EngineSpec]:
        """Return the engines that may speak as ``speaker``, of those that clone."""
        known = (self._specs[name] for name in self.job.engines_of(speaker) if name in self._specs)
        return [spec for spec in known if spec.clones]

    def _wanted(self) -> dict[str, tuple[float, float]]:
        """Return the speakers whose voice comes from the film, and the seconds that it takes."""
        wanted = {}
        for speaker in self.job.speakers:
            if self.job.role(speaker).reference == SOURCE:
                bounds = [
                    spec.reference_seconds or (0.0, ENOUGH) for spec in self._cloning(speaker)
                ]
                least = max([LEAST, *(shortest for shortest, _ in bounds)])
                wanted[speaker] = least, min([ENOUGH, *(longest for _, longest in bounds)])
        return wanted


def _basename(source: str) -> str:
    return source.rstrip("/").rsplit("/", 1)[-1] or "recording"

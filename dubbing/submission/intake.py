"""The intake of one job: its files are inspected first, and stored by digest later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path

from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput
from dubbing.job import Container, Job, Manner, Request, Role
from dubbing.job.caution import Caution
from dubbing.media.pictures import Pictures
from dubbing.media.probe import MediaInfo
from dubbing.script.manifest import SOURCE, Manifest
from dubbing.storage.target import check_target
from dubbing.submission.sources import Sources
from dubbing.text.sounds import voiced
from dubbing.voices.from_film import ENOUGH, LEAST, cut_voices
from dubbing.voices.names import asks_stored, is_digest, with_stored_voices
from dubbing.voices.reference import Recording, doubts_of
from dubbing.voices.voice import Voice

Specs = Mapping[str, EngineSpec]


EARLY = 0.1
"""Most seconds by which a film's sound may begin before its picture without a caution."""


class Intake:
    """One job and its files, before and while they are stored."""

    def __init__(self, sources: Sources, manifest: Manifest, specs: Specs) -> None:
        self._sources = sources
        self._specs = specs
        self._voice = partial(sources.voice, manifest.tenant)
        """Returns the tenant's stored voice of a name or digest, or None."""
        self.manifest = with_stored_voices(manifest, specs, self._voice)
        """The submitted manifest, in which digests replace the names of stored voices."""
        self._named = {
            speaker: self._voice(role.voice or "")
            for speaker, role in manifest.cast.items()
            if self.manifest.cast[speaker].reference != role.reference
        }
        """Voices that are stored already, by speaker."""
        self._cut: dict[str, Recording] = {}
        """Recordings cut from the film, by speaker."""

    @property
    def stored_voices(self) -> list[str]:
        """Names of the tenant's voices if the job names one that is missing; empty otherwise."""
        manifest = self.manifest
        named = (emotion.voice for _, emotion in manifest.emotions if emotion.voice)
        lacks = any(asks_stored(manifest, speaker, self._specs) for speaker in manifest.cast)
        lacks = lacks or not all(map(is_digest, named))
        lacks = lacks or any(one.voice and not is_digest(one.voice) for one in manifest.segments)
        return self._sources.voice_names(manifest.tenant) if lacks else []

    def inspect(self) -> float | None:
        """Return the film's length in seconds; None without a film, or for one on ``s3://``.

        Raises BadInput for a file that is missing, unreadable or unfit, and for an ``output.to``
        that is not granted. For media on ``s3://``, only the existence is checked; the worker that
        reads the file inspects it.
        """
        if target := self.manifest.output.to:
            check_target(self._sources.storage, target)
        self._check_references()
        manifest = self.manifest
        track = manifest.background.track and self._sources.info(manifest.background.track)
        if track and not track.channels:
            raise BadInput("there is no sound in it", where=manifest.background.track)
        film = self._sources.info(manifest.media, manifest.media_track) if manifest.media else None
        file = manifest.media and self._sources.file(manifest.media)
        if film and file:
            self._try_copies(file, film)
        return film.seconds if film else None

    def look(self) -> list[Caution]:
        """Return the cautions about the film."""
        manifest = self.manifest
        film = self._sources.info(manifest.media, manifest.media_track) if manifest.media else None
        if film is None or film.early <= EARLY:
            return []
        message = (
            f"the film's sound begins {film.early:.2f} s before its picture: times count from the "
            "picture, so shift a script whose times count from the sound"
        )
        return [Caution(code="early_sound", segment=None, message=message)]

    def listen(self) -> list[Caution]:
        """Cut the voices that the cast takes from the film; return cautions about all voices.

        Raises BadInput when a speaker speaks too little. This decodes the whole film, so it comes
        after all other checks.
        """
        manifest = self.manifest
        if manifest.media and (wanted := self._wanted()):
            segments, key = voiced(manifest).segments, self._sources.key(manifest.media)
            with self._sources.fetched(manifest.media) as film:
                self._cut = cut_voices(film, segments, wanted, key, track=manifest.media_track)
        return [
            Caution(code="reference", segment=None, message=f"the voice of {speaker!r}: {doubt}")
            for speaker in manifest.cast
            if (recording := self._recording_of(speaker))
            for doubt in doubts_of(recording.voice)
        ]

    def named(self, cautions: Iterable[Caution]) -> list[Caution]:
        """Return the cautions; those without a file get the file of the job."""
        file = self.manifest.source
        return [one.model_copy(update={"file": one.file or file}) for one in cautions]

    @cached_property
    def stored(self) -> Job:
        """The job to store, with an id, and with keys in place of files; nothing is stored yet."""
        manifest, track = self.manifest, self.manifest.background.track
        asked = {name: getattr(manifest, name) for name in Request.model_fields}
        asked |= {
            "media": manifest.media and self._sources.key(manifest.media),
            "background": manifest.background.model_copy(
                update={"track": track and self._sources.key(track)}
            ),
            "cast": {speaker: self._stored_role(speaker) for speaker in manifest.cast},
        }
        digest = Job(id="unnamed", **asked).digest()
        return Job(id=manifest.id or f"job-{digest[:16]}", **asked)

    def upload(self) -> None:
        """Store the job's files and new voices, unless they are stored already."""
        for speaker in self.manifest.cast:
            if recording := self._recording_of(speaker):
                self._sources.store(recording)
        for source in filter(None, (self.manifest.media, self.manifest.background.track)):
            self._sources.upload(source)

    def _check_references(self) -> None:
        """Raise BadInput for a voice that cannot be cloned: too short, or without transcript."""
        manifest = self.manifest
        for speaker, role in manifest.cast.items():
            voice = self._voice_of(speaker)
            heard = (voice.seconds, voice.transcript) if voice else (None, "")
            for spec in self._cloning(speaker) if role.cloned else ():
                if fault := spec.reference_fault(*heard):
                    raise BadInput(f"{fault}, for {speaker!r}", where=role.reference)
        shown = [(who, emotion.voice) for who, emotion in manifest.emotions if emotion.voice]
        for speaker, name in dict.fromkeys(shown):
            if voice := self._voice(name):
                told = [spec for spec in self._cloning(speaker) if "voice" in spec.emotions]
                for spec in told:
                    if fault := spec.reference_fault(voice.seconds, voice.transcript):
                        raise BadInput(f"{fault}, for the emotion of {speaker!r}")

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

    def _stored_role(self, speaker: str) -> Role:
        """Return the role of ``speaker`` to store: with a voice's digest in place of a file."""
        role, recording = self.manifest.cast[speaker], self._recording_of(speaker)
        manner = {name: getattr(role, name) for name in Manner.model_fields}
        # A speaker without a line has no voice in the film.
        stored = role.reference if role.reference != SOURCE else None
        return Role(**manner, clone=recording.voice.digest if recording else stored)

    def _recording_of(self, speaker: str) -> Recording | None:
        """Return the recording of a speaker's new voice; None for a stock or a stored voice."""
        reference = self.manifest.cast[speaker].reference
        if not reference or reference == SOURCE or speaker in self._named:
            return self._cut.get(speaker)
        return self._sources.recording(reference)

    def _voice_of(self, speaker: str) -> Voice | None:
        """Return the voice that a speaker's role clones, stored or new."""
        recording = self._recording_of(speaker)
        return recording.voice if recording else self._named.get(speaker)

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

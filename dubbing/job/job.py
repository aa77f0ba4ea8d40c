"""The job: one programme to be dubbed into one language, and its states.

A stored `Job` names media by storage keys and voices by digests. The manifest that people submit,
`dubbing.script.Manifest`, names files. `Request` is the base of both.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from dubbing.documents import Document, Identifier, Model
from dubbing.job.background import Background
from dubbing.job.emotion import Emotion
from dubbing.job.fit import Fit
from dubbing.job.output import FILMS, Container, Output
from dubbing.job.pronunciations import Pronunciations
from dubbing.job.role import MOST_FALLBACKS, Manner, Role
from dubbing.job.segment import Segment

DEFAULT_TENANT = "default"
"""The default tenant."""
LONGEST_PROGRAMME = 24 * 3600.0
"""Seconds that a programme may last. Each second of it takes up to 1.2 MB of an assembly's disk."""
MOST_NOTES = 16
Note = Annotated[str, StringConstraints(max_length=500)]
Metadata = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1, max_length=64)], Note],
    Field(max_length=MOST_NOTES),
]
Track = Annotated[
    str, Field(coerce_numbers_to_str=True), StringConstraints(min_length=1, max_length=35)
]
"""A sound track's number, or the BCP 47 tag of its language."""
STORED_MEDIA = re.compile(r"media/[A-Za-z0-9][A-Za-z0-9._-]{0,99}|s3://[^/]+/.+")
"""The media of a stored job: the key of an upload, or an ``s3://`` URL."""
DIGEST = re.compile(r"[0-9a-f]{64}")
"""The digest of a stored voice."""
SECOND = 2
"""The format of a job with a voice or a speed of a segment's own, with files for a studio, or whose
film is separated: a release that reads the first format alone would speak the line as the speaker's
role says, leave out the files, and take the job for a damaged one."""
UNCAST = Role()
"""The role of a speaker whom the cast does not name."""


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    SYNTHESIZING = "synthesizing"
    ASSEMBLING = "assembling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNREADABLE = "unreadable"
    """In lists only: the job is damaged, or a newer release wrote it."""
    UNKNOWN = "unknown"
    """In lists only, while Redis is away: the job has not ended."""

    @property
    def ended(self) -> bool:
        """Whether the round is over. A retry opens another round."""
        return self in {JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED}


class Request(Model):
    """The request for one programme: the fields that manifests and stored jobs share."""

    language: Annotated[str, StringConstraints(min_length=2, max_length=35)]
    """BCP 47 tag of the language to dub into, such as ``de`` or ``pt-BR``."""
    segments: tuple[Segment, ...] = ()
    media: str | None = None
    """The film, or a sound file."""
    media_track: Track | None = None
    """The sound track of the media that is its original sound: its number, counted from 1, or its
    language, such as ``de``. Default: the track that the file marks as default, or the first."""
    cast: Mapping[str, Manner] = Field(default_factory=dict)
    """The role of each speaker."""
    pronunciations: Pronunciations = Field(default_factory=dict)
    """Replacements of words that an engine would say wrongly; subtitles show the written word.
    An entry in the written case wins over one that differs in case. A manifest may name a JSON
    file instead."""
    engine: Identifier | None = None
    """Engine of every role that names none."""
    fallback: Annotated[tuple[Identifier, ...], Field(max_length=MOST_FALLBACKS)] = ()
    """Engines that speak, in turn, the lines at which the engine before failed."""
    speak_sounds: bool = False
    """Whether descriptions of sounds are spoken: ``(sighs)``, ``[door slams]``."""
    speak_lyrics: bool = False
    """Whether lyrics are spoken: ``♪ Row the boat ♪``, ``# Row the boat #``."""
    allow_missing: float = Field(default=0.0, ge=0, le=1)
    """Share of the lines that may stay unspoken: they keep the original sound, and the report names
    them. If more lines are missing, the job fails."""
    fit: Fit = Fit()
    background: Background = Background()
    output: Output = Output()
    seed: int = Field(default=0, ge=0, lt=2**31)
    tenant: Identifier = DEFAULT_TENANT
    """The tenant of the job; tenants take turns on a queue."""
    collection: Identifier | None = None
    """The collection that the job belongs to."""
    metadata: Metadata = Field(default_factory=dict)
    """Notes of the caller, such as an order number; they come back with the job."""

    @property
    def speakers(self) -> list[str]:
        """The speakers, in the order of their first segments."""
        return list(dict.fromkeys(segment.speaker for segment in self.segments))

    @property
    def emotions(self) -> Iterator[tuple[str, Emotion]]:
        """The emotions of roles and segments, each with its speaker."""
        for speaker, role in self.cast.items():
            if role.emotion:
                yield speaker, role.emotion
        for segment in self.segments:
            if segment.emotion:
                yield segment.speaker, segment.emotion

    @property
    def cut_from_film(self) -> list[str]:
        """Speakers whose voice is cut from the film; none in a stored job."""
        return []

    @property
    def films(self) -> list[Container]:
        """The requested formats that need a film."""
        return [container for container in self.output.formats if container in FILMS]

    def role(self, speaker: str) -> Manner:
        """Return the role of ``speaker`` in the cast, or a default role."""
        raise NotImplementedError

    def engine_of(self, speaker: str) -> str:
        """Return the engine of ``speaker``; ``""`` when neither the role nor the job names one."""
        return self.role(speaker).engine or self.engine or ""

    def base_of(self, speaker: str, engine: str) -> str | None:
        """Return the base that the role names for ``engine``; a fallback uses its own base."""
        return self.role(speaker).base if engine == self.engine_of(speaker) else None

    def engines_of(self, speaker: str) -> list[str]:
        """Return the engine of ``speaker``, followed by its fallbacks in turn."""
        fallback = self.role(speaker).fallback
        others = self.fallback if fallback is None else fallback
        return list(dict.fromkeys([self.engine_of(speaker), *others]))


class Job(Request, Document):
    """One programme to be dubbed into one language, stored as ``jobs/<job>/job.json``."""

    id: Identifier
    media: str | None = None
    """Storage key or ``s3://`` URL of the film, or of a sound."""
    cast: dict[str, Role] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _media_is_stored(self) -> Job:
        for source in filter(None, (self.media, self.background.track)):
            if not STORED_MEDIA.fullmatch(source):
                raise ValueError(f"{source!r} is neither the key of stored media nor an s3:// URL")
        return self

    def as_stored(self) -> bytes:
        """Return its document, marked with the lowest format of a release that reads it rightly."""
        own = any(segment.voice or segment.speed for segment in self.segments)
        newer = own or self.output.studio or self.background.mode == "separate"
        return self.model_copy(update={"format": SECOND if newer else 1}).model_dump_json().encode()

    def digest(self) -> str:
        """Return a hex digest of the request, without its id, collection, notes and file name.

        So a renamed script, or one submitted under two names, is the same request, unless its files
        are delivered under that name. Fields with default values are left out, so a new field does
        not change the digests of old requests.
        """
        output = self.output if self.output.to else self.output.model_copy(update={"name": None})
        nameless = self.model_copy(update={"collection": None, "metadata": {}, "output": output})
        asked = nameless.model_dump(mode="json", exclude={"id", "format"}, exclude_defaults=True)
        canonical = json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def length(self) -> float:
        """When its last segment ends, in seconds; the time of its assembly goes by that."""
        return max((segment.end for segment in self.segments), default=1.0)

    @property
    def voice_digests(self) -> set[str]:
        """The digests of the stored voices that it names."""
        clones = {role.clone for role in self.cast.values() if role.clone}
        own = {one.voice for one in self.segments if one.voice and DIGEST.fullmatch(one.voice)}
        return clones | own | {emotion.voice for _, emotion in self.emotions if emotion.voice}

    def role(self, speaker: str) -> Role:
        """Return the role of ``speaker`` in the cast, or a default role."""
        return self.cast.get(speaker, UNCAST)

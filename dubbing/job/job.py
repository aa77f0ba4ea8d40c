"""The job: one programme to be dubbed into one language, and the states it goes through.

A `Job` is what is stored: it names media by storage keys and voices by digests. What people hand
in is a `dubbing.script.Manifest`, which names files. The two share a `Request`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    model_validator,
)

from dubbing.documents import Identifier, Model
from dubbing.job.role import Manner, Role


def _file_name(name: str) -> str:
    """Return what the names of a job's files begin with; raises ValueError when it cannot be."""
    if plain_name(name) != name:
        raise ValueError(
            f"{name!r} cannot begin a file's name: leave out slashes, control characters and a "
            f"leading dot or blank, and use up to {LONGEST_NAME} bytes"
        )
    return name


LONGEST_NAME = 200
"""Bytes in UTF-8; file systems allow 255, and endings are appended."""
FileName = Annotated[str, AfterValidator(_file_name)]

Container = Literal["flac", "wav", "mp4", "mkv", "mp3", "ogg", "m4a"]
"""What an output file is."""
FILMS = frozenset({"mp4", "mkv"})
"""Outputs that hold the film's pictures too, and so need a film."""


def _listed_words(words: dict[str, str]) -> dict[str, str]:
    """Return a pronunciation dictionary; raises ValueError for one that cannot be meant."""
    if len(words) > MOST_PRONUNCIATIONS:
        raise ValueError(f"{len(words)} words are more than {MOST_PRONUNCIATIONS}: take some out")
    for word, said in words.items():
        if not any(c.isprintable() and not c.isspace() for c in word):
            raise ValueError(f"{said!r} is said for {word!r}, which is blank: name a word")
        if len(word) > LONGEST_WORD:
            raise ValueError(f"{word[:40]!r}… has more than {LONGEST_WORD} characters: shorten it")
        if not any(map(str.isalnum, said)):
            raise ValueError(f"{said!r}, for {word!r}, holds nothing to speak: write words")
        if len(said) > LONGEST_PRONUNCIATION:
            raise ValueError(
                f"what is said for {word!r} has more than {LONGEST_PRONUNCIATION} characters: "
                "shorten it"
            )
    return words


MOST_PRONUNCIATIONS = 5000
LONGEST_WORD = 100
LONGEST_PRONUNCIATION = 200
"""Characters."""
Pronunciations = Annotated[dict[str, str], AfterValidator(_listed_words)]
"""What is said for whole words: ``{"NASA": "Nassa"}``."""


Track = Annotated[
    str, Field(coerce_numbers_to_str=True), StringConstraints(min_length=1, max_length=35)
]
"""A sound track's number, or the BCP 47 tag of its language."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    SYNTHESIZING = "synthesizing"
    ASSEMBLING = "assembling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the round is over. A retry opens another round."""
        return self in {JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED}


class Segment(Model):
    """One line: who says what, from when to when."""

    id: Identifier
    """Unique in the job; by default the cue's number."""
    start: float = Field(ge=0)
    """Seconds from the film's first frame."""
    end: float = Field(gt=0)
    """Seconds from the film's first frame; after ``start``."""
    speaker: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "speaker"
    text: str
    """As it is written, and as subtitles show it: with line breaks, bidi marks and joiners."""

    @model_validator(mode="after")
    def _ends_after_start(self) -> Segment:
        if self.end <= self.start:
            raise ValueError(f"segment {self.id} ends at {self.end} s, not after {self.start} s")
        return self


class Fit(Model):
    """How far a line may be sped up to fit its time."""

    max_rate: float = Field(default=1.25, ge=1.0, le=2.0)
    """Upper bound of the engine's own speed and the time-stretch together."""
    max_change: float = Field(default=0.15, gt=0, le=1.0)
    """How much the rate may change from the speaker's line before, as a share."""


class Background(Model):
    """What is heard under the speech."""

    mode: Literal["none", "duck", "track"] = "duck"
    """``duck``: the film's own sound, lowered while somebody speaks; ``track``: ``track`` as is."""
    track: str | None = None
    """A music-and-effects file, for ``mode: track``."""
    depth: float = Field(default=12.0, ge=0, le=60)
    """Decibels by which the film's sound is lowered."""
    attack: float = Field(default=0.15, gt=0, le=5)
    """Seconds it takes to go down, ending where the line starts."""
    release: float = Field(default=0.4, gt=0, le=10)
    """Seconds it takes to come up, starting where the line ends."""

    @model_validator(mode="after")
    def _track_given(self) -> Background:
        if (self.mode == "track") != (self.track is not None):
            raise ValueError("background mode 'track' and a track go together")
        return self


class Output(Model):
    """What the job delivers."""

    formats: tuple[Container, ...] = ()
    """Files to write; left out: ``mp4`` for a film, else ``flac``."""
    loudness: Literal["ebu-r128", "streaming", "netflix"] = "ebu-r128"
    subtitles: bool = True
    """Whether a film carries the dubbed subtitles as a track."""
    original_sound: bool = False
    """Whether a film carries the original sound as a second track."""
    name: FileName | None = None
    """What the names of the files begin with once they are fetched: with ``e01.de``, the film is
    ``e01.de.dub.mp4``. Left out, that of the script or manifest without its suffix; with an empty
    one, ``dub.mp4``."""


class Request(Model):
    """What is asked of one programme, in a manifest as in a stored job."""

    language: Annotated[str, StringConstraints(min_length=2, max_length=35)]
    """BCP 47 tag of the language that is spoken, such as ``de`` or ``pt-BR``."""
    segments: tuple[Segment, ...] = ()
    media: str | None = None
    """The film, or a sound file."""
    media_track: Track | None = None
    """Which sound track of the media is its original sound: its number, counted from 1, or its
    language, such as ``de``. Left out, the one that the file marks as its default, or the first."""
    cast: Mapping[str, Manner] = Field(default_factory=dict)
    """The role of each speaker."""
    pronunciations: Pronunciations = Field(default_factory=dict)
    """What is said for words that would be said otherwise; subtitles show what is written. A word
    as it is listed goes before one that differs in case. In a manifest it may be a JSON file."""
    engine: Identifier | None = None
    """The engine of every role that names none."""
    fallback: tuple[Identifier, ...] = ()
    """Engines that speak in turn what the one before could not."""
    speak_sounds: bool = False
    """Whether sounds that the script describes are spoken: ``(sighs)``, ``[door slams]``."""
    speak_lyrics: bool = False
    """Whether lyrics are spoken: ``♪ Row the boat ♪``, ``# Row the boat #``."""
    allow_missing: float = Field(default=0.0, ge=0, le=1)
    """Share of the lines that may stay unspoken: the original sound is kept under them, and the
    report says so. With more of them missing the job fails."""
    fit: Fit = Fit()
    background: Background = Background()
    output: Output = Output()
    seed: int = Field(default=0, ge=0, lt=2**31)
    tenant: Identifier = "default"
    """Whose job this is; tenants take turns on a queue."""
    collection: Identifier | None = None
    """The collection of jobs that this one belongs to."""

    @property
    def speakers(self) -> list[str]:
        """Who speaks, in the order in which they first do in the script."""
        return list(dict.fromkeys(segment.speaker for segment in self.segments))

    @property
    def cut_from_film(self) -> list[str]:
        """Speakers whose voice is to be cut from the film; none in a stored job."""
        return []

    @property
    def films(self) -> list[Container]:
        """The formats asked that need a film."""
        return [container for container in self.output.formats if container in FILMS]

    def role(self, speaker: str) -> Manner:
        """Return the cast's entry for ``speaker``, or a plain one."""
        raise NotImplementedError

    def engine_of(self, speaker: str) -> str:
        """Return the engine that speaks ``speaker``; ``""`` when neither role nor job names one."""
        return self.role(speaker).engine or self.engine or ""

    def base_of(self, speaker: str, engine: str) -> str | None:
        """Return the base asked for under ``engine``; one that stands in chooses its own."""
        return self.role(speaker).base if engine == self.engine_of(speaker) else None

    def engines_of(self, speaker: str) -> list[str]:
        """Return the engine that speaks ``speaker``, and those that stand in for it, in turn."""
        fallback = self.role(speaker).fallback
        others = self.fallback if fallback is None else fallback
        return list(dict.fromkeys([self.engine_of(speaker), *others]))


def plain_name(name: str) -> str:
    """Return ``name`` as files can be named after it; empty when nothing is left."""
    kept = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name)
    return kept.lstrip(". ").encode()[:LONGEST_NAME].decode(errors="ignore")


class Job(Request):
    """One programme to be dubbed into one language, as it is stored: ``jobs/<job>/job.json``."""

    id: Identifier
    media: str | None = None
    """Storage key or ``s3://`` URL of the film, or of a sound."""
    cast: dict[str, Role] = Field(default_factory=dict)

    def digest(self) -> str:
        """Return a hex digest of what is asked, whatever the id, the collection and the file name.

        A script that is renamed, or handed in under two names, is the same request. Fields at their
        defaults are left out, so that a new field leaves the digests of old requests the same.
        """
        output = self.output.model_copy(update={"name": None})
        nameless = self.model_copy(update={"collection": None, "output": output})
        asked = nameless.model_dump(mode="json", exclude={"id"}, exclude_defaults=True)
        canonical = json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def role(self, speaker: str) -> Role:
        """Return the cast's entry for ``speaker``, or a plain one."""
        return self.cast.get(speaker, Role())

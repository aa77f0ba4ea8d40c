"""The manifest: one programme as submitted.

Its script, media, track and references are paths or ``s3://`` URLs; paths in a JSON file are
relative to that file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import langcodes
from pydantic import Field, PrivateAttr

from dubbing.documents import Identifier
from dubbing.job import Caution, Manner, Request, Segment
from dubbing.job.output import plain_name
from dubbing.job.schema import described_schema
from dubbing.text.characters import as_shown, normalise

SOURCE = "source"
"""The reference of a role whose voice is cut from the film. Write ``./source`` for a file of this
name."""


class ManifestRole(Manner):
    """The role of one speaker in a manifest."""

    reference: str | None = None
    """A recording to clone, in place of a stock or stored voice: a path or ``s3://`` URL, or
    ``source`` for the speaker's own words in the film."""

    @property
    def cloned(self) -> bool:
        """Whether the voice is cloned from a recording."""
        return self.reference is not None

    def cloning(self, digest: str | None) -> Self:
        """Return the role with the stored voice of this digest, or with no cloned voice."""
        return self.model_copy(update={"reference": digest})


UNCAST = ManifestRole()
"""The role of a speaker whom the cast does not name."""


class Manifest(Request):
    """One programme to be dubbed into one language, as people submit it."""

    id: Identifier | None = None
    """The job's id. Default: a digest of the request."""
    script: str | None = None
    """An SRT, VTT, ASS, SSA or JSON file, in place of ``segments``."""
    media: str | None = None
    """The film, or a sound file: a path or an ``s3://`` URL."""
    cast: dict[str, ManifestRole] = Field(default_factory=dict)

    _source: str = PrivateAttr(default="")
    _cautions: tuple[Caution, ...] = PrivateAttr(default=())

    @property
    def source(self) -> str:
        """The path of the file that the manifest was read from, as given; ``""`` for no file."""
        return self._source

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """Cautions from reading the script."""
        return self._cautions

    def with_cautions(self, cautions: Sequence[Caution]) -> Manifest:
        """Return the manifest with the cautions of reading its script."""
        manifest = self.model_copy()
        manifest._cautions = tuple(cautions)
        return manifest

    def read_from(self, path: Path) -> Manifest:
        """Return the manifest as read from ``path``; outputs without a name are named after it."""
        name = plain_name(path.stem) if self.output.name is None else self.output.name
        output = self.output.model_copy(update={"name": name})
        manifest = self.model_copy(update={"output": output})
        manifest._source = str(path)
        return manifest

    @property
    def cut_from_film(self) -> list[str]:
        """Speakers whose voice is cut from the film."""
        return [name for name, role in self.cast.items() if role.reference == SOURCE]

    def role(self, speaker: str) -> ManifestRole:
        """Return the role of ``speaker`` in the cast, or a default role."""
        return self.cast.get(speaker, UNCAST)


def normalised(manifest: Manifest) -> Manifest:
    """Return ``manifest`` with normalised texts, speakers, pronunciations and language tag."""
    segments = tuple(map(_normalised, manifest.segments))
    cast = {normalise(speaker): role for speaker, role in manifest.cast.items()}
    words = {normalise(word): normalise(said) for word, said in manifest.pronunciations.items()}
    language = manifest.language
    if langcodes.tag_is_valid(language):
        language = langcodes.standardize_tag(language)
    return manifest.model_copy(
        update={
            "segments": segments,
            "cast": cast,
            "pronunciations": words,
            "language": language,
        }
    )


def _normalised(segment: Segment) -> Segment:
    """Return a segment with normalised text and speaker: the same one if they are so already."""
    text, speaker = as_shown(segment.text), normalise(segment.speaker)
    if (text, speaker) == (segment.text, segment.speaker):
        return segment
    return segment.model_copy(update={"text": text, "speaker": speaker})


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a manifest."""
    return described_schema(Manifest)

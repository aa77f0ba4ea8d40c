"""Outputs: formats, the names of their files, and the place that they are written to."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dubbing.documents import Model

Container = Literal["flac", "wav", "mp4", "mkv", "mp3", "ogg", "m4a"]
"""The format of an output file."""
FILMS = frozenset({"mp4", "mkv"})
"""Formats that hold the film's pictures too, and so need a film."""
StudioFile = Literal["stems", "edit", "dapt"]
"""The files for a studio."""
LONGEST_NAME = 200
"""Bytes in UTF-8; file systems allow 255, and endings are appended."""
PLACE = re.compile(r"s3://[A-Za-z0-9][A-Za-z0-9_.-]*(/(?!\.{1,2}(/|$))[^/\\\x00-\x1f\x7f]+)*/?")
LONGEST_PLACE = 700
"""Bytes in UTF-8; S3 allows 1024 in a key, and the file's name is appended."""


def saved_as(begins: str, name: str) -> str:
    """Return the name by which an output is saved. begins: the job's; ``""`` for none."""
    return f"{begins}.{name}" if begins else name


def plain_name(name: str) -> str:
    """Return ``name`` made fit to begin a file's name; empty when nothing is left."""
    kept = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name)
    return kept.lstrip(". ").encode()[:LONGEST_NAME].decode(errors="ignore")


def _file_name(name: str) -> str:
    """Return ``name`` if file names can begin with it; raises ValueError otherwise."""
    if plain_name(name) != name:
        raise ValueError(
            f"{name!r} cannot begin a file's name: leave out slashes, control characters and a "
            f"leading dot or blank, and use up to {LONGEST_NAME} bytes"
        )
    return name


def _place(url: str) -> str:
    """Return a place on S3 without a slash at its end; raises ValueError for any other text."""
    if not PLACE.fullmatch(url) or len(url.encode()) > LONGEST_PLACE:
        raise ValueError(
            f"write it as s3://bucket/prefix, without keys, .., // or a control character, in up "
            f"to {LONGEST_PLACE} bytes"
        )
    return url.removesuffix("/")


FileName = Annotated[str, AfterValidator(_file_name)]
Place = Annotated[str, AfterValidator(_place)]
"""``s3://bucket`` or ``s3://bucket/prefix``."""


class Output(Model):
    """The deliveries of a job."""

    formats: Annotated[tuple[Container, ...], Field(max_length=20)] = ()
    """Formats to write. Default: ``mp4`` for a film, ``flac`` otherwise."""
    loudness: Literal["ebu-r128", "streaming", "netflix"] = "ebu-r128"
    subtitles: bool = True
    """Whether a film carries the dubbed subtitles as a track."""
    original_sound: bool = False
    """Whether a film carries the sound that the dub replaces as a second track."""
    studio: Annotated[tuple[StudioFile, ...], Field(max_length=3)] = ()
    """Extra files for a studio. ``stems``: Broadcast Wave of each speaker and of the background;
    ``edit``: OpenTimelineIO with each line as a clip of its stem, and the stems; ``dapt``: a DAPT
    transcript of what is heard."""
    name: FileName | None = None
    """Beginning of the names of fetched files: with ``e01.de``, the film is ``e01.de.dub.mp4``;
    with an empty name, ``dub.mp4``. Default: the name of the script or manifest without its
    suffix."""
    to: Place | None = None
    """A place to which the files and the report are also written, before the job counts as
    completed: ``s3://bucket/prefix``, at or below a place that ``DUBBING_GRANTED_TARGETS``
    grants. They have the names of fetched files, and replace files of the same names."""

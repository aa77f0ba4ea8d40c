"""Cautions: a job is accepted, but a part of it may not come out as intended."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from dubbing.documents import Model
from dubbing.visible import readable

Code = Literal[
    "too_dense",
    "script",
    "overlap",
    "crosstalk",
    "beyond_film",
    "early_sound",
    "role",
    "reference",
    "silent",
    "sound",
    "lyrics",
    "no_film",
    "no_script",
    "same_film",
    "comment",
    "duplicate",
    "label",
    "language",
    "markup",
    "number",
    "rolled_up",
    "speakers",
    "unreadable",
    "eviction",
]


class Caution(Model):
    """A part of a job that may not come out as intended."""

    code: Code
    segment: str | None
    """The segment's id; None for a caution about the whole job."""
    message: Annotated[str, AfterValidator(readable)]
    file: str = ""
    """The script, manifest or film concerned; empty for a job that was not read from a file."""

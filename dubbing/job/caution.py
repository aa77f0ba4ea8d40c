"""What will be dubbed and may not come out as meant."""

from __future__ import annotations

from typing import Literal

from dubbing.job.job import Model

Code = Literal[
    "too_dense",
    "script",
    "overlap",
    "crosstalk",
    "beyond_film",
    "role",
    "reference",
    "silent",
    "sound",
    "lyrics",
]


class Caution(Model):
    """Something that may not come out as meant."""

    code: Code
    segment: str | None
    """The line's id; None when it is about the whole job."""
    message: str

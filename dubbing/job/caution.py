"""What will be dubbed and may not come out as meant."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Code = Literal[
    "too_dense",
    "script",
    "overlap",
    "crosstalk",
    "beyond_film",
    "description",
    "role",
    "reference",
    "comment",
    "duplicate",
    "label",
    "language",
    "markup",
    "number",
    "rolled_up",
    "speakers",
    "unreadable",
]


class Caution(BaseModel, frozen=True):
    """Something that may not come out as meant."""

    code: Code
    segment: str | None
    """The line's id; None when it is about the whole job."""
    message: str

"""Scripts that tests write and have read, as `dubbing.script.manifest.load` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dubbing.errors import BadInput
from dubbing.script.loader import load
from dubbing.script.manifest import Manifest

EVENTS = (
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def read(folder: Path, name: str, content: str, **options: Any) -> Manifest:
    """Return the job that a script of this content becomes, in English."""
    path = folder / name
    path.write_bytes(content.encode())
    return load(path, {"language": "en"}, **options)


def refused(folder: Path, name: str, content: str, **options: Any) -> str:
    """Return the words in which a script is refused; the file is named in them."""
    with pytest.raises(BadInput) as caught:
        read(folder, name, content, **options)
    assert str(folder / name) in str(caught.value)
    return str(caught.value)


def texts(job: Manifest) -> list[str]:
    """Return what is said."""
    return [segment.text for segment in job.segments]


def said(job: Manifest) -> list[tuple[str, str]]:
    """Return who says what."""
    return [(segment.speaker, segment.text) for segment in job.segments]


def codes(job: Manifest) -> list[tuple[str, str | None]]:
    """Return the cautions of reading, each with its segment."""
    return [(caution.code, caution.segment) for caution in job.cautions]


def srt(*cues: str) -> str:
    """Return an SRT file whose cues follow each other, two seconds each."""
    return "".join(
        f"{n}\n00:00:{2 * n:02},000 --> 00:00:{2 * n + 1:02},000\n{text}\n\n"
        for n, text in enumerate(cues, 1)
    )

"""Scripts that tests write and read with `dubbing.script.loader.load`."""

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
    """Return the manifest of a script with this content, in English."""
    path = folder / name
    path.write_bytes(content.encode())
    return load(path, {"language": "en"}, **options)


def refused(folder: Path, name: str, content: str, **options: Any) -> str:
    """Return the message with which a script is refused; it has to name the file."""
    with pytest.raises(BadInput) as caught:
        read(folder, name, content, **options)
    assert str(folder / name) in str(caught.value)
    return str(caught.value)


def texts(job: Manifest) -> list[str]:
    """Return the text of each segment."""
    return [segment.text for segment in job.segments]


def said(job: Manifest) -> list[tuple[str, str]]:
    """Return the speaker and text of each segment."""
    return [(segment.speaker, segment.text) for segment in job.segments]


def codes(job: Manifest) -> list[tuple[str, str | None]]:
    """Return the code and segment of each caution."""
    return [(caution.code, caution.segment) for caution in job.cautions]


def srt(*cues: str) -> str:
    """Return an SRT file with a cue of one second every two seconds."""
    return "".join(
        f"{n}\n00:00:{2 * n:02},000 --> 00:00:{2 * n + 1:02},000\n{text}\n\n"
        for n, text in enumerate(cues, 1)
    )

"""Turns a text into a manifest of lines, for callers that wait for its speech."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dubbing.documents import validated
from dubbing.errors import BadInput
from dubbing.job import LONGEST_PROGRAMME
from dubbing.script.manifest import Manifest
from dubbing.text.sentences import split
from dubbing.text.sounds import is_silent


def in_lines(
    text: str, *, language: str, engine: str, limit: int, role: Mapping[str, Any], tenant: str
) -> Manifest:
    """Return a manifest with the text as lines, to be checked and cast like a job.

    A text that is too long for one line is split at sentences.
    limit: most characters of a line of the engine. role: the fields of a `ManifestRole`.
    Raises BadInput for a text without words, and for fields out of bounds.
    """
    # Lines get longer when numbers are written in words, so they are split at half the limit.
    texts = split(text, language, max(1, limit // 2)) if len(text) > limit else [text]
    # Long slots, so that no line is spoken faster to fit its time.
    slot = LONGEST_PROGRAMME / len(texts)
    segments = [
        {"id": f"say-{n}", "start": n * slot, "end": (n + 1) * slot, "text": part}
        for n, part in enumerate(texts)
    ]
    fields = {
        "language": language,
        "engine": engine,
        "segments": segments,
        "cast": {"speaker": role},
        "tenant": tenant,
        # The caller of a single text wants to hear all of it.
        "speak_sounds": True,
        "speak_lyrics": True,
    }
    manifest = validated(Manifest, fields, "request")
    if all(is_silent(manifest, segment) for segment in manifest.segments):
        raise BadInput(f"{text[:40]!r} holds nothing to speak: write words")
    return manifest

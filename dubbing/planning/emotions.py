"""Emotions: which of them an engine supports."""

from __future__ import annotations

from collections.abc import Mapping

from dubbing.engines.engine import EngineSpec
from dubbing.job.emotion import Emotion, Means

DESCRIBED: Mapping[Means, str] = {
    "feelings": "an emotion by feelings",
    "text": "an emotion by a text",
    "text_strength": "the strength of an emotion by a text",
    "voice": "an emotion by a voice",
}


def emotion_fault(emotion: Emotion | None, spec: EngineSpec) -> str | None:
    """Return why an engine does not support an emotion, or None."""
    if emotion is None or emotion.means in spec.emotions:
        return None
    words = DESCRIBED[emotion.means] if spec.emotions else "an emotion"
    return f"engine {spec.name!r} does not support {words}: remove it, or name another engine"


def honoured(emotion: Emotion | None, spec: EngineSpec) -> Emotion | None:
    """Return an emotion, or None if the engine does not support it."""
    return None if emotion_fault(emotion, spec) else emotion

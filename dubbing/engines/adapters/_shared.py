"""Helpers of all engines: refusing lines, and speaking the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from dubbing.engines.engine import EngineSpec, VoiceForm
from dubbing.errors import DubbingError, EngineFailed, SpeechRejected
from dubbing.media.samples import SILENCE_DBFS, Audio, peak

ALONE = "default"
"""Name of the voice of a model with one speaker."""

Model = TypeVar("Model")
Row = TypeVar("Row")
Answer = TypeVar("Answer")


def loaded(spec: EngineSpec, model: Model | None) -> Model:
    """Return ``model``; raises EngineFailed when it is not loaded."""
    if model is None:
        raise EngineFailed(f"{spec.name} is not loaded")
    return model


def no_such_voice(spec: EngineSpec, voice: str | VoiceForm) -> SpeechRejected:
    """Return the refusal of a voice that an engine does not have."""
    if not isinstance(voice, str):
        return cannot_clone(spec)
    known = ", ".join(spec.voices) or "none, so it needs a reference"
    return SpeechRejected(f"{spec.name} has no voice {voice!r}; its voices are: {known}")


def cannot_clone(spec: EngineSpec) -> SpeechRejected:
    """Return the refusal of a reference by an engine that cannot clone."""
    return SpeechRejected(f"{spec.name} cannot clone a voice: give the role one of its voices")


def does_not_speak(spec: EngineSpec, language: str) -> SpeechRejected:
    """Return the refusal of a language that an engine does not speak."""
    return SpeechRejected(f"{spec.name} does not speak {language!r}")


def needs_reader(who: str, language: str, extra: str, missing: ImportError) -> SpeechRejected:
    """Return the refusal of a language by an engine without the library that reads its script."""
    return SpeechRejected(
        f"{who} needs a library to read {language!r}: pip install 'dubbing[{extra}]' ({missing})"
    )


def check_heard(reference: Audio) -> None:
    """Raise SpeechRejected for a reference without sound."""
    if not reference.samples.size or peak(reference.samples) < 10 ** (SILENCE_DBFS / 20):
        raise SpeechRejected("the reference is silent: give clear speech of one voice")


def answered(
    asked: Sequence[Row | DubbingError], answer: Callable[[list[Row]], Iterable[Answer]]
) -> list[Answer | DubbingError]:
    """Run ``answer`` on the accepted rows; return results and refusals in input order.

    answer: called once with all accepted rows, and not at all when there are none.
    """
    rows = [row for row in asked if not isinstance(row, DubbingError)]
    answers = iter(answer(rows) if rows else ())
    return [row if isinstance(row, DubbingError) else next(answers) for row in asked]


def names_in(listed: Any) -> tuple[str, ...]:
    """Return the names that a server lists: as texts, or as objects with an ``id`` or ``name``."""
    named = [
        one.get("id") or one.get("name") if isinstance(one, dict) else one
        for one in (listed if isinstance(listed, list) else [])
    ]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name))

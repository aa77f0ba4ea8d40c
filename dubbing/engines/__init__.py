"""The interface between the pipeline and its speech engines.

An engine outside this repository imports all it needs from here and from `dubbing.errors`. The
catalogue finds it by its entry point in the group ``dubbing.engines``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dubbing.engines.engine import (
    Converter,
    Engine,
    EngineSpec,
    Line,
    Spoken,
    VoiceForm,
    Voicing,
    described,
)
from dubbing.engines.models.folders import Weights, digest_files, read_config, require_files, within
from dubbing.job.emotion import Emotion

if TYPE_CHECKING:
    from dubbing.media.samples import Audio

__all__ = [
    "Audio",
    "Converter",
    "Emotion",
    "Engine",
    "EngineSpec",
    "Line",
    "Spoken",
    "VoiceForm",
    "Voicing",
    "Weights",
    "described",
    "digest_files",
    "read_config",
    "require_files",
    "within",
]


def __getattr__(name: str) -> Any:
    """Import `Audio` on first use: code that plans jobs handles no sound."""
    if name == "Audio":
        from dubbing.media.samples import Audio  # noqa: PLC0415

        return Audio
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

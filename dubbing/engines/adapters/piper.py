"""Piper: VITS voices as ONNX files, faster than real time on one core.

A model's folder contains one published voice: ``<voice>.onnx``, which may have several speakers,
and ``<voice>.onnx.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dubbing.documents import validated
from dubbing.engines.adapters._onnx.graph import graphs, session
from dubbing.engines.adapters._piper import Part, VoiceConfig, as_words
from dubbing.engines.adapters._shared import cannot_clone, loaded, no_such_voice
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm, described, require
from dubbing.engines.models.folders import Weights, digest_files, read_config, require_files
from dubbing.errors import BadInput, DubbingError, SpeechRejected
from dubbing.media.samples import Audio, Samples

WEIGHTS = Weights(
    files=("*.onnx", "*.onnx.json"), home="https://huggingface.co/rhasspy/piper-voices"
)
PAUSE = 0.2
"""Seconds between two sentences of a line, at natural speed."""


class _Sound(Part):
    sample_rate: int = Field(gt=0)


class _Config(VoiceConfig):
    """The part of ``<voice>.onnx.json`` that is read."""

    audio: _Sound
    phoneme_type: Literal["espeak", "text"] = "espeak"
    """Other types need further libraries, or models that would be downloaded."""
    phoneme_id_map: dict[str, list[int]]


class Piper:
    """Piper, on a CPU, by the voice's own phonemes; each speaker is a stock voice.

    It supports speed, but not pitch. The ONNX graph draws its own noise and takes no seed, so no
    two takes of a line are identical. Lines are spoken one by one, because a graph takes one speed
    per batch and does not return the end of each row.
    """

    weights: ClassVar[Weights | None] = WEIGHTS
    extra: ClassVar[str] = "piper"
    libraries: ClassVar[tuple[str, ...]] = ("piper", "onnxruntime")
    spec = EngineSpec(
        name="piper",
        summary="Piper: VITS voices as ONNX files, fast on a CPU",
        languages=("*",),
        max_characters={"*": 1000},
        characters_per_second={"zh": 4.5, "ja": 7.5, "ko": 8.0, "*": 15.0},
        speed=(0.5, 2.0),
        sample_rate=22050,
        batch_lines=32,
        # Nothing is padded; this limits the time of a batch.
        batch_seconds=600.0,
        seconds_per_call=300.0,
        licence="GPL-3.0-or-later; each voice's own is in its MODEL_CARD",
    )
    model: str

    def __init__(self, name: str = "piper", folder: Path = Path()) -> None:
        self._folder = folder
        self._speakers: dict[str, int] = {}
        self._voice: Any = None
        spec = Piper.spec
        for path in (path for path in map(_config_of, graphs(folder)) if path.exists()):
            config = validated(_Config, read_config(folder, path.name), path)
            self._speakers = config.speakers
            spec = spec.model_copy(
                update={
                    "languages": config.languages,
                    "voices": tuple(config.speakers),
                    "sample_rate": config.audio.sample_rate,
                }
            )
        self.spec = described(spec, name, folder)

    def load(self, device: str) -> None:
        """Load the voice; raises EngineMissing, EngineFailed, and BadInput for its folder."""
        require(self)
        require_files(WEIGHTS, self._folder, self.spec.name)
        (graph,) = graphs(self._folder)
        self._voice = _open(graph)
        self.model = digest_files([graph, _config_of(graph)])

    def unload(self) -> None:
        """Free the voice."""
        self._voice = None

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: Piper has only its own voices."""
        raise cannot_clone(self.spec)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, one after the other."""
        loaded(self.spec, self._voice)
        return [self._speak(line) for line in lines]

    def _speak(self, line: Line) -> Spoken:
        try:
            asked = self._asked(line)
        except DubbingError as exc:
            return exc
        known = self._voice.config.phoneme_id_map
        sentences = [
            chunk.audio_float_array
            for chunk in self._voice.synthesize(as_words(line.text), asked)
            if any(phoneme.isalpha() and phoneme in known for phoneme in chunk.phonemes)
        ]
        if not sentences:
            return SpeechRejected(
                f"the voice of {self.spec.name} has no sound for {line.text[:40]!r}"
            )
        rate = self.spec.sample_rate
        return Audio(samples=_joined(sentences, round(PAUSE / line.speed * rate)), rate=rate)

    def _asked(self, line: Line) -> Any:
        """Return Piper's `SynthesisConfig` for a line."""
        from piper import SynthesisConfig

        if not isinstance(line.voice, str) or line.voice not in self._speakers:
            raise no_such_voice(self.spec, line.voice)
        return SynthesisConfig(
            speaker_id=self._speakers[line.voice],
            length_scale=self._voice.config.length_scale / line.speed,
            # Piper would normalise each sentence to the same peak, so that whispers become shouts.
            normalize_audio=False,
        )


def _config_of(graph: Path) -> Path:
    return graph.with_name(f"{graph.name}.json")


def _open(graph: Path) -> Any:
    """Return Piper's own voice object."""
    from piper import PiperVoice
    from piper.config import PiperConfig

    raw = read_config(graph.parent, _config_of(graph).name)
    try:
        config = PiperConfig.from_dict(raw)
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise BadInput(f"Piper cannot read it: {exc!r}", where=str(_config_of(graph))) from exc
    # Not with PiperVoice.load, whose session uses every core.
    voice = PiperVoice(session=session(graph, "cpu"), config=config, download_dir=graph.parent)
    try:
        voice.phonemize("a")
    except RuntimeError as exc:
        raise BadInput(f"Piper has no such phonemes: {exc}", where=str(_config_of(graph))) from exc
    return voice


def _joined(sentences: Sequence[Samples], pause: int) -> Samples:
    silence = np.zeros(pause, np.float32)
    parts = [part for sentence in sentences for part in (silence, sentence)]
    return np.concatenate(parts[1:])

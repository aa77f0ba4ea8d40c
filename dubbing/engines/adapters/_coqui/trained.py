"""The base of the coqui-tts engines whose voices and languages come from their training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from dubbing.engines.adapters._coqui.config import (
    CONFIG,
    COQUI,
    FILES,
    argument,
    checkpoint,
    languages,
    own_language,
    read_model_config,
    speaker_names,
)
from dubbing.engines.adapters._coqui.text import tokens
from dubbing.engines.adapters._shared import ALONE, answered, cannot_clone, loaded, no_such_voice
from dubbing.engines.adapters._torch import release, torch_errors
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm, described, require
from dubbing.engines.models.folders import Weights, digest_files, require_files
from dubbing.errors import EngineMissing, SpeechRejected
from dubbing.media.samples import Audio

Vector = npt.NDArray[np.float32]

WEIGHTS = Weights(files=(CONFIG, "*.pth"), home="https://github.com/coqui-ai/TTS/releases")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line as input of a model."""

    tokens: list[int]
    speaker: int | Vector | None
    """The speaker's number or vector; None in a model of one speaker."""
    language: int
    """The language's number; ignored by a model without an embedding of languages."""
    speed: float
    seed: int
    longest: float
    """Seconds above which the speech counts as faulty."""


class Trained(ABC):
    """An engine whose model was trained with certain speakers and languages."""

    weights: ClassVar[Weights | None] = WEIGHTS
    extra: ClassVar[str] = "coqui"
    libraries: ClassVar[tuple[str, ...]] = COQUI
    spec: EngineSpec
    model: str

    def __init__(self, name: str, folder: Path) -> None:
        self._folder = folder
        self._config: dict[str, Any] = {}
        self._languages: dict[str, str] = {}
        self._model: Any = None
        self._voices: dict[str, int | Vector | None] = {}
        spec = type(self).spec
        if (folder / CONFIG).exists():
            self._config = read_model_config(folder)
            self._languages = languages(self._config, folder)
            spec = spec.model_copy(update=self._told(self._config))
        self.spec = described(spec, name, folder)

    def _told(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of the spec that a configuration sets."""
        return {
            "languages": tuple(self._languages),
            "voices": speaker_names(config) or (ALONE,),
            "sample_rate": (config.get("audio") or {}).get("sample_rate", self.spec.sample_rate),
        }

    def load(self, device: str) -> None:
        """Load the model; raises EngineMissing, EngineFailed, or BadInput."""
        require(self)
        if self.weights:
            require_files(self.weights, self._folder, self.spec.name)
        self._check()
        self._model = self._opened(device)
        self._voices = self._trained_voices()
        self.model = digest_files(self._files())

    @abstractmethod
    def _opened(self, device: str) -> Any:
        """Return coqui-tts's own model object, loaded."""

    @abstractmethod
    def _said(self, rows: Sequence[Row]) -> Sequence[Spoken]:
        """Return the result of each row, in one pass."""

    def _check(self) -> None:
        """Raise EngineMissing unless a model of several speakers has their names."""
        several = argument(self._config, "use_speaker_embedding")
        if several and not speaker_names(self._config):
            raise EngineMissing(
                f"engine {self.spec.name!r} speaks in several voices, and lacks their names in "
                f"{self._folder}: copy speaker_ids.json or speakers.pth there"
            )

    def _files(self) -> list[Path]:
        """Return the files that decide how the model speaks."""
        named = {argument(self._config, setting) for setting in FILES} - {None}
        return [self._folder / CONFIG, checkpoint(self._folder), *map(Path, sorted(named))]

    def _trained_voices(self) -> dict[str, int | Vector | None]:
        """Return the number or vector of each trained voice, by name."""
        manager = self._model.speaker_manager
        if manager is None or not manager.name_to_id:
            return dict.fromkeys(self.spec.voices)
        if not self._model.args.use_d_vector_file:
            return {name.strip(): number for name, number in manager.name_to_id.items()}
        means = {name: manager.get_mean_embedding(name) for name in manager.name_to_id}
        return {name.strip(): np.asarray(mean, np.float32) for name, mean in means.items()}

    def unload(self) -> None:
        """Free the model, on a card too."""
        self._model = None
        release()

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: the model has only the voices of its training."""
        raise cannot_clone(self.spec)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines`` in one pass."""
        loaded(self.spec, self._model)
        with torch_errors(self.spec.name):
            return answered([self._row(line) for line in lines], self._said)

    def _row(self, line: Line) -> Row | SpeechRejected:
        try:
            language = own_language(self.spec, self._languages, line.language)
            return Row(
                tokens=tokens(self._model.tokenizer, line.text, language),
                speaker=self._speaker(line.voice),
                language=self._model.language_manager.name_to_id.get(language, 0),
                speed=line.speed,
                seed=line.seed,
                longest=self.spec.longest(line.text, line.language, line.speed),
            )
        except SpeechRejected as exc:
            return exc

    def _speaker(self, voice: str | VoiceForm) -> int | Vector | None:
        """Return the number or vector of a voice."""
        if isinstance(voice, str) and voice in self._voices:
            return self._voices[voice]
        raise no_such_voice(self.spec, voice)

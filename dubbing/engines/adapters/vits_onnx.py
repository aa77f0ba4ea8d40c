"""VITS as coqui-tts exports it to ONNX, run by onnxruntime without PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from dubbing.engines.adapters._coqui.config import (
    CONFIG,
    argument,
    languages,
    own_language,
    read_mapping,
    read_model_config,
    speaker_names,
)
from dubbing.engines.adapters._coqui.symbols import read_reading, read_symbols
from dubbing.engines.adapters._espeak import Reading
from dubbing.engines.adapters._onnx.graph import ONNX, Graph, graphs
from dubbing.engines.adapters._onnx.symbols import Symbols
from dubbing.engines.adapters._shared import ALONE, cannot_clone, loaded, no_such_voice
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm, described, require
from dubbing.engines.models.folders import Weights, digest_files, require_files
from dubbing.errors import BadInput, SpeechRejected
from dubbing.media.samples import Audio

WEIGHTS = Weights(
    # No graphs are published: the page explains how to export them.
    files=(CONFIG, "*.onnx"),
    home="https://coqui-tts.readthedocs.io/en/latest/models/vits.html",
)
NOISE, SLOWNESS, RHYTHM_NOISE = 0.667, 1.0, 1.0
"""coqui-tts's defaults of settings that the configuration may omit."""


class VitsOnnx:
    """VITS by coqui-tts, on a CPU: an exported graph, beside the model's ``config.json``.

    No such graphs are published; coqui-tts exports one from a checkpoint::

        model = Vits.init_from_config(config)
        model.load_checkpoint(config, "model.pth", eval=True)
        model.export_onnx("model.onnx")

    Lines are spoken one after the other, because the graph takes one speed per batch and does not
    return the ends of lines. The graph draws its own noise and takes no seed, so a line sounds
    slightly different each time, unless the model's ``inference_noise_scale`` and
    ``inference_noise_scale_dp`` are 0.
    """

    weights: ClassVar[Weights | None] = WEIGHTS
    extra: ClassVar[str] = "onnx"
    libraries: ClassVar[tuple[str, ...]] = ONNX
    spec = EngineSpec(
        name="vits-onnx",
        summary="VITS by coqui-tts, exported to ONNX: light, on a CPU, without PyTorch",
        languages=("*",),
        voices=(ALONE,),
        max_characters={"*": 500},
        characters_per_second={"*": 15.0},
        speed=(0.5, 2.0),
        sample_rate=22050,
        batch_lines=16,
        batch_seconds=600.0,
        seconds_per_call=300.0,
        licence="the model's own, as its authors state it",
    )
    model: str

    def __init__(self, name: str = "vits-onnx", folder: Path = Path()) -> None:
        self._folder = folder
        self._config: dict[str, Any] = {}
        self._languages: dict[str, str] = {}
        self._graph: Graph | None = None
        self._symbols = Symbols(numbers={})
        self._readings: dict[str, Reading] = {}
        self._numbers: tuple[dict[str, int], dict[str, int]] = ({}, {})
        spec = type(self).spec
        if (folder / CONFIG).exists():
            self._config = read_model_config(folder)
            self._languages = languages(self._config, folder)
            spec = spec.model_copy(update=self._told())
        self.spec = described(spec, name, folder)

    def _told(self) -> dict[str, Any]:
        """Return the fields of the spec that the configuration sets."""
        if argument(self._config, "use_d_vector_file"):
            raise BadInput(
                "use_d_vector_file: coqui-tts exports no input for vectors of speakers, so this "
                "model cannot speak as ONNX: use its *.pth with 'yourtts'",
                where=str(self._folder / CONFIG),
            )
        audio = self._config.get("audio") or {}
        return {
            "languages": tuple(self._languages),
            "voices": speaker_names(self._config) or (ALONE,),
            "sample_rate": audio.get("sample_rate", self.spec.sample_rate),
        }

    def load(self, device: str) -> None:
        """Load the graph; raises EngineMissing, EngineFailed, or BadInput."""
        require(self)
        require_files(WEIGHTS, self._folder, self.spec.name)
        self._symbols = read_symbols(self._config, self._folder)
        self._readings = {
            language: read_reading(self._config, self._folder, self.spec.name, language)
            for language in self._languages.values()
        }
        self._numbers = self._speaker_numbers(), self._language_numbers()
        (only,) = graphs(self._folder)
        graph = Graph(self._folder, only.name, device)
        inputs = ["input", "input_lengths", "scales", *({"sid", "langid"} & graph.inputs.keys())]
        graph.check({name: name for name in inputs}, {"output": "output"}, self._folder / CONFIG)
        self._graph = graph
        self.model = digest_files([*graph.files, self._folder / CONFIG])

    def unload(self) -> None:
        """Free the graph."""
        self._graph = None

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: the model has only the voices of its training."""
        raise cannot_clone(self.spec)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, one after the other."""
        graph = loaded(self.spec, self._graph)
        return [self._speak(graph, line) for line in lines]

    def _speak(self, graph: Graph, line: Line) -> Spoken:
        try:
            speaker = self._speaker(line.voice)
            language = own_language(self.spec, self._languages, line.language)
            numbers = self._symbols.of(self._readings[language](line.text))
        except SpeechRejected as exc:
            return exc
        inputs: dict[str, Any] = {
            "input": [numbers],
            "input_lengths": [len(numbers)],
            "scales": self._scales(line.speed),
            "sid": [speaker],
            "langid": [self._numbers[1].get(language, 0)],
        }
        taken = {name: value for name, value in inputs.items() if name in graph.inputs}
        (wave,) = graph.run(taken, ["output"])
        samples = np.clip(wave.reshape(-1), -1, 1).astype(np.float32)
        return Audio(samples=samples, rate=self.spec.sample_rate)

    def _scales(self, speed: float) -> list[float]:
        def setting(name: str, default: float) -> float:
            value = argument(self._config, name)
            return default if value is None else float(value)

        return [
            setting("inference_noise_scale", NOISE),
            setting("length_scale", SLOWNESS) / speed,
            setting("inference_noise_scale_dp", RHYTHM_NOISE),
        ]

    def _speaker(self, voice: str | VoiceForm) -> int:
        """Return the number of a voice."""
        numbers, _ = self._numbers
        if isinstance(voice, str) and voice in numbers:
            return numbers[voice]
        raise no_such_voice(self.spec, voice)

    def _speaker_numbers(self) -> dict[str, int]:
        path = argument(self._config, "speaker_file") or argument(self._config, "speakers_file")
        listed = self._config.get("speakers") or not path
        if listed or not argument(self._config, "use_speaker_embedding"):
            names = speaker_names(self._config) or (ALONE,)
            return {name: number for number, name in enumerate(names)}
        return {name.strip(): number for name, number in read_mapping(Path(path)).items()}

    def _language_numbers(self) -> dict[str, int]:
        if path := argument(self._config, "language_ids_file"):
            return read_mapping(Path(path))
        return {name: number for number, name in enumerate(self._languages.values())}

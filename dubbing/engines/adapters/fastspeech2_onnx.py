"""FastSpeech2 and its vocoder as ONNX graphs, run by onnxruntime without PyTorch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from dubbing.documents import validated
from dubbing.engines.adapters._espeak import Reading, phonemes
from dubbing.engines.adapters._onnx.config import Config, Inputs, Outputs
from dubbing.engines.adapters._onnx.graph import ONNX, Graph
from dubbing.engines.adapters._onnx.symbols import Symbols
from dubbing.engines.adapters._shared import ALONE, answered, cannot_clone, loaded, no_such_voice
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm, described, require
from dubbing.engines.models.folders import Weights, digest_files, read_config, require_files
from dubbing.errors import SpeechRejected
from dubbing.media.samples import Audio

CONFIG = "config.json"
WEIGHTS = Weights(
    # No graphs are published: the page explains how to export them.
    files=(CONFIG, "*.onnx"),
    home="https://docs.pytorch.org/docs/stable/onnx.html",
)
NATURAL = (1.0, 1.0)
"""The speed range of a graph that has no input for speed."""


@dataclass(frozen=True)
class _Row:
    """A line as input of the acoustic graph."""

    tokens: list[int]
    speaker: int
    speed: float


Mel = npt.NDArray[np.float32]
"""A spectrogram, (mels, frames)."""


class FastSpeech2Onnx:
    """An acoustic graph and a vocoder, with a ``config.json`` that describes both.

    No such models are published: users export the graphs of a model, and describe them.

    ::

        {
          "languages": ["en"],
          "sample_rate": 22050,
          "speakers": {"ann": 0, "bob": 1},
          "symbols": {"numbers": {"a": 1, "b": 2, " ": 3}, "lower": true},
          "acoustic": {
            "file": "acoustic.onnx",
            "inputs": {"tokens": "x", "lengths": "x_lengths", "speaker": "sid", "speed": "speed"},
            "outputs": {"mel": "mel", "durations": "durations"}
          },
          "vocoder": {"file": "vocoder.onnx", "input": "mel", "output": "wave"}
        }

    With ``"phonemes": "en-us"`` in ``symbols``, the symbols are eSpeak's phonemes; with
    ``"frames_first": true``, a graph's spectrograms are (frames, mels). Lines are spoken together
    if the acoustic graph takes the lengths of lines and returns the lengths of spectrograms; a line
    then sounds as it would alone if that graph masks padding. The vocoder takes one spectrogram at
    a time.
    """

    weights: ClassVar[Weights | None] = WEIGHTS
    extra: ClassVar[str] = "onnx"
    libraries: ClassVar[tuple[str, ...]] = ONNX
    spec = EngineSpec(
        name="fastspeech2-onnx",
        summary="FastSpeech2 and a vocoder as ONNX: light, on a CPU, without PyTorch",
        languages=("*",),
        voices=(ALONE,),
        max_characters={"*": 500},
        characters_per_second={"*": 15.0},
        speed=(0.5, 2.0),
        sample_rate=22050,
        batch_lines=16,
        batch_seconds=160.0,
        seconds_per_call=300.0,
        licence="the model's own, as its authors state it",
    )
    model: str

    def __init__(self, name: str = "fastspeech2-onnx", folder: Path = Path()) -> None:
        self._folder = folder
        self._graphs: tuple[Graph, Graph] | None = None
        self._reading: Reading = str
        self._symbols = Symbols(numbers={})
        spec = type(self).spec
        if (folder / CONFIG).exists():
            self._config = validated(Config, read_config(folder, CONFIG), folder / CONFIG)
            inputs = self._config.acoustic.inputs
            told = {
                "languages": self._config.languages,
                "voices": tuple(self._config.speakers) or (ALONE,),
                "sample_rate": self._config.sample_rate,
                "speed": spec.speed if inputs.speed or inputs.length_scale else NATURAL,
            }
            spec = spec.model_copy(update=told)
        self.spec = described(spec, name, folder)

    def load(self, device: str) -> None:
        """Load both graphs; raises EngineMissing, EngineFailed, or BadInput."""
        require(self)
        require_files(WEIGHTS, self._folder, self.spec.name)
        where = self._folder / CONFIG
        acoustic_config, vocoder_config = self._config.acoustic, self._config.vocoder
        acoustic = Graph(self._folder, acoustic_config.file, device)
        acoustic.check(
            _named("acoustic.inputs", acoustic_config.inputs),
            _named("acoustic.outputs", acoustic_config.outputs),
            where,
        )
        vocoder = Graph(self._folder, vocoder_config.file, device)
        vocoder.check(
            {"vocoder.input": vocoder_config.input},
            {"vocoder.output": vocoder_config.output},
            where,
        )
        symbols = self._config.symbols
        reading = phonemes(self.spec.name, symbols.phonemes) if symbols.phonemes else str
        self._reading = (lambda text: reading(text.lower())) if symbols.lower else reading
        self._symbols = Symbols(
            numbers=symbols.numbers, blank=symbols.blank, start=symbols.start, end=symbols.end
        )
        self._graphs = acoustic, vocoder
        self.model = digest_files({*acoustic.files, *vocoder.files, where})

    def unload(self) -> None:
        """Free the graphs."""
        self._graphs = None

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: the model has only the voices of its training."""
        raise cannot_clone(self.spec)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, in batches if the acoustic graph supports them."""
        loaded(self.spec, self._graphs)
        return answered([self._row(line) for line in lines], self._said)

    def _said(self, rows: Sequence[_Row]) -> list[Audio]:
        """Return the sound of each row."""
        acoustic, vocoder = loaded(self.spec, self._graphs)
        sounds: dict[int, Audio] = {}
        for together in self._batches(acoustic, rows):
            mels = self._spectrograms(acoustic, [rows[n] for n in together])
            sounds |= {n: self._sound(vocoder, mel) for n, mel in zip(together, mels, strict=True)}
        return [sounds[n] for n in range(len(rows))]

    def _row(self, line: Line) -> _Row | SpeechRejected:
        try:
            return _Row(self._symbols.of(self._reading(line.text)), self._speaker(line), line.speed)
        except SpeechRejected as exc:
            return exc

    def _speaker(self, line: Line) -> int:
        if line.voice == ALONE and not self._config.speakers:
            return 0
        if isinstance(line.voice, str) and line.voice in self._config.speakers:
            return self._config.speakers[line.voice]
        raise no_such_voice(self.spec, line.voice)

    def _batches(self, acoustic: Graph, rows: Sequence[_Row]) -> list[list[int]]:
        """Return the row numbers of each call: one row, all rows, or the rows of one speed."""
        inputs, outputs = self._config.acoustic.inputs, self._config.acoustic.outputs
        tells = inputs.lengths and (outputs.mel_lengths or outputs.durations)
        if not tells or not acoustic.takes_rows(inputs.tokens):
            return [[n] for n in range(len(rows))]
        pace = inputs.speed or inputs.length_scale
        shared = pace is not None and not acoustic.takes_rows(pace)
        groups = defaultdict(list)
        for n, row in enumerate(rows):
            groups[row.speed if shared else None].append(n)
        return list(groups.values())

    def _spectrograms(self, acoustic: Graph, rows: Sequence[_Row]) -> list[Mel]:
        """Return the spectrogram of each row."""
        inputs, outputs = self._config.acoustic.inputs, self._config.acoustic.outputs
        lengths = [len(row.tokens) for row in rows]
        tokens = np.full((len(rows), max(lengths)), self._config.symbols.pad)
        for padded, row in zip(tokens, rows, strict=True):
            padded[: len(row.tokens)] = row.tokens
        given: dict[str | None, Any] = {
            inputs.tokens: tokens,
            inputs.lengths: lengths,
            inputs.speaker: [row.speaker for row in rows],
            inputs.speed: [row.speed for row in rows],
            inputs.length_scale: [1 / row.speed for row in rows],
        }
        taken = {name: acoustic.fitted(name, value) for name, value in given.items() if name}
        counted = outputs.mel_lengths or outputs.durations
        mels, *counts = acoustic.run(taken, [outputs.mel, *([counted] if counted else [])])
        mels = mels.reshape(len(rows), *mels.shape[-2:])
        mels = mels.transpose(0, 2, 1) if self._config.acoustic.frames_first else mels
        if not counts:
            return list(mels)
        frames = counts[0].reshape(len(rows), -1)
        # Durations of padding are ignored, because some graphs do not mask them.
        ends = [
            round(float(each[:length].sum())) for each, length in zip(frames, lengths, strict=True)
        ]
        return [mel[:, :end] for mel, end in zip(mels, ends, strict=True)]

    def _sound(self, vocoder: Graph, mel: Mel) -> Audio:
        names = self._config.vocoder
        given = vocoder.fitted(names.input, (mel.T if names.frames_first else mel)[None])
        (wave,) = vocoder.run({names.input: given}, [names.output])
        samples = np.clip(wave.reshape(-1), -1, 1).astype(np.float32)
        return Audio(samples=samples, rate=self._config.sample_rate)


def _named(place: str, names: Inputs | Outputs) -> dict[str, str]:
    """Return the names of a graph's inputs or outputs, by their field in the configuration."""
    return {f"{place}.{field}": name for field, name in names.model_dump().items() if name}

"""Kokoro: many voices of one small network, as an ONNX graph, on a CPU.

A model's folder contains one graph, of any precision, and each voice as ``<voice>.bin``. The first
letter of a voice's name is its language; the second is ``f`` for female or ``m`` for male.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from dubbing.engines.adapters._espeak import Reading
from dubbing.engines.adapters._kokoro.phonemes import VARIETIES, reading
from dubbing.engines.adapters._kokoro.symbols import LONGEST, SYMBOLS
from dubbing.engines.adapters._onnx.graph import Array, Graph, graphs
from dubbing.engines.adapters._shared import cannot_clone, does_not_speak, loaded, no_such_voice
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm, described, require
from dubbing.engines.models.folders import Weights, digest_files, require_files, within
from dubbing.errors import BadInput, SpeechRejected
from dubbing.media.samples import Audio

WEIGHTS = Weights(
    files=("*.onnx", "*.bin"),
    home="https://huggingface.co/hexgrad/Kokoro-82M",
    repository="onnx-community/Kokoro-82M-v1.0-ONNX",
    fetched=("onnx/model.onnx", "voices/*.bin"),
    revision="1939ad2a8e416c0acfeecc08a694d14ef25f2231",
    sha256={
        "onnx/model.onnx": "8fbea51ea711f2af382e88c833d9e288c6dc82ce5e98421ea61c058ce21a34cb",
    },
)
RATE = 24_000
STYLE = 256
"""Numbers of a style; a voice has a style for each length of a line in symbols."""
NAME = re.compile(rf"[{''.join(VARIETIES)}][fm]_\w+")
"""Names of the voices whose language is spoken here."""

# The authors' better voices come first, women and men in turn.
VOICES = (
    "af_heart", "am_michael", "af_bella", "am_fenrir", "af_kore", "am_puck", "af_sarah", "am_onyx",
    "af_aoede", "am_eric", "af_nova", "am_echo", "af_alloy", "am_liam", "af_sky", "am_adam",
    "af_jessica", "am_santa", "af_river", "af_nicole",
    "bf_emma", "bm_george", "bf_isabella", "bm_fable", "bf_alice", "bm_lewis", "bf_lily",
    "bm_daniel",
    "ef_dora", "em_alex", "em_santa", "ff_siwis", "hf_alpha", "hm_omega", "hf_beta", "hm_psi",
    "if_sara", "im_nicola",
    "jf_alpha", "jm_kumo", "jf_gongitsune", "jf_tebukuro", "jf_nezumi",
    "pf_dora", "pm_alex", "pm_santa",
    "zf_xiaobei", "zm_yunjian", "zf_xiaoni", "zm_yunxi", "zf_xiaoxiao", "zm_yunxia", "zf_xiaoyi",
    "zm_yunyang",
)  # fmt: skip


class Kokoro:
    """Kokoro-82M, by phonemes of eSpeak, and of other libraries for Japanese and Mandarin.

    It supports speed, but not pitch; a requested speed of 1.25 gives about 1.2. The graph draws its
    own noise and takes no seed. Lines are spoken one by one, because the graph takes a single line.
    """

    weights: ClassVar[Weights | None] = WEIGHTS
    extra: ClassVar[str] = "kokoro"
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime", "espeakng_loader")
    spec = EngineSpec(
        name="kokoro",
        summary="Kokoro-82M: natural voices of a small network, as ONNX, on a CPU",
        languages=("en", *(tag for tag in VARIETIES.values() if not tag.startswith("en"))),
        voices=VOICES,
        voice_languages={voice: VARIETIES[voice[0]] for voice in VOICES},
        max_characters={"hi": 300, "ja": 150, "zh": 100, "*": 400},
        characters_per_second={"hi": 13.0, "ja": 6.7, "zh": 5.4, "*": 18.5},
        speed=(0.5, 2.0),
        sample_rate=RATE,
        batch_lines=32,
        # Nothing is padded; this limits the time of a batch.
        batch_seconds=200.0,
        seconds_per_call=600.0,
        licence="Apache-2.0; its phonemes come from eSpeak NG, GPL-3.0-or-later",
    )
    model: str

    def __init__(self, name: str = "kokoro", folder: Path = Path()) -> None:
        self._folder = folder
        self._files = _voice_files(folder)
        self._graph: Graph | None = None
        self._tokens = ""
        self._styles: dict[str, Array] = {}
        self._readings: dict[str, Reading] = {}
        spec = Kokoro.spec
        if self._files:
            languages = {voice: VARIETIES[voice[0]] for voice in self._files}
            told = {"voices": tuple(self._files), "voice_languages": languages}
            spec = spec.model_copy(update=told)
        self.spec = described(spec, name, folder)

    def load(self, device: str) -> None:
        """Load the graph and the voices; raises EngineMissing, EngineFailed, or BadInput."""
        require(self)
        require_files(WEIGHTS, self._folder, self.spec.name)
        self._readings = {tag: reading(self.spec.name, tag) for tag in VARIETIES.values()}
        self._styles = {voice: _styles(path) for voice, path in self._files.items()}
        (only,) = graphs(self._folder)
        graph = Graph(self._folder, only.name, device)
        # The input is named "tokens" in older exports.
        self._tokens = "tokens" if "tokens" in graph.inputs else "input_ids"
        named = {"tokens": self._tokens, "style": "style", "speed": "speed"}
        graph.check(named, {}, graph.path)
        self._graph = graph
        self.model = digest_files([*graph.files, *self._files.values()])

    def unload(self) -> None:
        """Free the graph and the voices."""
        self._graph, self._styles = None, {}

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: Kokoro has only its own voices."""
        raise cannot_clone(self.spec)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, one after the other."""
        graph = loaded(self.spec, self._graph)
        return [self._speak(graph, line) for line in lines]

    def _speak(self, graph: Graph, line: Line) -> Spoken:
        try:
            styles, symbols = self._asked(line)
        except SpeechRejected as exc:
            return exc
        inputs = {
            self._tokens: [symbols],
            "style": styles[min(len(symbols) - 2, len(styles)) - 1][None],
            "speed": [line.speed],
        }
        (wave,) = graph.run(inputs, graph.outputs[:1])
        return Audio(samples=np.clip(wave.reshape(-1), -1, 1).astype(np.float32), rate=RATE)

    def _asked(self, line: Line) -> tuple[Array, list[int]]:
        """Return the styles of a line's voice, and its symbols; raises SpeechRejected."""
        if not isinstance(line.voice, str) or line.voice not in self._styles:
            raise no_such_voice(self.spec, line.voice)
        symbols = SYMBOLS.of(self._readings[self._variety(line)](line.text))
        if (count := len(symbols) - 2) > LONGEST:
            raise SpeechRejected(
                f"{self.spec.name} speaks {LONGEST} phonemes at once, and the line has {count}: "
                "split it"
            )
        return self._styles[line.voice], symbols

    def _variety(self, line: Line) -> str:
        """Return the variety of a line's language: the voice's variety, or else the first one."""
        language = line.language.partition("-")[0].lower()
        for tag in (VARIETIES[str(line.voice)[0]], *VARIETIES.values()):
            if tag.partition("-")[0] == language:
                return tag
        raise does_not_speak(self.spec, line.language)


def _voice_files(folder: Path) -> dict[str, Path]:
    """Return the file of each voice in a model's folder, in the order of `VOICES`."""
    found = {path.stem: path for path in sorted(folder.glob("*.bin"))}
    names = [*(voice for voice in VOICES if voice in found), *found]
    return {name: within(folder, f"{name}.bin") for name in names if NAME.fullmatch(name)}


def _styles(path: Path) -> Array:
    """Return the styles of a voice, ``(lengths, STYLE)``; raises BadInput for a damaged file."""
    numbers = np.fromfile(path, np.float32)
    if not numbers.size or numbers.size % STYLE or not np.isfinite(numbers).all():
        raise BadInput(
            f"it is no voice: it should hold rows of {STYLE} numbers of 32 bits", where=str(path)
        )
    return numbers.reshape(-1, STYLE)

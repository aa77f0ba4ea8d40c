"""XTTS-v2 by coqui-tts: speaks 17 languages in a voice cloned from some seconds of speech.

It samples one audio token after another, and sometimes no end token: that is an error, and another
seed usually helps. A line that is too long to speak at once is split between sentences and spoken
in parts, with a short pause between them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from dubbing.engines.adapters._coqui.config import CONFIG, COQUI, argument, bcp47, read_model_config
from dubbing.engines.adapters._shared import (
    check_heard,
    does_not_speak,
    loaded,
    needs_reader,
    no_such_voice,
)
from dubbing.engines.adapters._torch import release, torch_errors
from dubbing.engines.adapters._xtts import model as network
from dubbing.engines.adapters._xtts.language_model import Row, speak
from dubbing.engines.adapters._xtts.model import EMBEDDING, LATENTS, MODEL, STUDIO, VOCABULARY
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm, described, require
from dubbing.engines.models.folders import Weights, digest_files, require_files
from dubbing.errors import SpeechRejected
from dubbing.media.samples import Audio, Samples, trim
from dubbing.text.sentences import split

WEIGHTS = Weights(
    files=(MODEL, CONFIG, VOCABULARY),
    home="https://huggingface.co/coqui/XTTS-v2",
    repository="coqui/XTTS-v2",
    fetched=(MODEL, CONFIG, VOCABULARY, STUDIO),
    revision="6c2b0d75eae4b7047358e3b6bd9325f857d43f77",
    sha256={MODEL: "c7ea20001c6a0a841c77e252d8409f6a74fb423e79b3206a0771ba5989776187"},
)

# Most characters that it speaks at once, by its authors.
AT_ONCE = {
    "ar": 166, "cs": 186, "de": 253, "en": 250, "es": 239, "fr": 273, "hi": 150, "hu": 224,
    "it": 213, "ja": 71, "ko": 95, "nl": 251, "pl": 224, "pt": 203, "ru": 182, "tr": 226, "zh": 82,
}  # fmt: skip
PARTS = 4
"""Most parts of a line; so lines may be this many times longer than `AT_ONCE`."""
PAUSE = 0.25
"""Seconds between the parts of a line, at its natural speed."""

# Usual paces of human speech, because the model takes its pace from the voice.
CHARACTERS_PER_SECOND = {
    "ar": 12.0, "cs": 14.0, "de": 15.5, "en": 15.5, "es": 16.5, "fr": 16.5, "hi": 13.0, "hu": 14.0,
    "it": 16.0, "ja": 7.5, "ko": 7.0, "nl": 15.5, "pl": 14.5, "pt": 15.5, "ru": 14.5, "tr": 14.0,
    "zh": 4.8, "*": 14.0,
}  # fmt: skip

READERS = {"ja": "coqui-ja", "zh": "coqui-zh"}
"""Extras with the library that reads a language's script, by language."""


class XTTS:
    """Speaks in cloned voices, and in the studio voices if their file is in the folder."""

    weights: ClassVar[Weights | None] = WEIGHTS
    extra: ClassVar[str] = "coqui"
    libraries: ClassVar[tuple[str, ...]] = COQUI
    spec = EngineSpec(
        name="xtts",
        summary="XTTS-v2: 17 languages, in a voice that it has heard for some seconds",
        languages=tuple(AT_ONCE),
        clones=True,
        reference_seconds=(3.0, 300.0),
        max_characters={tag: PARTS * most for tag, most in AT_ONCE.items()}
        | {"*": PARTS * min(AT_ONCE.values())},
        characters_per_second=CHARACTERS_PER_SECOND,
        speed=(0.5, 2.0),
        sample_rate=24_000,
        batch_lines=32,
        # They take memory beyond the model's (`scripts/bench gpu`).
        batch_seconds=240.0,
        seconds_per_call=600.0,
        device="cuda",
        licence="CPML (non-commercial)",
    )
    model: str

    def __init__(self, name: str = "xtts", folder: Path = Path()) -> None:
        self._folder = folder
        self._model: Any = None
        self._studio: dict[str, VoiceForm] = {}
        spec = type(self).spec
        if (folder / CONFIG).exists():
            spec = spec.model_copy(update=self._told(read_model_config(folder)))
        self.spec = described(spec, name, folder)

    def _told(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of the spec that a model's folder sets."""
        languages = map(bcp47, config.get("languages") or AT_ONCE)
        return {
            "languages": tuple(tag for tag in languages if tag in AT_ONCE),
            "voices": network.studio_names(self._folder),
            "sample_rate": argument(config, "output_sample_rate") or self.spec.sample_rate,
        }

    def load(self, device: str) -> None:
        """Load the model; raises EngineMissing, EngineFailed, or BadInput."""
        require(self)
        require_files(WEIGHTS, self._folder, self.spec.name)
        self._model = network.load(self.spec.name, self._folder, device)
        self._studio = network.studio(self._model)
        files = [self._folder / name for name in WEIGHTS.fetched]
        self.model = digest_files(path for path in files if path.exists())

    def unload(self) -> None:
        """Free the model, on a card too."""
        self._model = None
        release()

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Return the form of a voice: latents for the language model, an embedding for the decoder.

        ``{"gpt_cond_latent": (1, positions, channels), "speaker_embedding": (1, channels, 1)}``,
        float32. Raises SpeechRejected for a reference that is silent, too short or too long.
        """
        if fault := self.spec.reference_fault(reference.seconds, transcript):
            raise SpeechRejected(fault)
        check_heard(reference)
        model = loaded(self.spec, self._model)
        with torch_errors(self.spec.name):
            return network.hear(model, reference)

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, which may differ in language, voice and speed."""
        loaded(self.spec, self._model)
        asked = [self._rows(line) for line in lines]
        rows = [row for parts in asked if isinstance(parts, list) for row in parts]
        with torch_errors(self.spec.name):
            sounds = iter(speak(self._model, rows, self.spec.batch_lines))
        return [
            self._joined(line, [next(sounds) for _ in parts]) if isinstance(parts, list) else parts
            for line, parts in zip(lines, asked, strict=True)
        ]

    def _rows(self, line: Line) -> list[Row] | SpeechRejected:
        """Return the parts of a line as input of the model, or the line's refusal."""
        import torch

        language = line.language.split("-")[0].lower()
        chance = torch.Generator().manual_seed(line.seed % 2**63)
        try:
            voice = self._form(line.voice)
            if not self.spec.covers(language):
                raise does_not_speak(self.spec, line.language)
            parts = split(line.text, language, AT_ONCE[language])
            return [
                Row(
                    tokens=self._tokens(part, language),
                    conditioning=voice[LATENTS][0].astype(np.float32),
                    speaker=voice[EMBEDDING][0, :, 0].astype(np.float32),
                    speed=line.speed,
                    chances=torch.rand(self._most(part, language), generator=chance),
                )
                for part in parts or [line.text]
            ]
        except SpeechRejected as exc:
            return exc

    def _form(self, voice: str | VoiceForm) -> VoiceForm:
        if not isinstance(voice, str):
            return voice
        if voice in self._studio:
            return self._studio[voice]
        raise no_such_voice(self.spec, voice)

    def _tokens(self, text: str, language: str) -> list[int]:
        """Return the numbers of a text's tokens, after the token of its language."""
        tokenizer = self._model.tokenizer
        try:
            tokens: list[int] = tokenizer.encode(text.strip().lower(), lang=language)
        except ImportError as exc:
            raise needs_reader(self.spec.name, language, READERS[language], exc) from exc
        silent = {tokenizer.tokenizer.token_to_id(name) for name in ("[UNK]", "[SPACE]")}
        if silent.issuperset(tokens[1:]):
            raise SpeechRejected(f"{self.spec.name} has no token for anything in {text!r}")
        if len(tokens) >= self._model.args.gpt_max_text_tokens:
            raise SpeechRejected(f"{text!r} is too long for {self.spec.name}: shorten it")
        return tokens

    def _most(self, text: str, language: str) -> int:
        """Return the most audio tokens of a text; a longer row counts as having no end."""
        args, limit = self._model.args, int(self._model.gpt.max_gen_mel_tokens)
        longest = self.spec.longest(text, language, 1.0)
        tokens: int = math.ceil(longest * args.input_sample_rate / args.gpt_code_stride_len)
        return min(limit, tokens)

    def _joined(self, line: Line, parts: Sequence[Samples | None]) -> Spoken:
        """Return the sound of a line, joined from its parts."""
        spoken = [part for part in parts if part is not None]
        if len(spoken) < len(parts):
            return SpeechRejected(
                f"{self.spec.name} found no end of {line.text!r}, which happens sometimes: another "
                "seed, or other words, may help"
            )
        rate = self.spec.sample_rate
        if len(spoken) == 1:
            return Audio(samples=spoken[0], rate=rate)
        pause = np.zeros(round(PAUSE / line.speed * rate), np.float32)
        pieces = [
            piece
            for part in spoken
            for piece in (pause, trim(Audio(samples=part, rate=rate)).samples)
        ]
        return Audio(samples=np.concatenate(pieces[1:]), rate=rate)

"""IndexTTS-2.5 in process, by the package indextts25-inference: it clones voices.

It speaks line by line. The package identifies a voice by the path of its recording, so while the
model is loaded, recordings are kept in a private temporary folder, named by their digests.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from dubbing.documents import listed
from dubbing.engines.adapters._emotions import vector_of
from dubbing.engines.adapters._shared import check_heard, does_not_speak, loaded, no_such_voice
from dubbing.engines.adapters._torch import loading, prepare, release, torch_errors
from dubbing.engines.adapters.indextts import NEWER_LANGUAGES, NEWER_SPEED, IndexTTS
from dubbing.engines.engine import EngineSpec, Line, Spoken, VoiceForm, described, require
from dubbing.engines.models.folders import Weights, digest_files, require_files, within
from dubbing.engines.remote.references import form_of, name_of, wav_of
from dubbing.errors import BadInput, EngineFailed, SpeechRejected
from dubbing.media.samples import Audio

CONFIG, GLOSSARY = "config.yaml", "glossary.yaml"
NAMED = {
    "gpt_checkpoint": "gpt.pth",
    "s2mel_checkpoint": "s2mel.pth",
    "w2v_stat": "wav2vec2bert_stats.pt",
    "emo_matrix": "feat2.pt",
    "spk_matrix": "feat1.pt",
}
"""The published names of the files in the configuration, by key."""
WEIGHTS = Weights(
    files=(
        CONFIG,
        *NAMED.values(),
        "codec.pth",
        "multilingual_zh_ja_yue_char_del.tiktoken",
        # The package would fetch these three from the hub.
        "hf_cache/w2v-bert-2.0/config.json",
        "hf_cache/w2v-bert-2.0/preprocessor_config.json",
        "hf_cache/w2v-bert-2.0/model.safetensors",
        "hf_cache/campplus_cn_common.bin",
        "hf_cache/bigvgan/config.json",
        "hf_cache/bigvgan/bigvgan_generator.pt",
    ),
    home="https://huggingface.co/IndexTeam/IndexTTS-2.5",
)

CODES_A_SECOND = 22_050 / 256 / (2 * 1.72)
"""Audio tokens of a second of speech at its natural speed."""
MOST_CODES = 1500
"""Most audio tokens of a part, as its authors set it."""
LOUDEST = 32_767
"""Full scale in the package's samples."""
NO_END = "WARN: generation stopped due to exceeding"
"""Beginning of the package's warning that speech was cut off."""


class IndexTTS25:
    """An engine that speaks in the voice of a reference; it has no stock voices."""

    weights: ClassVar[Weights | None] = WEIGHTS
    extra: ClassVar[str] = "indextts25"
    libraries: ClassVar[tuple[str, ...]] = ("indextts25", "torch")
    spec = EngineSpec(
        name="indextts25",
        summary="IndexTTS-2.5 on this machine: clones a voice, and can be told an emotion",
        languages=NEWER_LANGUAGES,
        clones=True,
        reference_seconds=(3.0, 60.0),
        max_characters={"zh": 200, "ja": 200, "*": 500},
        characters_per_second={"zh": 4.5, "ja": 7.5, "*": 15.0},
        speed=NEWER_SPEED,
        emotions=("feelings", "voice"),
        sample_rate=22_050,
        batch_lines=4,
        # Larger batches gain nothing, because lines are spoken one by one.
        batch_seconds=60.0,
        seconds_per_call=600.0,
        device="cuda",
        licence="bilibili model licence (its outputs may not train other models)",
    )
    model: str

    def __init__(self, name: str = "indextts25", folder: Path = Path()) -> None:
        self._folder = folder
        self._model: Any = None
        self._recordings: TemporaryDirectory[str] | None = None
        self.spec = described(type(self).spec, name, folder)

    def load(self, device: str) -> None:
        """Load the model; raises EngineMissing, EngineFailed, or BadInput."""
        require(self)
        require_files(WEIGHTS, self._folder, self.spec.name)
        paths = [self._folder / name for name in WEIGHTS.files]
        if (glossary := within(self._folder, GLOSSARY)).exists():
            paths.append(glossary)
        with loading(self.spec.name, self._folder):
            prepare()
            from indextts25.infer_v2_5 import IndexTTS2

            _check_config(self._folder / CONFIG)
            with warnings.catch_warnings():
                # The package does not close its vocabulary file.
                warnings.simplefilter("ignore", ResourceWarning)
                files = str(self._folder / CONFIG), str(self._folder)
                self._model = IndexTTS2(*files, device=device)
        self._recordings = TemporaryDirectory(prefix="dubbing-voices-")
        self.model = digest_files(paths)

    def unload(self) -> None:
        """Free the model, on a card too, and remove the recordings."""
        self._model = None
        if self._recordings:
            self._recordings.cleanup()
            self._recordings = None
        release()

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Return the recording itself and its words, as `form_of` does.

        Raises SpeechRejected for a reference that is silent, too short or too long.
        """
        if fault := self.spec.reference_fault(reference.seconds, transcript):
            raise SpeechRejected(fault)
        check_heard(reference)
        return form_of(reference, transcript, min(IndexTTS.heard_seconds, reference.seconds))

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        """Speak ``lines``, one after another."""
        loaded(self.spec, self._model)
        return [self._spoken(line) for line in lines]

    def _spoken(self, line: Line) -> Spoken:
        """Return the speech of a line, or its refusal."""
        import torch

        try:
            request = self._request(line)
            with self._told(line):
                # The package draws from torch's own generators.
                torch.manual_seed(line.seed % 2**63)
                parts = list(self._model.infer_generator(**request))
        except SpeechRejected as exc:
            return exc
        if not parts:
            return self._nothing(line)
        samples = (torch.cat(parts, dim=1)[0] / LOUDEST).numpy()
        return Audio(samples=samples, rate=self.spec.sample_rate)

    def _request(self, line: Line) -> dict[str, Any]:
        """Return the arguments of the package's call for a line."""
        if isinstance(line.voice, str):
            raise no_such_voice(self.spec, line.voice)
        if not self.spec.covers(line.language):
            raise does_not_speak(self.spec, line.language)
        if not any(map(str.isalnum, line.text)):
            raise self._nothing(line)
        longest = self.spec.longest(line.text, line.language, 1.0)
        return {
            "spk_audio_prompt": self._path(line.voice),
            "text": line.text,
            "output_path": None,
            "lang": line.language.split("-", maxsplit=1)[0].lower(),
            "duration_factor": 1 / line.speed,
            "max_mel_tokens": min(MOST_CODES, math.ceil(longest * CODES_A_SECOND)),
            # The numbers in lines are already in words.
            "text_normalization": False,
            "stream_return": True,
            **self._emotion(line),
        }

    def _emotion(self, line: Line) -> dict[str, Any]:
        if line.emotion is None:
            return {}
        if line.emotion_voice is None:
            return {"emo_vector": vector_of(line.emotion)}
        shown = self._path(line.emotion_voice)
        return {"emo_audio_prompt": shown, "emo_alpha": line.emotion.strength}

    def _nothing(self, line: Line) -> SpeechRejected:
        return SpeechRejected(f"{self.spec.name} finds nothing to say in {line.text!r}")

    def _path(self, form: VoiceForm) -> str:
        """Return the path of a voice's recording; write it on first use."""
        wav = wav_of(form)
        path = Path(loaded(self.spec, self._recordings).name) / name_of(wav)
        if not path.exists():
            path.write_bytes(wav)
        return str(path)

    @contextmanager
    def _told(self, line: Line) -> Iterator[None]:
        """Convert the package's errors in the block, and its warning of a missing end, to ours."""
        name = self.spec.name
        try:
            with torch_errors(name), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.filterwarnings("error", NO_END, RuntimeWarning)
                yield
        except RuntimeWarning as exc:
            raise SpeechRejected(
                f"{name} found no end of {line.text!r}, which happens sometimes: another seed, or "
                "other words, may help"
            ) from exc
        except ImportError as exc:
            raise SpeechRejected(
                f"{name} needs a library to read {line.language!r}: "
                f"pip install 'dubbing[{self.extra}]' ({exc})"
            ) from exc
        except (
            ArithmeticError,
            AssertionError,
            LookupError,
            OSError,
            TypeError,
            ValueError,
        ) as exc:
            raise EngineFailed(f"{name}: {exc}") from exc


def _check_config(path: Path) -> None:
    """Raise BadInput unless a configuration has the published names of the model's files.

    So no other file is read, and the model's digest covers every file.
    """
    # The extra brings these libraries.
    from omegaconf import OmegaConf  # noqa: PLC0415
    from omegaconf.errors import OmegaConfBaseException  # noqa: PLC0415
    from yaml import YAMLError  # noqa: PLC0415

    try:
        config = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except (OmegaConfBaseException, OSError, ValueError, YAMLError) as exc:
        raise BadInput(f"the configuration cannot be read: {exc}", where=str(path)) from exc
    named = config if isinstance(config, dict) else {}
    faults = [
        f"{key}: {str(named.get(key))[:80]!r} has to be {name!r}, in the model's folder"
        for key, name in NAMED.items()
        if named.get(key) != name
    ]
    if faults:
        raise BadInput(listed(faults), where=str(path))

"""What VITS as ONNX promises beyond the contract of every engine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from services import unavailable
from speech import TEXTS, line, spoken

from dubbing.engines.adapters._coqui.symbols import CLEANERS, read_reading, read_symbols
from dubbing.engines.adapters._coqui.text import provide_phonemes
from dubbing.engines.adapters._torch import prepare
from dubbing.engines.adapters.vits import Vits
from dubbing.engines.adapters.vits_onnx import VitsOnnx
from dubbing.engines.engine import Engine, missing_libraries
from dubbing.errors import BadInput, EngineFailed, EngineMissing, SpeechRejected

if missing_libraries(VitsOnnx()) or missing_libraries(Vits()):
    unavailable("onnxruntime, and coqui-tts to make models with")
onnx = pytest.importorskip("onnx")

from tiny import vits as tiny_vits  # noqa: E402 - after what it needs
from tiny import vits_onnx as tiny_model  # noqa: E402

QUIET = {"inference_noise_scale": 0.0, "inference_noise_scale_dp": 0.0}
AT_END = 16 * 128
"""Samples that depend on what follows a line."""
SENTENCES = (
    'Hello; "Who" & him: it\'s <well-known> (to me)!',
    "¿Qué? — «Ça va» … Das ist IÇIN.",
    "Yes?! no",
)
"""Without abbreviations and numbers, like the text of a line."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for a test's own model."""
    (tmp_path / "vits-onnx").mkdir()
    return tmp_path / "vits-onnx"


@pytest.fixture
def model(folder: Path, models: Path) -> Path:
    """The folder of a model that a test may change."""
    tiny.make("vits-onnx", models / "vits-onnx")
    shutil.copytree(models / "vits-onnx", folder, dirs_exist_ok=True)
    return folder


def loaded(folder: Path) -> VitsOnnx:
    engine = VitsOnnx("vits-onnx", folder)
    engine.load("cpu")
    return engine


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Engine]:
    """A model that draws no noise, run by PyTorch and by onnxruntime."""
    folder = tmp_path_factory.mktemp("quiet")
    tiny_vits.make(folder, model_args=QUIET)
    theirs = Vits("vits", folder)
    theirs.load("cpu")
    tiny_model.export(folder)
    return theirs, loaded(folder)


@pytest.mark.parametrize(("voice", "speed"), [("ann", 1.0), ("bob", 0.5), ("bob", 2.0)])
def test_without_noise_it_speaks_as_by_pytorch(
    quiet: tuple[Engine, Engine], voice: str, speed: float
) -> None:
    by_torch, by_onnx = (
        spoken(engine, line(engine, TEXTS[2], voice=voice, speed=speed))[0].samples
        for engine in quiet
    )
    assert len(by_onnx) == len(by_torch)
    assert np.abs(by_onnx - by_torch)[:-AT_END].max() < 1e-4


def test_without_noise_a_line_is_always_the_same(quiet: tuple[Engine, Engine]) -> None:
    _, engine = quiet
    one, other = spoken(engine, line(engine, seed=1), line(engine, seed=2))
    assert np.array_equal(one.samples, other.samples)


def test_languages_are_told_apart(folder: Path) -> None:
    (folder / "language_ids.json").write_text(json.dumps({"en": 0, "fr-fr": 1}))
    arguments = QUIET | {
        "use_language_embedding": True,
        "embedded_language_dim": 4,
        "language_ids_file": "/train/language_ids.json",
        "use_speaker_embedding": False,
        "use_sdp": False,
    }
    tiny_vits.make(folder, model_args=arguments)
    by_torch = Vits("vits", folder)
    by_torch.load("cpu")
    tiny_model.export(folder)
    engine = loaded(folder)
    assert engine.spec.languages == ("en", "fr")
    english, french = (
        spoken(engine, line(engine, language=language))[0].samples for language in ("en", "fr")
    )
    (theirs,) = spoken(by_torch, line(by_torch, language="fr"))
    assert np.abs(french - theirs.samples)[:-AT_END].max() < 1e-4
    assert len(english) != len(french) or np.abs(english - french).max() > 0.01
    (refused,) = engine.synthesize([line(engine, language="de")])
    assert isinstance(refused, SpeechRejected)


def text_config(kind: str = "", **changes: Any) -> dict[str, Any]:
    """Return the part of a configuration for text, with symbols of one of coqui-tts's classes."""
    own = {"characters": "zyxabcdefghijklmnopqrstuvwéçäÖI", "punctuations": "!'(),-.:;? …«»—"}
    if changes.get("use_phonemes"):
        own["characters"] += "ˈˌːæɐɑɔəɛɜɪŋɹʃʊʌʒθðɡɾᵻ"
    places = {
        "TTS.tts.utils.text.characters.": ("Graphemes", "IPAPhonemes"),
        "TTS.tts.models.vits.": ("VitsCharacters",),
    }
    place = next((place for place, kinds in places.items() if kind in kinds), "")
    own |= {"characters_class": place + kind or None, "pad": "<PAD>", "phonemes": "ʔø"}
    if kind != "VitsCharacters":
        own |= {"eos": "<EOS>", "bos": "<BOS>", "blank": "<BLNK>"}
    own |= changes.pop("characters", {})
    return {"characters": own, "languages": ["en"], **changes}


@pytest.mark.parametrize(
    "config",
    [
        *(text_config(text_cleaner=name) for name in (*CLEANERS, None)),
        text_config("VitsCharacters"),
        text_config("VitsCharacters", add_blank=False),
        text_config("Graphemes", enable_eos_bos_chars=True),
        text_config("Graphemes", characters={"is_unique": False, "is_sorted": False}),
        text_config("IPAPhonemes", characters={"characters": "abcabc", "phonemes": "edcba"}),
        text_config(use_phonemes=True, phonemizer="espeak", phoneme_language="en-us",
                    characters={"phonemes": None}),
        text_config("VitsCharacters", use_phonemes=True, phoneme_language="en",
                    text_cleaner="multilingual_phoneme_cleaners"),
    ],
    ids=lambda config: json.dumps(config)[-60:],
)  # fmt: skip
def test_a_text_is_read_as_coqui_tts_reads_it(folder: Path, config: dict[str, Any]) -> None:
    for language in ("en", "fr", "ca"):
        theirs = tokenizer(config)
        symbols = read_symbols(config, folder)
        reading = read_reading(config, folder, "vits-onnx", language)
        for sentence in SENTENCES:
            assert symbols.of(reading(sentence)) == theirs.text_to_ids(sentence, language)


def tokenizer(config: dict[str, Any]) -> Any:
    prepare()
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.utils.text.tokenizer import TTSTokenizer

    if config.get("use_phonemes"):
        provide_phonemes("vits", [config["phoneme_language"]])
    settings = VitsConfig()
    settings.from_dict(json.loads(json.dumps(config)))
    return TTSTokenizer.init_from_config(settings)[0]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("— Yes", "— jˈɛs"),
        ("¿Qué?", "¿kwˈeɪ?"),
        ("…and then", "…ænd ðˈɛn"),
        ("Yes —", "jˈɛs —"),
    ],
)
def test_what_stands_beside_punctuation_is_read(folder: Path, text: str, read: str) -> None:
    config = text_config(use_phonemes=True, phoneme_language="en")
    assert read_reading(config, folder, "vits-onnx", "en")(text) == read
    assert tokenizer(config).phonemizer.phonemize(text) == read


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"text_cleaner": "chinese_mandarin_cleaners"}, "text_cleaner: 'chinese_mandarin"),
        ({"use_phonemes": True, "phonemizer": "ja_jp_phonemizer"}, "phonemizer: 'ja_jp"),
        ({"characters": {"characters_class": "TTS.FairseqVocab"}}, ".*'FairseqVocab'; known are"),
        ({"characters": {"characters": 3}}, r"characters\.characters is 3"),
        ({"characters": None}, "characters is None"),
        ({"characters": {"characters": "ab", "is_sorted": False}}, ".*is_sorted: false"),
        ({"enable_eos_bos_chars": True}, r"characters\.bos is missing"),
        ({"characters": {"characters": "ab"}}, r"characters\.blank is missing"),
    ],
)  # fmt: skip
def test_a_text_that_only_coqui_tts_reads_is_refused(
    model: Path, told: dict[str, Any], words: str
) -> None:
    change(model, **told)
    with pytest.raises(BadInput, match=rf"config\.json: {words}"):
        loaded(model)


def change(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def test_a_model_of_vectors_of_speakers_is_refused(model: Path) -> None:
    change(model, model_args={"use_d_vector_file": True})
    with pytest.raises(BadInput, match=r"config\.json: use_d_vector_file: .*'yourtts'"):
        VitsOnnx("vits-onnx", model)


def test_an_address_is_refused(model: Path) -> None:
    change(model, model_args={"speakers_file": "https://example.org/speakers.json"})
    with pytest.raises(BadInput, match=r"model_args\.speakers_file: 'https://example\.org"):
        VitsOnnx("vits-onnx", model)


def test_a_graph_of_something_else_is_refused(model: Path) -> None:
    from tiny.fastspeech2_onnx import vocoder

    onnx.save(vocoder(rows=True), model / "model.onnx")
    with pytest.raises(BadInput, match=r"input: model\.onnx has no input 'input'; it has: mel"):
        loaded(model)


def test_two_graphs_are_not_chosen_from(model: Path) -> None:
    shutil.copy(model / "model.onnx", model / "other.onnx")
    with pytest.raises(BadInput, match=r"2 graphs, model\.onnx, other\.onnx"):
        loaded(model)


def test_files_that_are_missing_are_named(folder: Path) -> None:
    with pytest.raises(EngineMissing, match=r"config\.json, \*\.onnx.*readthedocs\.io"):
        loaded(folder)


def test_another_graph_is_another_model(model: Path) -> None:
    before = loaded(model).model
    graph = onnx.load(model / "model.onnx")
    graph.doc_string = "another"
    onnx.save(graph, model / "model.onnx")
    assert loaded(model).model != before


def test_neither_pytorch_nor_coqui_tts_is_imported(model: Path) -> None:
    ask = (
        "import sys; from pathlib import Path; from dubbing.engines.engine import Line\n"
        "from dubbing.engines.adapters.vits_onnx import VitsOnnx\n"
        "engine = VitsOnnx('vits-onnx', Path(sys.argv[1])); engine.load('cpu')\n"
        "(sound,) = engine.synthesize([Line(text='yes', language='en', voice='ann')])\n"
        "assert sound.seconds and not {'torch', 'TTS', 'torchaudio'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", ask, str(model)], check=True)


def test_what_was_unloaded_does_not_speak(model: Path) -> None:
    engine = loaded(model)
    engine.unload()
    with pytest.raises(EngineFailed, match="not loaded"):
        engine.synthesize([line(engine)])

"""What Piper promises beyond the contract of every engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import weights
from services import unavailable
from speech import LONGEST, TEXTS, line, loaded, pitch, speak, spoken
from tiny import make as make_model

from dubbing.engines.adapters.piper import PAUSE, Piper
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, Line, missing_libraries
from dubbing.engines.models.folders import ModelFolders
from dubbing.errors import BadInput, EngineFailed, EngineMissing, SpeechRejected
from dubbing.media.samples import Audio, judge, level


@pytest.fixture(autouse=True)
def library() -> None:
    if missing_libraries(Piper()) or not find_spec("onnx"):
        unavailable("piper-tts or onnx")


@pytest.fixture
def piper(models: Path) -> Iterator[Engine]:
    yield from loaded("piper", models)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for a test's own voice."""
    return tmp_path / "piper"


def voice(folder: Path, **config: Any) -> Piper:
    from tiny.piper import make

    make(folder, **config)
    return Piper("piper", folder)


def test_a_library_that_is_missing_names_its_extra(folder: Path) -> None:
    blocked = "import sys; sys.modules['piper'] = None\n"
    ask = "from dubbing.engines.adapters.piper import Piper; Piper().load('cpu')"
    ended = subprocess.run(
        [sys.executable, "-c", blocked + ask], capture_output=True, text=True, check=False
    )
    assert "EngineMissing" in ended.stderr
    assert "pip install 'dubbing[piper]'" in ended.stderr


def test_a_voice_that_is_not_there_is_told_with_where_to_get_it(folder: Path) -> None:
    piper = Piper("piper-de", folder)
    assert piper.spec.name == "piper-de"
    with pytest.raises(EngineMissing, match=r"piper-de.*\*\.onnx.*huggingface\.co/rhasspy"):
        piper.load("cpu")


def test_several_speakers_of_a_model_are_as_many_voices(piper: Engine) -> None:
    low, high = spoken(piper, *(line(piper, TEXTS[2], voice=who) for who in ("amy", "ben")))
    assert pitch(high) > 1.5 * pitch(low)


def test_a_voice_of_one_speaker_is_named_after_its_data(folder: Path) -> None:
    piper = voice(folder, speakers=("default",), speaker_id_map={}, dataset="thorsten")
    piper.load("cpu")
    assert piper.spec.voices == ("thorsten",)
    (sound,) = spoken(piper, line(piper, voice="thorsten"))
    judge(sound, longest=15.0)


def test_speakers_without_names_have_numbers(folder: Path) -> None:
    assert voice(folder, speaker_id_map={}).spec.voices == ("0", "1")


@pytest.mark.parametrize(
    ("told", "languages"),
    [
        ({"language": {"code": "de_DE"}}, ("de-DE", "de")),
        ({"language": {"code": "eo"}}, ("eo",)),
        ({"language": None, "espeak": {"voice": "en-gb"}}, ("en-GB", "en")),
        ({"language": None, "espeak": {"voice": "fr"}}, ("fr",)),
    ],
)
def test_a_voice_speaks_the_language_that_it_was_made_for(
    folder: Path, told: dict[str, Any], languages: tuple[str, ...]
) -> None:
    spec = voice(folder, **told).spec
    assert spec.languages == languages
    assert all(spec.covers(language) for language in languages)
    assert not spec.covers("it")


def test_sentences_are_parted_by_a_short_pause(piper: Engine) -> None:
    one, two = speak(piper, line(piper, "Yes, I do."), line(piper, "Yes, I do. Yes, I do."))
    assert two.seconds == pytest.approx(2 * one.seconds + PAUSE, abs=0.05)


def test_each_line_has_its_own_speed(piper: Engine) -> None:
    speeds = (0.5, 1.0, 2.0)
    slow, plain, fast = speak(piper, *(line(piper, speed=speed) for speed in speeds))
    assert slow.seconds == pytest.approx(2 * plain.seconds, rel=0.01)
    assert fast.seconds == pytest.approx(plain.seconds / 2, rel=0.01)


def test_the_voices_own_pace_counts(folder: Path, tmp_path: Path) -> None:
    plain = voice(folder)
    calm = voice(tmp_path / "calm", inference={"length_scale": 1.5})
    for piper in (plain, calm):
        piper.load("cpu")
    (short,), (long,) = speak(plain, line(plain)), speak(calm, line(calm))
    assert long.seconds == pytest.approx(1.5 * short.seconds, rel=0.01)


def test_a_soft_voice_is_not_made_loud(piper: Engine) -> None:
    (sound,) = spoken(piper, line(piper))
    assert level(sound.samples) == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=1)


@pytest.mark.parametrize("text", ["…", "- -", "?!"])
def test_a_text_without_a_sound_is_refused(piper: Engine, text: str) -> None:
    (refused, sound) = piper.synthesize([line(piper, text), line(piper)])
    assert isinstance(refused, SpeechRejected)
    assert isinstance(sound, Audio)


def test_a_text_in_letters_that_the_voice_does_not_know_is_refused(folder: Path) -> None:
    piper = voice(folder, phoneme_type="text")
    piper.load("cpu")
    refused, sound = piper.synthesize([line(piper, "Привет."), line(piper, "hello.")])
    assert isinstance(refused, SpeechRejected)
    assert "no sound for 'Привет.'" in str(refused)
    assert isinstance(sound, Audio)


def test_brackets_in_a_line_are_no_phonemes(piper: Engine) -> None:
    texts = ("Come wwww now.", "Come [[wwww]] now.")
    plain, bracketed = speak(piper, *(line(piper, text) for text in texts))
    assert bracketed.seconds == pytest.approx(plain.seconds, rel=0.1)


def test_threads_do_not_disturb_each_other(piper: Engine) -> None:
    lines = [line(piper, text) for text in TEXTS] * 4
    alone = [len(sound.samples) for sound in spoken(piper, *lines)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda one: spoken(piper, one)[0], lines))
    assert [len(sound.samples) for sound in results] == alone


def test_espeak_and_piper_share_a_process(piper: Engine) -> None:
    (before,) = spoken(piper, line(piper))
    for espeak in loaded("espeak", Path()):
        spoken(espeak, line(espeak, "Guten Tag", language="de"))
    (after,) = spoken(piper, line(piper))
    assert len(after.samples) == len(before.samples)


def test_two_voices_in_a_folder_are_named(folder: Path) -> None:
    voice(folder)
    with pytest.raises(BadInput, match=r"2 graphs, de_DE-x\.onnx, en_US-tiny\.onnx"):
        voice(folder, name="de_DE-x")
    assert "piper" not in Catalogue(ModelFolders(root=folder.parent)).specs()


def test_instances_have_a_voice_each(tmp_path: Path) -> None:
    voice(tmp_path / "piper")
    voice(tmp_path / "piper-de", language={"code": "de_DE"}, speakers=("eva",))
    specs = Catalogue(ModelFolders(root=tmp_path)).specs()
    assert specs["piper"].voices == ("amy", "ben")
    assert (specs["piper-de"].languages, specs["piper-de"].voices) == (("de-DE", "de"), ("eva",))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"audio": {}}, "sample_rate"),
        ({"num_speakers": "many"}, "num_speakers"),
        ({"phoneme_id_map": None}, "phoneme_id_map"),
        ({"phoneme_type": "pinyin"}, "phoneme_type"),
        ({"dataset": "https://example.org/x"}, "is an address"),
        ({"more": [{"data": "file:///etc/passwd"}]}, "is an address"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(
    folder: Path, told: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        voice(folder, **told)
    assert "en_US-tiny.onnx.json" in str(refused.value)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"inference": None}, "cannot read it"),
        ({"espeak": {"voice": "xx-nowhere"}, "language": {"code": "en"}}, "xx-nowhere"),
    ],
)
def test_a_configuration_that_piper_cannot_use_is_refused_when_it_is_loaded(
    folder: Path, told: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        voice(folder, **told).load("cpu")


def test_a_damaged_model_is_told(folder: Path) -> None:
    piper = voice(folder)
    (folder / "en_US-tiny.onnx").write_bytes(b"no model")
    with pytest.raises(EngineFailed, match=r"en_US-tiny\.onnx"):
        piper.load("cpu")


def test_a_model_reads_nothing_outside_its_folder(folder: Path) -> None:
    import onnx
    from onnx.external_data_helper import set_external_data

    piper = voice(folder)
    path = folder / "en_US-tiny.onnx"
    model = onnx.load(path)
    (pitches,) = [tensor for tensor in model.graph.initializer if tensor.name == "pitches"]
    (folder.parent / "weights.bin").write_bytes(pitches.raw_data)
    set_external_data(pitches, "../weights.bin")
    pitches.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(EngineFailed, match=r"en_US-tiny\.onnx"):
        piper.load("cpu")


def test_another_model_or_configuration_has_another_digest(folder: Path, tmp_path: Path) -> None:
    engines = [
        voice(folder),
        voice(tmp_path / "b", speakers=("eva",)),
        voice(tmp_path / "c", inference={"length_scale": 2.0}),
    ]
    for piper in engines:
        piper.load("cpu")
    assert len({piper.model for piper in engines}) == 3


def test_what_was_unloaded_does_not_speak(folder: Path) -> None:
    make_model("piper", folder)
    piper = Piper("piper", folder)
    piper.load("cpu")
    piper.unload()
    with pytest.raises(EngineFailed, match="not loaded"):
        piper.synthesize([Line(text="Hello", language="en", voice="amy")])


@pytest.mark.weights
def test_a_published_voice_speaks() -> None:
    piper = Piper("piper", weights.needed("piper"))
    piper.load("cpu")
    assert (piper.spec.voices, piper.spec.languages) == (("joe",), ("en-US", "en"))
    middle, short, long = speak(piper, *(line(piper, text) for text in TEXTS))
    for sound in (short, middle, long):
        judge(sound, longest=LONGEST)
    assert 0.2 < short.seconds < middle.seconds < long.seconds

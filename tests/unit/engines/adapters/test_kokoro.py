"""What Kokoro promises beyond the contract of every engine."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import weights
from services import unavailable
from speech import TEXTS, line, loaded, pitch, speak, spoken
from tiny.kokoro import VOICES, make, voice

from dubbing.engines.adapters._kokoro.phonemes import reading
from dubbing.engines.adapters._kokoro.symbols import LONGEST, SYMBOLS
from dubbing.engines.adapters.kokoro import Kokoro
from dubbing.engines.engine import Engine, missing_libraries
from dubbing.errors import BadInput, EngineFailed, EngineMissing, SpeechRejected
from dubbing.media.samples import Audio, judge, level


@pytest.fixture(autouse=True)
def library() -> None:
    if missing_libraries(Kokoro()) or not find_spec("onnx"):
        unavailable("onnxruntime, espeakng-loader or onnx")


@pytest.fixture
def kokoro(models: Path) -> Iterator[Engine]:
    yield from loaded("kokoro", models)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a test's own model."""
    folder = tmp_path / "kokoro"
    make(folder)
    return folder


def test_a_folders_voices_are_offered_with_their_languages(folder: Path) -> None:
    voice(folder, "xf_unknown", [1.0])
    voice(folder, "if_mine", [1.0])
    spec = Kokoro("kokoro", folder).spec
    assert spec.voices == (*VOICES, "if_mine")
    assert spec.stock("en") == ("af_heart", "am_michael", "bm_george")
    assert spec.stock("en-GB") == ("bm_george",)
    assert spec.stock("en-AU") == spec.stock("en")
    assert spec.stock("fr-CA") == ("ff_siwis",)
    # Nobody was made for Hindi.
    assert spec.stock("hi") == spec.voices


def test_english_is_read_as_the_voice_speaks_it(kokoro: Engine) -> None:
    # Only Americans speak the r, which is a symbol and so makes a line longer.
    text = "Never, never, never."
    american, british = speak(
        kokoro, *(line(kokoro, text, voice=name) for name in ("am_michael", "bm_george"))
    )
    assert american.seconds > british.seconds + 0.1


def test_a_voice_speaks_the_language_of_the_line(kokoro: Engine) -> None:
    # Four letters are silent in French, and the r of the end is not.
    text = "Ils parlent."
    as_english, as_french = speak(
        kokoro, *(line(kokoro, text, voice="am_michael", language=tag) for tag in ("en", "fr"))
    )
    assert as_french.seconds < as_english.seconds - 0.1


def test_the_style_of_a_line_is_that_of_its_length(folder: Path) -> None:
    text = "Oh."
    symbols = len(SYMBOLS.of(reading("kokoro", "en-US")(text))) - 2
    for name, row in {"af_own": symbols - 1, "af_before": symbols - 2}.items():
        voice(folder, name, [2.0 if number == row else 1.0 for number in range(LONGEST)])
    voice(folder, "af_short", [1.0, 2.0])
    kokoro = Kokoro("kokoro", folder)
    kokoro.load("cpu")
    own, before, short = (
        pitch(sound)
        for sound in spoken(
            kokoro,
            *(line(kokoro, text, voice=name) for name in ("af_own", "af_before", "af_short")),
        )
    )
    assert own == pytest.approx(2 * before, rel=0.05)
    assert short == pytest.approx(own, rel=0.05)


def test_a_line_of_too_many_phonemes_is_refused(kokoro: Engine) -> None:
    long, short = kokoro.synthesize([line(kokoro, "Yes, I do. " * 60), line(kokoro)])
    assert isinstance(long, SpeechRejected)
    assert f"{LONGEST} phonemes" in str(long)
    assert isinstance(short, Audio)


@pytest.mark.parametrize("text", ["…", "- -", "?!"])
def test_a_text_without_a_sound_is_refused(kokoro: Engine, text: str) -> None:
    refused, sound = kokoro.synthesize([line(kokoro, text), line(kokoro)])
    assert isinstance(refused, SpeechRejected)
    assert isinstance(sound, Audio)


def test_an_older_export_speaks_too(tmp_path: Path) -> None:
    make(tmp_path / "older", tokens="tokens")
    kokoro = Kokoro("kokoro", tmp_path / "older")
    kokoro.load("cpu")
    (sound,) = spoken(kokoro, line(kokoro))
    judge(sound, longest=15.0)


def test_a_model_that_is_not_there_is_told_with_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"\*\.onnx, \*\.bin.*dubbing models fetch kokoro"):
        Kokoro("kokoro", tmp_path / "none").load("cpu")


@pytest.mark.parametrize("content", [b"", b"abcd", np.full(256, np.nan, np.float32).tobytes()])
def test_a_damaged_voice_is_told(folder: Path, content: bytes) -> None:
    (folder / "am_michael.bin").write_bytes(content)
    with pytest.raises(BadInput, match=r"am_michael\.bin"):
        Kokoro("kokoro", folder).load("cpu")


def test_a_graph_of_another_model_is_told(folder: Path) -> None:
    make(folder, tokens="letters")
    with pytest.raises(BadInput, match=r"model\.onnx has no input 'input_ids'"):
        Kokoro("kokoro", folder).load("cpu")


def test_another_graph_or_voice_has_another_digest(folder: Path) -> None:
    def digest() -> str:
        kokoro = Kokoro("kokoro", folder)
        kokoro.load("cpu")
        return kokoro.model

    digests = [digest()]
    voice(folder, "am_michael", [1.1] * LONGEST)
    digests.append(digest())
    make(folder, tokens="tokens")
    digests.append(digest())
    assert len(set(digests)) == 3


def test_what_was_unloaded_does_not_speak(folder: Path) -> None:
    kokoro = Kokoro("kokoro", folder)
    kokoro.load("cpu")
    kokoro.unload()
    with pytest.raises(EngineFailed, match="not loaded"):
        kokoro.synthesize([line(kokoro)])


@pytest.mark.weights
def test_the_published_model_speaks_at_its_pace_and_speed_without_silence_around() -> None:
    kokoro = Kokoro("kokoro", weights.needed("kokoro"))
    kokoro.load("cpu")
    chinese = "船会在天亮之前离开，是你告诉我的。"
    plain, fast, mandarin = speak(
        kokoro,
        line(kokoro),
        line(kokoro, speed=1.25),
        line(kokoro, chinese, language="zh", voice="zf_xiaobei"),
    )
    assert 1.1 < plain.seconds / fast.seconds < 1.35
    assert plain.seconds == pytest.approx(kokoro.spec.foresee(TEXTS[0], "en"), rel=0.25)
    assert mandarin.seconds == pytest.approx(kokoro.spec.foresee(chinese, "zh"), rel=0.25)
    for sound in (plain, fast, mandarin):
        judge(sound, longest=kokoro.spec.longest(TEXTS[0], "en", 1.0))
        assert level(sound.samples) == pytest.approx(-22, abs=5)
        moment = round(0.03 * sound.rate)
        assert min(level(sound.samples[:moment]), level(sound.samples[-moment:])) > -60

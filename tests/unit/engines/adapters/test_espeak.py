"""What eSpeak promises beyond the contract of every engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from speech import LONGEST, TEXTS, line, loaded, pitch, speak, spectrum, spoken

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, Line
from dubbing.errors import DubbingError
from dubbing.media.samples import Audio, judge


@pytest.fixture
def espeak() -> Iterator[Engine]:
    yield from loaded("espeak", Path())


def test_a_library_that_is_missing_names_its_extra() -> None:
    blocked = "import sys; sys.modules['espeakng_loader'] = None\n"
    ask = "from dubbing.engines.adapters.espeak import ESpeak; ESpeak().load('cpu')"
    ended = subprocess.run(
        [sys.executable, "-c", blocked + ask], capture_output=True, text=True, check=False
    )
    assert "EngineMissing" in ended.stderr
    assert "pip install 'dubbing[espeak]'" in ended.stderr


def test_the_first_voices_of_espeak_are_told_apart(espeak: Engine) -> None:
    voices = espeak.spec.voices[:4]
    sounds = speak(espeak, *(line(espeak, TEXTS[2], voice=voice) for voice in voices))
    for one, other in combinations(sounds, 2):
        semitones = abs(12 * np.log2(pitch(one) / pitch(other)))
        decibels = np.sqrt(np.mean(np.square(spectrum(one) - spectrum(other))))
        assert semitones > 5 or decibels > 5


def test_espeak_knows_every_language_of_its_spec(
    espeak: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    for language in espeak.spec.languages:
        (sound,) = spoken(espeak, line(espeak, "1 2 3", language=language))
        judge(sound, longest=LONGEST)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        ("en-US", "en-GB", "I can't take a bath after dark, doctor."),
        ("pt-BR", "pt-PT", "O menino de verdade tinha leite quente."),
        ("es-419", "es", "Cinco cervezas y zapatos azules."),
        ("fr-BE", "fr", "70 et 90"),
        ("zh-HK", "zh", "你好，世界。"),
    ],
)
def test_espeak_speaks_a_region_its_own_way(
    espeak: Engine, one: str, other: str, text: str
) -> None:
    assert difference(espeak, text, one, other) > 2


@pytest.mark.parametrize(
    ("region", "nearest", "text"),
    [
        ("es-MX", "es-419", "Cinco cervezas y zapatos azules."),
        ("fr-CA", "fr", "70 et 90"),
        ("zh-TW", "zh", "你好，世界。"),
        ("en-AU", "en-GB", "I can't take a bath after dark, doctor."),
    ],
)
def test_a_region_that_espeak_lacks_is_spoken_as_the_nearest(
    espeak: Engine, region: str, nearest: str, text: str
) -> None:
    assert difference(espeak, text, region, nearest) < 0.5


def difference(espeak: Engine, text: str, *languages: str) -> float:
    """Return by how many dB two languages differ, in a voice that always sounds the same."""
    lines = (line(espeak, text, voice="shelby", language=language) for language in languages)
    one, other = (spectrum(sound) for sound in speak(espeak, *lines))
    return float(np.abs(one - other).max())


def test_espeak_reads_markup_as_plain_text(espeak: Engine) -> None:
    pause, phonemes, name = spoken(
        espeak,
        line(espeak, 'Wait <break time="20s"/> here.'),
        line(espeak, "[[h@'loU]]"),
        line(espeak, "hello"),
    )
    assert pause.seconds < 8
    assert phonemes.seconds > 1.5 * name.seconds


def test_threads_that_speak_at_once_do_not_mix_their_lines(espeak: Engine) -> None:
    voices = espeak.spec.voices[:4]
    alone = [speak(espeak, line(espeak, TEXTS[0], voice=voice))[0] for voice in voices]

    def speak_often(voice: str) -> list[Audio]:
        own = Catalogue().create("espeak")
        own.load("cpu")
        return speak(own, *[line(own, TEXTS[0], voice=voice)] * 20)

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(speak_often, voices))
    for one, many in zip(alone, together, strict=True):
        for sound in many:
            assert sound.seconds == pytest.approx(one.seconds, rel=0.01)
            # Two voices differ by 7 dB or more; eSpeak draws its noise anew each time.
            assert np.abs(spectrum(sound) - spectrum(one)).max() < 3


def test_espeak_says_so_when_it_is_not_loaded() -> None:
    with pytest.raises(DubbingError, match="not loaded"):
        Catalogue().create("espeak").synthesize([Line(text="x", language="en", voice="m3")])

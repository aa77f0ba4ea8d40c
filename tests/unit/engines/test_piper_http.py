"""Piper by its own servers: the real one that is installed, and the route of those before 1.5."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import piper_server
import pytest
import speech_server
from speech import pitch
from speech_server import PIPER_VOICES, Server

from dubbing.engines.adapters.piper_http import PiperHTTP
from dubbing.engines.engine import Line, Spoken
from dubbing.engines.models.folders import NOWHERE
from dubbing.engines.remote.registry import Registry
from dubbing.errors import BadInput, EngineFailed, SpeechRejected
from dubbing.media.samples import Audio

TEXT = "You told me that the ship would leave before dawn."
ANN, BEN, EVA = "en_US-duo-medium/ann", "en_US-duo-medium/ben", "de_DE-eva-low"
LOW = "en_US-low-medium"
"""A voice of both servers."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Piper's server with five voices, two of which lose letters of their names in its list."""
    from tiny.piper import make

    folder = tmp_path_factory.mktemp("voices")
    make(folder, "en_US-ryan", ("ryan",), inference={"length_scale": 1.5})
    make(folder, "en_US-jason", ("jason",))
    make(folder, "en_US-duo-medium", ("ann", "ben"))
    make(folder, LOW, ("low",))
    german = {"language": {"code": "de_DE"}, "espeak": {"voice": "de"}}
    make(folder, EVA, ("eva",), **german)
    with piper_server.running(folder, "en_US-ryan") as url:
        yield url


@pytest.fixture(scope="module")
def only() -> Iterator[Server]:
    with speech_server.running("piper") as server:
        yield server


@pytest.fixture
def older(only: Server) -> Server:
    only.reset()
    return only


Load = Callable[..., PiperHTTP]


@pytest.fixture
def load(registry: Registry) -> Iterator[Load]:
    """Return a function that loads the engine of one server."""
    engines: list[PiperHTTP] = []

    def loaded(url: str, slots: int = 1, **declared: Any) -> PiperHTTP:
        registry.add("piper-http", {"url": url, "slots": slots}, declared)
        engines.append(PiperHTTP("piper-http", NOWHERE, registry.pools))
        engines[-1].load("remote")
        return engines[-1]

    yield loaded
    for engine in engines:
        engine.unload()


def line(voice: str, text: str = TEXT, speed: float = 1.0) -> Line:
    return Line(text=text, language="en", voice=voice, speed=speed)


def sound(spoken: Spoken) -> Audio:
    assert isinstance(spoken, Audio), spoken
    return spoken


def test_the_voices_of_a_language_are_those_that_the_server_is_sure_to_find(
    real: str, load: Load
) -> None:
    spec = load(real, languages=("en",)).spec
    # The one that it was started with is found by its shortened name; jason would not be.
    assert spec.voices == (ANN, BEN, LOW, "en_US-rya")
    assert spec.covers("en-US")
    assert not spec.covers("de")


def test_each_speaker_has_a_voice(real: str, load: Load) -> None:
    ann, ben = map(sound, load(real, languages=("en",)).synthesize([line(ANN), line(BEN)]))
    assert pitch(ben) > 1.5 * pitch(ann)


def test_a_line_has_its_own_speed_and_a_voice_its_own_pace(real: str, load: Load) -> None:
    engine = load(real, languages=("en",))
    lines = [line(ANN), line(ANN, speed=2.0), line("en_US-rya"), line("en_US-rya", speed=2.0)]
    plain, fast, calm, hasty = (sound(one).seconds for one in engine.synthesize(lines))
    assert plain / fast == pytest.approx(2, rel=0.01)
    assert calm / plain == pytest.approx(1.5, rel=0.01)
    assert calm / hasty == pytest.approx(2, rel=0.01)


def test_a_voice_that_loses_letters_is_named_by_its_file(real: str, load: Load) -> None:
    engine = load(real, voices=("en_US-jason", "en_US-ryan"))
    assert engine.spec.languages == ("en-US", "en")
    jason, ryan = map(sound, engine.synthesize([line(name) for name in engine.spec.voices]))
    # Of the two, the one that the server was started with is the slower.
    assert ryan.seconds / jason.seconds == pytest.approx(1.5, rel=0.01)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({}, "it speaks de, en: name one with --language"),
        ({"languages": ("fr",)}, "may not find a voice in fr: it lists"),
        ({"voices": ("en_US-nobody-low",)}, "may not find en_US-nobody-low"),
        ({"voices": (f"{ANN}a",)}, "may not find en_US-duo-medium/anna"),
        ({"voices": ("en_US-ja",)}, "may not find en_US-ja: .* without .onnx"),
    ],
)
def test_a_voice_that_another_one_might_speak_for_is_refused(
    real: str, registry: Registry, declared: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        registry.add("piper-http", {"url": real}, declared)


def test_lines_of_two_languages_at_once_are_not_mixed_up(real: str, load: Load) -> None:
    engine = load(real, slots=8, voices=(ANN, EVA), languages=("en", "de"))
    lines = [line(ANN, "Sing die Zeile."), line(EVA, "Sing die Zeile.")]
    english, german = (sound(engine.synthesize([one])[0]).seconds for one in lines)
    assert english != german
    together = [sound(one).seconds for one in engine.synthesize(lines * 12)]
    assert together == [english, german] * 12


@pytest.mark.parametrize("server", ["newer", "older"])
def test_a_text_without_a_sound_is_refused_and_not_the_servers_failure(
    real: str, older: Server, load: Load, server: str
) -> None:
    engine = load(real if server == "newer" else older.url, languages=("en",))
    voice = engine.spec.voices[0]
    refused, spoken = engine.synthesize([line(voice, "?!"), line(voice)])
    assert isinstance(refused, SpeechRejected)
    assert "no sound for '?!'" in str(refused)
    assert isinstance(spoken, Audio)


def test_brackets_in_a_line_are_no_phonemes(real: str, load: Load) -> None:
    texts = ("Come wwww now.", "Come [[wwww]] now.")
    engine = load(real, languages=("en",))
    plain, bracketed = map(sound, engine.synthesize([line(ANN, text) for text in texts]))
    assert bracketed.seconds == pytest.approx(plain.seconds, rel=0.1)


def test_a_server_before_1_5_speaks_by_its_root(older: Server, load: Load) -> None:
    engine = load(older.url)
    assert set(engine.spec.voices) == {*PIPER_VOICES}
    pitches = [pitch(sound(one)) for one in engine.synthesize([*map(line, PIPER_VOICES)])]
    assert pitches == pytest.approx([*PIPER_VOICES.values()], rel=0.15)
    engine.synthesize([line(LOW, speed=1.25)])
    assert (older.seen[-1]["length_scale"], older.seen[-1]["voice"]) == (0.8, LOW)


def test_a_failure_at_a_text_with_words_is_the_servers(older: Server, load: Load) -> None:
    older.set(faults={"html": 1})
    engine = load(older.url)
    (failed,) = engine.synthesize([line(engine.spec.voices[0])])
    assert isinstance(failed, EngineFailed)
    assert len(older.seen) == 3


def test_servers_of_both_generations_share_a_pool(
    real: str, older: Server, registry: Registry, load: Load
) -> None:
    registry.add("piper-http", {"url": real}, {"voices": (LOW,)})
    engine = load(older.url)
    assert engine.spec.voices == (LOW,)
    older.set(seconds=0.1, forget=True)
    spoken = engine.synthesize([line(LOW, f"{TEXT} {n}") for n in range(6)])
    assert all(isinstance(one, Audio) for one in spoken)
    assert 0 < len(older.seen) < 6


def test_a_server_of_another_kind_is_refused(older: Server, registry: Registry) -> None:
    with pytest.raises(BadInput, match="/voices is not that of Piper's server"):
        registry.add("piper-http", {"url": f"{older.url}/elsewhere"}, {})

"""YourTTS as a service, against a server with its faults, which hums at a reference's pitch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import speech_server
from speech import pitch
from speech_server import Server

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.adapters.yourtts_http import YourTTSHTTP
from dubbing.engines.engine import Line, VoiceForm
from dubbing.engines.models.folders import NOWHERE
from dubbing.engines.remote.registry import Registry
from dubbing.errors import BadInput, EngineFailed, SpeechRejected
from dubbing.media.samples import Audio

TEXT = "You told me that the ship would leave before dawn."


@pytest.fixture(scope="module")
def only() -> Iterator[Server]:
    with speech_server.running("yourtts") as server:
        yield server


@pytest.fixture
def server(only: Server) -> Server:
    only.set(forget=True, lose=True)
    return only


@pytest.fixture
def engine(server: Server, registry: Registry) -> Iterator[YourTTSHTTP]:
    registry.add("yourtts-http", {"url": server.url}, {})
    engine = YourTTSHTTP("yourtts-http", NOWHERE, registry.pools)
    engine.load("remote")
    yield engine
    engine.unload()


def reference(voice: str, seconds: float = 3.5) -> Audio:
    (sound,) = Tone().synthesize([Line(text="x" * round(15 * seconds), language="en", voice=voice)])
    assert isinstance(sound, Audio)
    return sound


def line(voice: VoiceForm, text: str = TEXT, language: str = "en") -> Line:
    return Line(text=text, language=language, voice=voice)


def uploads(server: Server) -> list[str]:
    return [asked["uploaded"] for asked in server.seen if "uploaded" in asked]


def test_lines_are_spoken_in_the_voice_of_their_reference_at_the_models_rate(
    engine: YourTTSHTTP,
) -> None:
    voices = {voice: reference(voice) for voice in ("low", "high")}
    order = ("low", "high", "low", "high")
    lines = [line(engine.extract(voices[v], ""), f"{TEXT} {n}") for n, v in enumerate(order)]
    for voice, sound in zip(order, engine.synthesize(lines), strict=True):
        assert isinstance(sound, Audio)
        # Played at the rate that the answer tells, it would be a third higher and shorter.
        assert sound.rate == engine.spec.sample_rate == 16_000
        assert pitch(sound) == pytest.approx(pitch(voices[voice]), rel=0.1)


def test_another_rate_is_a_setting_of_the_pool_and_another_model(
    server: Server, registry: Registry
) -> None:
    plain = registry.add("yourtts-http", {"url": server.url}, {})
    assert plain.rate == 16_000
    other = server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(BadInput, match="at 22050 Hz: remove them first"):
        registry.add("yourtts-http", {"url": other}, {"rate": 22_050})
    pool = registry.add("yourtts-http-own", {"url": server.url}, {"rate": 22_050})
    assert pool.digest != plain.digest
    assert YourTTSHTTP("yourtts-http-own", NOWHERE, registry.pools).spec.sample_rate == 22_050


def test_a_speaker_is_registered_once_and_again_when_the_server_has_forgotten_it(
    server: Server, engine: YourTTSHTTP
) -> None:
    low = engine.extract(reference("low"), "")
    engine.synthesize([line(low, f"{TEXT} {n}") for n in range(3)])
    assert len(uploads(server)) == 1
    server.set(lose=True)
    (sound,) = engine.synthesize([line(low)])
    assert isinstance(sound, Audio)
    assert pitch(sound) == pytest.approx(pitch(reference("low")), rel=0.1)
    engine.synthesize([line(engine.extract(reference("high"), ""))])
    first, again, other = uploads(server)
    assert first == again != other


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unapplied", "not speak in the voice of the reference"),
        ("nan", "the answer is not a sound"),
        ("zeros", "silent"),
        ("short", "hardly any sound"),
        ("error", "CUDA out of memory"),
    ],
)
def test_an_answer_that_is_not_the_line_in_its_voice_is_a_failure(
    server: Server, engine: YourTTSHTTP, fault: str, words: str
) -> None:
    server.set(faults={fault: 1})
    (failed,) = engine.synthesize([line(engine.extract(reference("low"), ""))])
    assert isinstance(failed, EngineFailed)
    assert words in str(failed)


@pytest.mark.parametrize(("tag", "name"), [("en-GB", "en"), ("fr", "fr-fr"), ("pt-BR", "pt-br")])
def test_the_service_is_told_its_name_of_the_language_and_nothing_that_it_misreads(
    server: Server, engine: YourTTSHTTP, tag: str, name: str
) -> None:
    assert engine.spec.covers(tag)
    (sound,) = engine.synthesize([line(engine.extract(reference("low"), ""), language=tag)])
    assert isinstance(sound, Audio)
    assert server.seen[-1]["language"] == name
    assert not {"speaker", "speech_rate"} & server.seen[-1].keys()
    assert engine.spec.speed == (1.0, 1.0)


@pytest.mark.parametrize("seconds", [2.0, 70.0])
def test_a_reference_of_another_length_is_refused(engine: YourTTSHTTP, seconds: float) -> None:
    with pytest.raises(SpeechRejected, match="3 to 60 s"):
        engine.extract(reference("low", seconds), "")


@pytest.mark.parametrize(
    ("behaviour", "route", "fields", "words"),
    [
        ({"loaded": False}, "", {}, "its model is not loaded"),
        ({}, "/elsewhere", {}, "it has no /register_speaker"),
        ({}, "", {"fields": {"speech_rate": 9}}, "leave --field out"),
        ({}, "", {"language_fields": {"en": {"language": "en"}}}, "and --language-field"),
    ],
)
def test_a_server_that_cannot_be_used_is_refused(
    server: Server,
    registry: Registry,
    behaviour: dict[str, object],
    route: str,
    fields: dict[str, object],
    words: str,
) -> None:
    server.set(**behaviour)
    with pytest.raises(BadInput, match=words):
        registry.add("yourtts-http", {"url": f"{server.url}{route}"}, fields)


def test_its_servers_are_sent_one_line_at_a_time(server: Server, registry: Registry) -> None:
    with pytest.raises(BadInput, match="speak 1 at once"):
        registry.add("yourtts-http", {"url": server.url, "slots": 2}, {})

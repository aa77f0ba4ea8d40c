"""IndexTTS by both of its contracts, against real servers that hum at the pitch of a reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import speech_server
from speech import pitch
from speech_server import INDEX_MODEL, MOOD, Server

from dubbing.engines.adapters.indextts import IndexTTS
from dubbing.engines.adapters.tone import Tone
from dubbing.engines.engine import Line
from dubbing.engines.models.folders import NOWHERE
from dubbing.engines.remote.registry import Registry
from dubbing.errors import BadInput, SpeechRejected
from dubbing.job import Emotion
from dubbing.media.samples import Audio

TEXT = "You told me that the ship would leave before dawn."
CONTRACTS = ("omni", "tts_url")


@pytest.fixture(scope="module")
def all_servers() -> Iterator[dict[str, Server]]:
    with speech_server.running("omni") as omni, speech_server.running("tts_url") as tts_url:
        yield {"omni": omni, "tts_url": tts_url}


@pytest.fixture
def servers(all_servers: dict[str, Server]) -> dict[str, Server]:
    for server in all_servers.values():
        server.set(forget=True, lose=True)
    return all_servers


Load = Callable[[Server], IndexTTS]


@pytest.fixture
def load(registry: Registry) -> Iterator[Load]:
    engines: list[IndexTTS] = []

    def loaded(server: Server) -> IndexTTS:
        registry.add("indextts", {"url": server.url, "slots": 4}, {})
        engines.append(IndexTTS("indextts", NOWHERE, registry.pools))
        engines[-1].load("remote")
        return engines[-1]

    yield loaded
    for engine in engines:
        engine.unload()


def reference(voice: str, seconds: float = 8.0) -> Audio:
    (sound,) = Tone().synthesize([Line(text="x" * round(15 * seconds), language="en", voice=voice)])
    assert isinstance(sound, Audio)
    return sound


@pytest.mark.parametrize("contract", CONTRACTS)
def test_lines_are_spoken_in_the_voice_of_their_reference(
    servers: dict[str, Server], load: Load, contract: str
) -> None:
    engine = load(servers[contract])
    voices = {voice: reference(voice) for voice in ("low", "high")}
    lines = [
        Line(text=f"{TEXT} {n}", language="en", voice=engine.extract(voices[voice], ""))
        for n, voice in enumerate(("low", "high", "low", "high"))
    ]
    for voice, sound in zip(("low", "high", "low", "high"), engine.synthesize(lines), strict=True):
        assert isinstance(sound, Audio)
        assert pitch(sound) == pytest.approx(pitch(voices[voice]), rel=0.1)
        assert sound.rate == engine.spec.sample_rate


def test_a_reference_goes_up_once_and_again_when_the_server_has_forgotten_it(
    servers: dict[str, Server], load: Load
) -> None:
    server = servers["tts_url"]
    engine = load(server)
    voice = engine.extract(reference("low"), "")
    lines = [Line(text=f"{TEXT} {n}", language="en", voice=voice) for n in range(4)]
    assert all(isinstance(sound, Audio) for sound in engine.synthesize(lines))
    paths = [asked["uploaded"] for asked in server.seen if "uploaded" in asked]
    assert len(paths) == 1
    server.set(lose=True)
    assert all(isinstance(sound, Audio) for sound in engine.synthesize(lines[:1]))
    paths = [asked["uploaded"] for asked in server.seen if "uploaded" in asked]
    assert len(paths) == 2
    # Servers know a speaker by the path, so another recording has another one.
    other = engine.extract(reference("high"), "")
    engine.synthesize([Line(text=TEXT, language="en", voice=other)])
    names = {asked["uploaded"] for asked in server.seen if "uploaded" in asked}
    assert len(names) == 2


def test_the_server_is_told_language_seed_and_speed(servers: dict[str, Server], load: Load) -> None:
    engine = load(servers["omni"])
    voice = engine.extract(reference("low"), "")
    assert engine.spec.speed == (0.5, 1.25)
    engine.synthesize([Line(text="Hola.", language="es-MX", voice=voice, speed=1.2, seed=7)])
    (asked,) = servers["omni"].seen
    assert asked["extra_params"]["lang"] == "es"
    assert (asked["speed"], asked["seed"], asked["model"]) == (1.2, 7, INDEX_MODEL)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_an_emotion_is_heard(servers: dict[str, Server], load: Load, contract: str) -> None:
    engine = load(servers[contract])
    low, high = (engine.extract(reference(voice), "") for voice in ("low", "high"))
    emotions = {
        "none": (None, None),
        "angry": (Emotion(angry=1), None),
        "slightly angry": (Emotion(angry=1, strength=0.5), None),
        "text": (Emotion(text="quietly furious"), None),
        "voice": (Emotion(voice="ab" * 32), high),
        "voice at half strength": (Emotion(voice="ab" * 32, strength=0.5), high),
    }
    lines = [
        Line(text=TEXT, language="en", voice=low, emotion=emotion, emotion_voice=shown)
        for emotion, shown in emotions.values()
    ]
    heard = {}
    for name, sound in zip(emotions, engine.synthesize(lines), strict=True):
        assert isinstance(sound, Audio), sound
        heard[name] = 12 * np.log2(pitch(sound) / pitch(reference("low")))
    expected = [0, 4.8, 2.4, MOOD, 7.6, 3.8]
    assert [*heard.values()] == pytest.approx(expected, abs=0.6)


# Each feeling is weakened as on the model's web page, and 0.8 is the most for all together.
VECTOR = [0.4615, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3385, 0.0]


@pytest.mark.parametrize(
    ("contract", "emotion", "told"),
    [
        ("omni", Emotion(happy=1, surprised=1), {"emo_vector": VECTOR}),
        (
            "omni",
            Emotion(text="sad", strength=0.6),
            {"use_emo_text": True, "emo_text": "sad", "emo_alpha": 0.6},
        ),
        ("omni", None, {}),
        (
            "tts_url",
            Emotion(happy=1, surprised=1),
            {"emo_control_method": 2, "emo_vec": VECTOR},
        ),
        ("tts_url", Emotion(text="sad"), {"emo_control_method": 3, "emo_text": "sad"}),
        ("tts_url", None, {"emo_control_method": 0}),
    ],
)
def test_each_contract_is_told_an_emotion_by_its_own_fields(
    servers: dict[str, Server],
    load: Load,
    contract: str,
    emotion: Emotion | None,
    told: dict[str, Any],
) -> None:
    engine = load(servers[contract])
    voice = engine.extract(reference("low"), "")
    engine.synthesize([Line(text=TEXT, language="en", voice=voice, emotion=emotion)])
    asked = servers[contract].seen[-1]
    fields = {"lang": "en", **told} if contract == "omni" else told
    said = asked["extra_params"] if contract == "omni" else asked
    assert {name: said[name] for name in said if name in fields or "emo" in name} == fields


def test_a_contract_without_a_strength_for_texts_says_so(
    servers: dict[str, Server], load: Load
) -> None:
    assert "text_strength" not in load(servers["tts_url"]).spec.emotions


def test_a_long_reference_is_cut_to_what_the_model_hears(
    servers: dict[str, Server], load: Load
) -> None:
    engine = load(servers["omni"])
    form = engine.extract(reference("low", 40.0), "")
    assert form["samples"].dtype == np.int16
    assert len(form["samples"]) == 15 * int(form["rate"][0])


@pytest.mark.parametrize(("seconds", "words"), [(2.0, "3 to 60 s"), (70.0, "3 to 60 s")])
def test_a_reference_of_another_length_is_refused(
    servers: dict[str, Server], load: Load, seconds: float, words: str
) -> None:
    engine = load(servers["omni"])
    with pytest.raises(SpeechRejected, match=words):
        engine.extract(reference("low", seconds), "")


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_contract_is_found_by_asking(
    servers: dict[str, Server], registry: Registry, contract: str
) -> None:
    pool = registry.add("indextts", {"url": servers[contract].url}, {})
    assert pool.dialect == contract
    assert ("es" in pool.languages) == (contract == "omni")
    assert [check.error for check in registry.check()] == [""]


def test_two_contracts_sound_different_and_share_no_pool(
    servers: dict[str, Server], registry: Registry
) -> None:
    registry.add("indextts", {"url": servers["omni"].url}, {})
    with pytest.raises(BadInput, match=r"by omni, and it serves .* by tts_url"):
        registry.add("indextts", {"url": servers["tts_url"].url}, {})


def test_a_server_of_another_kind_is_refused(registry: Registry) -> None:
    neither = pytest.raises(BadInput, match="neither /v1/models, as vLLM-Omni has, nor /tts_url")
    with speech_server.running("openai") as server, neither:
        registry.add("indextts", {"url": f"{server.url}/elsewhere"}, {})

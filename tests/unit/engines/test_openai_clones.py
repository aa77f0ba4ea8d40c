"""Cloning by servers with OpenAI's route, against real ones that hum at a reference's pitch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import speech_server
from speech import pitch, recording
from speech_server import VOICES, Server

from dubbing.engines.adapters.openai import OpenAI
from dubbing.engines.engine import Line, Spoken
from dubbing.engines.models.folders import NOWHERE
from dubbing.engines.remote.registry import Registry
from dubbing.errors import BadInput, SpeechRejected
from dubbing.media.samples import Audio

TEXT = "You told me that the ship would leave before dawn."
WORDS = "The words of the reference."


@pytest.fixture(scope="module")
def only() -> Iterator[Server]:
    with speech_server.running("cloning") as server:
        yield server


@pytest.fixture
def server(only: Server) -> Server:
    only.reset()
    return only


Load = Callable[..., OpenAI]


@pytest.fixture
def load(server: Server, registry: Registry) -> Iterator[Load]:
    """Return a function that loads the engine of a pool with these fields."""
    engines: list[OpenAI] = []

    def loaded(**declared: Any) -> OpenAI:
        registry.add("openai", {"url": server.url, "slots": 4}, declared)
        engines.append(OpenAI("openai", NOWHERE, registry.pools))
        engines[-1].load("remote")
        return engines[-1]

    yield loaded
    for engine in engines:
        engine.unload()


def heard(sound: Spoken) -> float:
    assert isinstance(sound, Audio), sound
    return pitch(sound)


def test_stock_and_cloned_voices_share_a_pool_and_no_line_has_another_voice(
    server: Server, load: Load
) -> None:
    engine = load(clones=True)
    assert engine.spec.clones
    clones = {voice: engine.extract(recording(voice), WORDS) for voice in ("low", "high")}
    voices = [clones["high"], "mid", clones["low"], "deep"]
    sounds = engine.synthesize([Line(text=TEXT, language="en", voice=voice) for voice in voices])
    expected = [VOICES[voice] for voice in ("high", "mid", "low", "deep")]
    assert [heard(sound) for sound in sounds] == pytest.approx(expected, rel=0.15)
    for asked in server.seen[1:]:
        assert ("voice" in asked) != ("ref_audio" in asked)
        assert ("ref_text" in asked) == ("ref_audio" in asked)


def test_a_server_that_ignores_references_is_not_taken_for_one_that_clones(
    registry: Registry,
) -> None:
    with speech_server.running("openai") as server:
        server.set(default="low")
        with pytest.raises(BadInput, match="it ignores ref_audio and speaks in another voice"):
            registry.add("openai", {"url": server.url}, {"clones": True})
        assert registry.all() == {}


def test_a_pool_that_clones_no_more_speaks_no_clone_in_a_default_voice(
    server: Server, registry: Registry, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dubbing.engines.remote.engine.REFRESH_SECONDS", 0.0)
    engine = load(clones=True)
    form = engine.extract(recording(), WORDS)
    registry.pools.put("openai", engine.pool.model_copy(update={"clones": False}))
    before = len(server.seen)
    (refused,) = engine.synthesize([Line(text=TEXT, language="en", voice=form)])
    assert isinstance(refused, SpeechRejected)
    assert "cannot clone" in str(refused)
    assert len(server.seen) == before


def test_a_reference_without_its_words_is_refused_where_servers_need_them(
    server: Server, load: Load
) -> None:
    server.set(transcripts=True)
    engine = load(clones=True, transcripts=True)
    assert engine.spec.needs_transcript
    with pytest.raises(SpeechRejected, match="voices extract --transcript"):
        engine.extract(recording(), "")
    form = engine.extract(recording(), WORDS)
    (sound,) = engine.synthesize([Line(text=TEXT, language="en", voice=form)])
    assert heard(sound) == pytest.approx(VOICES["low"], rel=0.15)
    assert server.seen[-1]["ref_text"] == WORDS

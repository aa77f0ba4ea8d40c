"""The engine `remote` over a real engine-server: what it speaks, and what it does not believe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import engine_servers
import numpy as np
import pytest
from engine_servers import KEY, EngineServer
from redis_server import free_port
from speech import recording, spoken

from dubbing.engines.adapters.remote import Remote
from dubbing.engines.adapters.tone import Tone
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Line
from dubbing.engines.models.folders import ModelFolders
from dubbing.engines.remote.pool import Pools
from dubbing.engines.remote.registry import Registry
from dubbing.errors import BadInput, EngineAway, SpeechRejected
from dubbing.media.samples import encode_flac
from dubbing.storage import Storage

VARIABLE = "DUBBING_KEY_TONE"
SECRET = "a key of a test"


@pytest.fixture(scope="module")
def server() -> Iterator[EngineServer]:
    with engine_servers.running("tone", "espeak", **{KEY: SECRET}) as server:
        yield server


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    storage = Storage.at(str(tmp_path / "storage"))
    pools = Pools(lambda: storage, {VARIABLE: SECRET}.get)
    return Registry(Catalogue(ModelFolders(root=tmp_path), pools=pools), pools)


def remote(registry: Registry, server: EngineServer, engine: str = "tone") -> Remote:
    """Return the loaded engine ``remote-<engine>`` of this server."""
    name = f"remote-{engine}"
    endpoint = {"url": server.url, "key_from": VARIABLE, "slots": 4}
    registry.add(name, endpoint, {"model": engine})
    adapter = Remote(name, Path(), registry.pools)
    adapter.load("remote")
    return adapter


def lines(voice: object) -> list[Line]:
    texts = ("The first line.", "A second, longer line.", "No.")
    return [
        Line(text=text, language="en", voice=voice, speed=1.1, seed=n)
        for n, text in enumerate(texts)
    ]


def test_its_clips_are_those_of_the_engine_in_process(
    registry: Registry, server: EngineServer
) -> None:
    there, here = remote(registry, server), Tone()
    asked = lines("high")
    clips = [encode_flac(sound) for sound in spoken(here, *asked)]
    assert [encode_flac(sound) for sound in spoken(there, *asked)] == clips
    assert there.spec.speed == here.spec.speed
    there.unload()


def test_a_voice_is_derived_there_and_goes_up_once(
    registry: Registry, server: EngineServer
) -> None:
    there, here = remote(registry, server), Tone()
    form, own = there.extract(recording(), "words"), here.extract(recording(), "words")
    assert {name: array.tolist() for name, array in form.items()} == {
        name: array.tolist() for name, array in own.items()
    }
    first, again = spoken(there, *lines(form)), spoken(there, *lines(form))
    for one, two, made in zip(first, again, spoken(here, *lines(own)), strict=True):
        assert np.array_equal(one.samples, made.samples)
        assert np.array_equal(two.samples, made.samples)
    there.unload()


def test_a_form_that_the_server_forgot_goes_up_again(registry: Registry) -> None:
    port = ("--port", str(free_port()))
    with engine_servers.running("tone", *port, **{KEY: SECRET}) as server:
        there = remote(registry, server)
        form = there.extract(recording(), "")
        first = spoken(there, *lines(form))
    with engine_servers.running("tone", *port, **{KEY: SECRET}):
        again = spoken(there, *lines(form))
    assert [encode_flac(sound) for sound in first] == [encode_flac(sound) for sound in again]
    there.unload()


def test_a_line_that_the_engine_refuses_is_refused(
    registry: Registry, server: EngineServer
) -> None:
    there = remote(registry, server)
    (result,) = there.synthesize([Line(text="…", language="en", voice="low")])
    assert isinstance(result, SpeechRejected)
    (result,) = there.synthesize([Line(text="A line.", language="en", voice="nobody")])
    assert isinstance(result, SpeechRejected)
    there.unload()


def test_another_model_at_the_address_speaks_no_line(
    registry: Registry, server: EngineServer
) -> None:
    there = remote(registry, server)
    # The pool is read anew at the first line, and some seconds later.
    spoken(there, *lines("low")[:1])
    there.pool = there.pool.model_copy(update={"revision": "0" * 64})
    (result,) = there.synthesize(lines("low")[:1])
    assert isinstance(result, EngineAway)
    assert "another model" in str(result)
    there.unload()


def test_no_emotion_is_asked_of_a_server_whose_requests_have_none(
    registry: Registry, server: EngineServer
) -> None:
    there = remote(registry, server)
    served = Tone.spec.model_copy(update={"emotions": ("feelings",)})
    registry.pools.put("remote-tone", there.pool.model_copy(update={"spec": served}))
    assert Remote("remote-tone", Path(), registry.pools).spec.emotions == ()
    there.unload()


def test_a_server_is_added_only_for_what_it_serves(
    registry: Registry, server: EngineServer
) -> None:
    endpoint = {"url": server.url, "key_from": VARIABLE}
    with pytest.raises(BadInput, match="it serves tone, espeak: name one with --model"):
        registry.add("remote", endpoint, {})
    assert registry.add("remote-espeak", endpoint, {}).model == "espeak"
    with pytest.raises(BadInput, match="it does not serve 'xtts'"):
        registry.add("remote", endpoint, {"model": "xtts"})
    with pytest.raises(BadInput, match="API key"):
        registry.add("remote", {"url": server.url}, {"model": "tone"})

"""Remote engines, against real servers: what they are sent, and what is believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import speech_server
from speech import pitch
from speech_server import MODEL, VOICES, Server

from dubbing.engines.adapters.openai import OpenAI
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Line
from dubbing.engines.models.folders import NOWHERE
from dubbing.engines.remote.pool import Endpoint, Pool, Pools
from dubbing.engines.remote.registry import Registry
from dubbing.engines.usage import by_endpoint, by_engine, metered
from dubbing.errors import BadInput, EngineAway, EngineFailed, EngineMissing, SpeechRejected
from dubbing.media.samples import Audio
from dubbing.storage import Storage

TEXT = "You told me that the ship would leave before dawn."


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Server, Server]]:
    with speech_server.running() as server, speech_server.running() as other:
        yield server, other


@pytest.fixture
def server(two: tuple[Server, Server]) -> Server:
    two[0].reset()
    return two[0]


@pytest.fixture
def other(two: tuple[Server, Server]) -> Server:
    two[1].reset()
    return two[1]


@pytest.fixture
def mortal() -> Iterator[Server]:
    """A server that the test may stop."""
    with speech_server.running() as server:
        yield server


@pytest.fixture
def pools(tmp_path: Path) -> Pools:
    storage = Storage.at(str(tmp_path / "storage"))
    return Pools(lambda: storage)


Load = Callable[..., OpenAI]


@pytest.fixture
def load(pools: Pools) -> Iterator[Load]:
    """Return a function that loads the engine of a pool with an endpoint for each server."""
    engines: list[OpenAI] = []

    def loaded(*servers: Server, slots: int = 1, **fields: Any) -> OpenAI:
        endpoints = tuple(Endpoint(url=server.url, slots=slots) for server in servers)
        declared = {"model": MODEL, "voices": tuple(VOICES), "endpoints": endpoints, **fields}
        pools.put("openai", Pool(**declared))
        engines.append(OpenAI("openai", NOWHERE, pools))
        engines[-1].load("remote")
        return engines[-1]

    yield loaded
    for engine in engines:
        engine.unload()


def lines(many: int = 1, voice: str = "low", text: str = TEXT) -> list[Line]:
    return [Line(text=f"{text} {n}", language="en", voice=voice) for n in range(many)]


def test_a_line_is_spoken_in_its_voice_at_its_speed(server: Server, load: Load) -> None:
    engine = load(server)
    for voice in VOICES:
        (sound,) = engine.synthesize(lines(voice=voice))
        assert isinstance(sound, Audio)
        assert pitch(sound) == pytest.approx(VOICES[voice], rel=0.15)
    (fast,) = engine.synthesize([Line(text=TEXT, language="en", voice="low", speed=2.0)])
    (slow,) = engine.synthesize([Line(text=TEXT, language="en", voice="low")])
    assert isinstance(fast, Audio)
    assert isinstance(slow, Audio)
    assert slow.seconds / fast.seconds == pytest.approx(2, rel=0.05)
    asked = server.seen[0]
    assert asked["model"] == MODEL
    assert asked["response_format"] == "wav"


def test_fields_of_the_pool_and_its_key_are_sent(
    server: Server, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBBING_KEY_HUM", "s3cret")
    server.set(key="s3cret")
    endpoint = Endpoint(url=server.url, key_from="DUBBING_KEY_HUM")
    fields = {"lang_code": "a", "stream": False}
    (sound,) = load(fields=fields, endpoints=(endpoint,)).synthesize(lines())
    assert isinstance(sound, Audio)
    assert server.seen[0]["lang_code"] == "a"
    assert server.seen[0]["stream"] is False


def test_a_line_is_sent_the_fields_of_its_language(server: Server, load: Load) -> None:
    told = {"pt": {"lang_code": "p"}, "en": {"lang_code": "a"}, "en-GB": {"lang_code": "b"}}
    engine = load(server, fields={"stream": False}, language_fields=told)
    tags = ("pt-BR", "en-GB", "en-US", "de")
    engine.synthesize([Line(text=tag, language=tag, voice="low") for tag in tags])
    seen = {asked["input"]: asked.get("lang_code") for asked in server.seen}
    assert seen == {"pt-BR": "p", "en-GB": "b", "en-US": "a", "de": None}
    assert {asked["stream"] for asked in server.seen} == {False}


def test_a_pool_without_fields_of_languages_is_the_model_that_it_was() -> None:
    before = "c05975a8b2dadba6fea4f83f68a8a391"
    assert Pool(model="m", fields={"lang_code": "a"}).digest[:32] == before
    other = Pool(model="m", fields={"lang_code": "a"}, language_fields={"de": {"lang_code": "d"}})
    assert other.digest[:32] != before


def test_a_wrong_key_is_no_fault_of_the_line(server: Server, load: Load) -> None:
    server.set(key="s3cret")
    (away,) = load(server).synthesize(lines())
    assert isinstance(away, EngineAway)
    words = "Incorrect API key provided: --key-from names the variable that holds its key"
    assert words in str(away)
    assert "s3cret" not in str(away)


def test_no_endpoint_is_sent_more_lines_at_once_than_its_slots(server: Server, load: Load) -> None:
    server.set(seconds=0.1)
    nobody = Endpoint(url="http://127.0.0.1:9/v1", slots=3)
    engine = load(endpoints=(Endpoint(url=server.url, slots=2), nobody))
    assert all(isinstance(sound, Audio) for sound in engine.synthesize(lines(12)))
    assert max(asked["in_flight"] for asked in server.seen) == 2


@pytest.mark.parametrize("fault", ["sizes", "drip"])
def test_an_odd_answer_with_the_whole_line_is_taken(server: Server, load: Load, fault: str) -> None:
    engine = load(server)
    (plain,) = engine.synthesize(lines())
    server.set(faults={fault: 1})
    (odd,) = engine.synthesize(lines())
    assert isinstance(plain, Audio)
    assert isinstance(odd, Audio)
    assert len(odd.samples) == len(plain.samples)


@pytest.mark.parametrize("fault", ["zeros", "short", "json", "error", "traceback"])
def test_an_answer_that_is_not_the_line_is_asked_for_again_elsewhere(
    server: Server, other: Server, load: Load, fault: str
) -> None:
    server.set(faults={fault: 1})
    sounds = load(server, other).synthesize(lines(6))
    spoken = len(other.seen)
    assert all(isinstance(sound, Audio) for sound in sounds)
    assert spoken == 6
    assert server.seen


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("zeros", "silent"),
        ("short", "hardly any sound"),
        ("json", "no sound was made"),
        ("error", "CUDA out of memory"),
        ("traceback", "KeyError: 7"),
    ],
)
def test_a_line_that_fails_everywhere_gets_its_error_without_a_traceback(
    server: Server, load: Load, fault: str, words: str
) -> None:
    server.set(faults={fault: 1})
    (failed,) = load(server).synthesize(lines())
    assert isinstance(failed, EngineFailed)
    assert words in str(failed)
    assert "secret.py" not in str(failed)
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("oddity", "words"),
    [
        ("huge", "larger than any line"),
        ("long", "longer than any line"),
        ("html", "a page in HTML"),
        ("text", "not a sound"),
    ],
)
def test_what_no_speech_server_answers_is_taken_for_a_failure(
    server: Server, load: Load, oddity: str, words: str
) -> None:
    server.set(faults={oddity: 1})
    (failed,) = load(server).synthesize(lines())
    assert isinstance(failed, EngineFailed)
    assert words in str(failed)


def test_no_other_address_is_asked_than_the_one_that_was_added(server: Server, load: Load) -> None:
    server.set(faults={"elsewhere": 1})
    (away,) = load(server).synthesize(lines())
    assert isinstance(away, EngineAway)
    assert "redirects" in str(away)


def test_a_refused_line_is_asked_for_once_and_says_why(server: Server, load: Load) -> None:
    engine = load(server)
    bad, good = engine.synthesize([*lines(text="unspeakable"), *lines()])
    assert isinstance(bad, SpeechRejected)
    assert "cannot speak" in str(bad)
    assert isinstance(good, Audio)
    assert len(server.seen) == 2


def test_a_busy_server_is_asked_again_when_it_wishes(server: Server, load: Load) -> None:
    server.set(faults={"busy": 1})
    engine = load(server)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(engine.synthesize, lines())
        while not server.seen:
            assert not asked.done()
        server.set()
        (sound,) = asked.result()
    assert isinstance(sound, Audio)
    first, second = (asked["at"] for asked in server.seen)
    assert second - first >= 1.0


@pytest.mark.parametrize("fault", ["reset", "gone"])
def test_a_lost_connection_costs_no_line(
    server: Server, other: Server, load: Load, fault: str
) -> None:
    server.set(faults={fault: 0.4}, seed=3)
    sounds = load(server, other).synthesize(lines(8))
    assert all(isinstance(sound, Audio) for sound in sounds)


def test_when_nobody_answers_no_line_is_to_blame(mortal: Server, load: Load) -> None:
    engine = load(mortal)
    mortal.stop()
    began = time.monotonic()
    aways = engine.synthesize(lines(4))
    assert all(isinstance(away, EngineAway) for away in aways)
    assert mortal.url in str(aways[0])
    assert time.monotonic() - began < 20


def test_a_server_that_comes_back_speaks_again(mortal: Server, load: Load) -> None:
    engine = load(mortal)
    mortal.stop()
    assert isinstance(engine.synthesize(lines())[0], EngineAway)
    mortal.start()
    until = time.monotonic() + 60
    while not isinstance((sound := engine.synthesize(lines())[0]), Audio):
        assert isinstance(sound, EngineAway)
        assert time.monotonic() < until


def test_the_engine_says_that_nobody_answers_until_somebody_does(
    mortal: Server, load: Load
) -> None:
    engine, told = load(mortal), SimpleQueue[str]()
    engine.watch(lambda: told.put(engine.trouble))
    assert engine.trouble == ""
    mortal.stop()
    engine.synthesize(lines(4))
    assert mortal.url in told.get(timeout=10)
    mortal.start()
    assert told.get(timeout=30) == ""
    assert told.empty()


def test_an_endpoint_that_is_added_while_nobody_answers_is_found(
    mortal: Server, other: Server, pools: Pools, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dubbing.engines.remote.engine.REFRESH_SECONDS", 0.0)
    engine, told = load(mortal), SimpleQueue[str]()
    engine.watch(lambda: told.put(engine.trouble))
    mortal.stop()
    engine.synthesize(lines(4))
    assert told.get(timeout=10)
    pools.put("openai", pools.get("openai").having(Endpoint(url=other.url)))
    assert told.get(timeout=30) == ""
    assert isinstance(engine.synthesize(lines())[0], Audio)


def test_requests_are_noted_with_their_cost_also_those_that_failed(
    server: Server, other: Server, load: Load
) -> None:
    price, monthly = ({"amount": 7200, "currency": "CNY", "per": per} for per in ("h", "month"))
    first = Endpoint.model_validate({"url": server.url, "slots": 2, "price": price})
    second = Endpoint.model_validate({"url": other.url, "price": monthly})
    for one in (server, other):
        one.set(seconds=0.2)
    server.set(seconds=0.2, faults={"zeros": 1})
    engine = load(endpoints=(first, second))
    with metered() as uses:
        assert all(isinstance(sound, Audio) for sound in engine.synthesize(lines(3)))
    used = {use.endpoint: use for use in by_endpoint(uses)}
    asked = len(server.seen)
    assert len(other.seen) == 3
    assert len(uses) == 3 + asked > 3
    # Half of the server, for as long as each request took.
    assert 0.1 * asked <= used[server.url].seconds < 0.3 * asked
    assert used[server.url].cost == pytest.approx(2 * used[server.url].seconds, rel=1e-3)
    assert used[other.url].seconds >= 0.6
    assert (used[other.url].cost, used[other.url].currency) == (0, "")
    (whole, rented) = by_engine(uses)
    assert (whole.engine, whole.currency, rented.currency) == ("openai", "", "CNY")


def test_an_engine_whose_cap_is_reached_sends_nothing_until_it_may(
    server: Server, pools: Pools, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dubbing.engines.remote.engine.REFRESH_SECONDS", 0.0)
    spent = {"openai": 5.0}
    pools._spent = lambda engine, month, currency: spent[engine]
    engine, told = load(server, cap="5 CNY"), SimpleQueue[str]()
    engine.watch(lambda: told.put(engine.trouble))
    assert isinstance(engine.synthesize(lines())[0], EngineAway)
    month = f"{datetime.now(UTC):%B %Y}"
    assert told.get(timeout=10) == f"the cap of openai for {month} is reached: 5.00 CNY"
    assert server.seen == []
    spent["openai"] = 4.99
    assert told.get(timeout=10) == ""
    assert isinstance(engine.synthesize(lines())[0], Audio)


def test_a_pool_that_is_given_another_model_is_left_alone(
    server: Server, pools: Pools, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dubbing.engines.remote.engine.REFRESH_SECONDS", 0.0)
    engine = load(server)
    pools.put("openai", pools.get("openai").model_copy(update={"revision": "2"}))
    (away,) = engine.synthesize(lines())
    assert isinstance(away, EngineAway)
    assert "another model" in engine.trouble
    assert server.seen == []


def test_an_endpoint_of_another_model_is_not_used(
    server: Server, other: Server, load: Load
) -> None:
    server.set(model="another")
    engine = load(server, other)
    assert all(isinstance(sound, Audio) for sound in engine.synthesize(lines(6)))
    assert server.seen == []


def test_endpoints_are_changed_while_it_runs(
    server: Server, other: Server, pools: Pools, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dubbing.engines.remote.engine.REFRESH_SECONDS", 0.0)
    engine = load(server)
    registry = Registry(Catalogue(pools=pools), pools)
    registry.add("openai", {"url": other.url}, {})
    registry.drain("openai", server.url)
    assert isinstance(engine.synthesize(lines())[0], Audio)
    assert len(other.seen) == 1
    registry.remove("openai", other.url)
    (away,) = engine.synthesize(lines())
    assert isinstance(away, EngineAway)
    registry.drain("openai", server.url, draining=False)
    assert isinstance(engine.synthesize(lines())[0], Audio)


def test_a_pool_learns_model_and_voices_from_its_first_endpoint(
    server: Server, pools: Pools
) -> None:
    registry = Registry(Catalogue(pools=pools), pools)
    pool = registry.add("openai-hum", {"url": f"{server.url}/", "slots": 2}, {})
    assert (pool.model, pool.voices, pool.slots) == (MODEL, tuple(VOICES), 2)
    catalogue = Catalogue(pools=pools)
    assert "openai-hum" in catalogue.names()
    spec = catalogue.create("openai-hum").spec
    assert (spec.voices, spec.batch_lines) == (tuple(VOICES), 16)
    assert [check.error for check in registry.check()] == [""]


@pytest.mark.parametrize(
    ("url", "declared", "words"),
    [
        ("", {"model": "another"}, "does not serve 'another'"),
        ("http://127.0.0.1:9/v1", {}, "no server answers"),
        ("ftp://host/v1", {}, "write it as http"),
        ("http://user:pass@host/v1", {}, "leave out user"),
        ("http://host/v1?key=1", {}, "leave out user"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused_by_name(
    server: Server, pools: Pools, url: str, declared: dict[str, str], words: str
) -> None:
    registry = Registry(Catalogue(pools=pools), pools)
    with pytest.raises(BadInput, match=words):
        registry.add("openai", {"url": url or server.url}, declared)
    assert pools.names() == []


def test_another_model_needs_an_instance_of_its_own(
    server: Server, other: Server, pools: Pools
) -> None:
    registry = Registry(Catalogue(pools=pools), pools)
    registry.add("openai", {"url": server.url}, {})
    with pytest.raises(BadInput, match="openai-2"):
        registry.add("openai", {"url": other.url}, {"revision": "2"})
    registry.add("openai-2", {"url": other.url}, {"revision": "2"})
    first, second = (OpenAI(name, NOWHERE, pools).pool for name in ("openai", "openai-2"))
    assert first.digest != second.digest


def test_without_endpoints_it_says_how_to_add_one(pools: Pools) -> None:
    with pytest.raises(EngineMissing, match="dubbing endpoints add openai URL"):
        OpenAI("openai", NOWHERE, pools).load("remote")

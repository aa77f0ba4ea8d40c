"""Workers of one engine share the slots of its servers, whoever dies and whatever Redis does."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import speech_server
from redis_server import RedisServer
from speaker import LEASE_SECONDS, PATIENCE, speaking
from speech_server import MODEL, VOICES, Server

from dubbing.engines.adapters.openai import OpenAI
from dubbing.engines.engine import Line
from dubbing.engines.models.folders import NOWHERE
from dubbing.engines.remote.pool import Endpoint, Pool, Pools
from dubbing.engines.remote.shares import Place
from dubbing.errors import EngineAway
from dubbing.ledger import Ledger
from dubbing.ledger.slots import Slots
from dubbing.media.samples import Audio
from dubbing.storage import Storage

URL, OTHER = "http://one/v1", "http://other/v1"
LEASE = 60.0
LINE = 0.1
"""Seconds that the server takes for a line."""
SECONDS = 20.0
"""How long anything may take on a slow machine."""


@pytest.fixture(scope="module")
def hum() -> Iterator[Server]:
    with speech_server.running() as server:
        yield server


@pytest.fixture
def server(hum: Server) -> Server:
    hum.reset()
    hum.set(seconds=LINE)
    return hum


@pytest.fixture
def ledger(redis_url: str) -> Ledger:
    """A ledger in a Redis that has been there for long."""
    settle(redis_url)
    return Ledger(redis_url)


def settle(redis_url: str) -> None:
    """Make Redis one that was not emptied just now."""
    with redis.from_url(redis_url) as client:
        client.set("dubbing:began", 0)


def share(
    slots: Slots, wanted: int, having: int = 0, *, of: int = 4, seconds: float = LEASE
) -> int:
    """Return how many slots of one endpoint a process gets."""
    return slots.share("openai", wanted, [Place(URL, of, having)], seconds).slots[0]


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def pool_of(folder: Path, *servers: Server, slots: int) -> Pools:
    """Store a pool of servers with so many slots each; return the pools."""
    storage = Storage.at(str(folder))
    pools = Pools(lambda: storage)
    endpoints = tuple(Endpoint(url=server.url, slots=slots) for server in servers)
    pools.put("openai", Pool(model=MODEL, voices=tuple(VOICES), endpoints=endpoints))
    return pools


def lines(count: int) -> list[Line]:
    return [Line(text=f"This is line {n}.", language="en", voice="low") for n in range(count)]


def test_a_process_alone_has_all_slots_and_two_have_half_of_them(ledger: Ledger) -> None:
    a, b = ledger.slots("a"), ledger.slots("b")
    assert share(a, wanted=1) == 4
    assert share(b, wanted=4) == 0
    assert share(a, wanted=4, having=4) == 2
    assert share(b, wanted=4) == 0, "a did not know yet that two of them are no longer its own"
    assert share(a, wanted=4, having=2) == 2
    assert share(b, wanted=4) == 2


def test_slots_that_others_do_not_want_go_to_those_who_do(ledger: Ledger) -> None:
    a, b = ledger.slots("a"), ledger.slots("b")
    assert share(a, wanted=1) == 4
    share(b, wanted=8)
    assert share(a, wanted=1, having=4) == 1
    share(a, wanted=1, having=1)
    assert share(b, wanted=8) == 3
    assert share(a, wanted=0) == 0
    assert share(b, wanted=8, having=3) == 4


def test_with_fewer_slots_than_processes_one_waits_for_nothing(ledger: Ledger) -> None:
    a, b, place = ledger.slots("a"), ledger.slots("b"), Place(URL, 1, 0)
    assert a.share("openai", 8, [place], LEASE) == ([1], True)
    assert b.share("openai", 8, [place], LEASE) == ([0], False)
    two = [place, Place(OTHER, 1, 0)]
    assert b.share("openai", 8, two, LEASE) == ([0, 1], True)
    assert b.share("openai-2", 8, [place], LEASE) == ([1], True)


def test_the_slots_of_a_dead_process_are_free_when_its_lease_ends(ledger: Ledger) -> None:
    a, b = ledger.slots("a"), ledger.slots("b")
    assert share(a, wanted=4) == 4
    assert share(b, wanted=4) == 0
    began = time.monotonic()
    # Its last call, by which it may still use what it had.
    assert share(a, wanted=4, having=4, seconds=0.2) == 2
    until(lambda: share(b, wanted=4) == 4, "the lease of a ends")
    assert time.monotonic() - began >= 0.2


def test_a_redis_that_was_emptied_gives_away_nothing_that_is_used(
    ledger: Ledger, redis_url: str
) -> None:
    a, b = ledger.slots("a"), ledger.slots("b")
    assert share(a, wanted=4) == 4
    with redis.from_url(redis_url) as client:
        client.flushall()
    assert b.share("openai", 4, [Place(URL, 4, 0)], LEASE) == ([0], True)
    assert share(a, wanted=4, having=4) == 2
    settle(redis_url)
    assert share(b, wanted=4) == 0
    share(a, wanted=4, having=2)
    assert share(b, wanted=4) == 2


def test_no_slot_is_given_twice_whatever_answers_are_lost(ledger: Ledger) -> None:
    dice, most = random.Random(7), 5
    slots = {name: ledger.slots(name) for name in "abc"}
    mine, used = dict.fromkeys(slots, 0), dict.fromkeys(slots, 0)
    for _ in range(400):
        name = dice.choice([*slots])
        # Lines end, and others begin as far as they may.
        used[name] = dice.randint(0, max(mine[name], used[name]))
        assert sum(used.values()) <= most
        if not (wanted := dice.choice([0, 1, 2, 9])):
            mine[name] = 0
        answer = share(slots[name], wanted, max(mine[name], used[name]), of=most)
        if dice.random() < 0.8:
            mine[name] = answer
    assert sum(used.values()) > 0


def test_processes_stay_within_the_slots_of_a_server_when_redis_is_away_and_when_one_dies(
    server: Server, tmp_path: Path
) -> None:
    pool_of(tmp_path, server, slots=2)

    def by(name: str) -> int:
        return sum(asked["input"].startswith(name) for asked in server.seen)

    def last() -> float:
        at: float = server.seen[-1]["at"]
        return at

    with (
        RedisServer(append_only=True) as own,
        speaking(own.url, tmp_path, "anna", 8) as anna,
        speaking(own.url, tmp_path, "ben", 8),
    ):
        settle(own.url)
        until(lambda: min(by("anna"), by("ben")) > 5, "both speak")

        own.kill()
        away = time.time()
        until(lambda: time.time() - last() > 2 * LINE, "nobody speaks while Redis is away")
        assert last() < away + LEASE_SECONDS + LINE
        before = len(server.seen)
        own.start()
        until(lambda: len(server.seen) > before + 10, "they speak again")

        anna.kill()
        anna.wait()
        killed = time.time()

        def taken_over() -> bool:
            after = [one for one in server.seen if one["at"] > killed + 2 * LINE]
            return any(one["in_flight"] == 2 for one in after)

        until(taken_over, "the slot of the dead process is used by the other")
        assert time.time() - killed < LEASE_SECONDS + PATIENCE + 3
    assert max(asked["in_flight"] for asked in server.seen) == 2


def test_an_engine_without_a_slot_is_away_until_others_have_spoken(
    server: Server, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dubbing.engines.remote.shares.RENEW_SECONDS", 0.1)
    pools = pool_of(tmp_path, server, slots=1)
    a, b = (OpenAI("openai", NOWHERE, pools) for _ in range(2))
    for name, engine in (("a", a), ("b", b)):
        engine.shares = ledger.slots(name)
        engine.load("remote")
    server.set(seconds=LINE, held=True)
    spoken: list[object] = []
    thread = threading.Thread(target=lambda: spoken.extend(a.synthesize(lines(6))))
    thread.start()
    until(lambda: server.seen, "a speaks")
    (away,) = b.synthesize(lines(1))
    assert isinstance(away, EngineAway)
    assert "other workers use all slots" in b.trouble
    server.set(seconds=LINE)
    thread.join()
    assert all(isinstance(sound, Audio) for sound in spoken)
    until(lambda: not b.trouble, "b is back")
    assert isinstance(b.synthesize(lines(1))[0], Audio)
    a.unload()
    b.unload()
    assert share(ledger.slots("c"), wanted=4) == 4
    assert max(asked["in_flight"] for asked in server.seen) == 1


def test_lines_of_a_process_whose_server_fails_are_left_to_those_of_another_server(
    server: Server, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dubbing.engines.remote.shares.RENEW_SECONDS", 0.1)
    with speech_server.running() as failing:
        failing.set(faults={"error": 1})
        pools = pool_of(tmp_path, server, failing, slots=1)
        other = ledger.slots("other")
        assert other.share("openai", 9, [Place(server.url, 1, 0)], LEASE).slots == [1]
        engine = OpenAI("openai", NOWHERE, pools)
        engine.shares = ledger.slots("a")
        engine.load("remote")
        found = [spoken for _ in range(3) for spoken in engine.synthesize(lines(1))]
        engine.unload()
    assert isinstance(found[-1], EngineAway)

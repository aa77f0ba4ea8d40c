"""A Redis that is full or takes no writes: refused at once, whole, and put right by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from console import wait_until
from ledgers import QUEUE, claim, complete, depth, job, refs, take
from redis_server import RedisServer
from system import numbered, script

from dubbing.client import Client
from dubbing.errors import QueueUnavailable
from dubbing.job import JobState
from dubbing.jobs.rounds import end_round
from dubbing.jobs.store import End
from dubbing.ledger import Ledger
from dubbing.queue import broker_lists
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings
from dubbing.storage.keys import Keys
from dubbing.system import System

GRACE = 0.2
SECONDS = 5.0
"""How long a refusal may take."""
FULL = ("maxmemory", "100kb")
ROOM = ("maxmemory", "0")


@pytest.fixture
def url() -> Iterator[str]:
    """A Redis of the test's own, whose settings it may change."""
    with RedisServer() as server:
        yield server.url


@pytest.fixture
def server(url: str) -> Iterator[redis.Redis]:
    with redis.from_url(url, decode_responses=True) as commands:
        yield commands


@pytest.fixture
def client(url: str, tmp_path: Path) -> Client:
    storage = str(tmp_path / "storage")
    system = System(Settings(storage_url=storage, redis_url=url, engine="tone"))
    system.ledger = Ledger(url, grace=GRACE)
    return Client(system)


def lines(name: str = "j", count: int = 5) -> Manifest:
    return script(name, *numbered(name, count), engine="tone")


def refuse(server: redis.Redis, how: str) -> str:
    """Have Redis take no writes; return a word of what it says then."""
    if how == "full":
        server.config_set(*FULL)
        return "maxmemory"
    if how == "alone":
        server.config_set("min-replicas-to-write", 1)
        return "good replicas"
    server.replicaof("127.0.0.1", 1)
    return "read only replica"


def accept(server: redis.Redis) -> None:
    server.config_set(*ROOM)
    server.config_set("min-replicas-to-write", 0)
    server.replicaof("NO", "ONE")


def retry(client: Client) -> None:
    client.retry("j")


def revise(client: Client) -> None:
    client.revise(lines(count=6))


refusals = pytest.mark.parametrize("how", ["full", "alone", "replica"])


@refusals
def test_a_submission_that_is_refused_leaves_nothing(
    client: Client, server: redis.Redis, how: str
) -> None:
    word = refuse(server, how)
    begun = time.monotonic()
    with pytest.raises(QueueUnavailable, match=word):
        client.submit_all([lines("a"), lines("b")])
    assert time.monotonic() - begun < SECONDS
    assert list(client.storage.keys("")) == []
    assert server.keys() == []
    accept(server)
    assert client.submit(lines("a")).created


@refusals
@pytest.mark.parametrize("ask", [retry, revise])
def test_a_retry_or_a_revision_that_is_refused_opens_no_round(
    client: Client, server: redis.Redis, how: str, ask: Callable[[Client], object]
) -> None:
    client.submit(lines())
    end_round(client.storage, client.ledger, "j", End(state=JobState.FAILED, round=1))
    stored, known = set(client.storage.keys("")), sorted(server.keys())
    word = refuse(server, how)
    with pytest.raises(QueueUnavailable, match=word):
        ask(client)
    assert set(client.storage.keys("")) == stored
    assert sorted(server.keys()) == known
    accept(server)
    ask(client)
    status = client.status("j")
    assert (status.state, status.round) == (JobState.QUEUED, 2)


@refusals
def test_a_request_that_is_refused_is_refused_at_once(
    client: Client, server: redis.Redis, how: str
) -> None:
    word = refuse(server, how)
    begun = time.monotonic()
    with pytest.raises(QueueUnavailable, match=word) as caught:
        client.say("Good evening.", language="en")
    assert time.monotonic() - begun < SECONDS
    assert "script" not in str(caught.value)
    assert server.keys() == []


def test_where_there_is_room_a_submission_leaves_no_trace_of_having_looked(
    client: Client, server: redis.Redis
) -> None:
    client.ledger.check_writable()
    wait_until(lambda: server.keys() == [], seconds=5, what="nothing in Redis")


def test_a_round_for_which_there_is_no_room_is_opened_not_at_all(
    url: str, server: redis.Redis
) -> None:
    ledger = Ledger(url)
    server.config_set("maxmemory", "2mb")
    with pytest.raises(QueueUnavailable, match="maxmemory"):
        for n in range(1000):
            ledger.open_round(job(f"j{n}"), 1, refs(1000))
    assert n > 0
    assert ledger.standings.snapshot(f"j{n}") is None
    assert server.keys(f"*j{n}:*") == []


def test_a_job_that_is_stored_when_redis_fills_up_goes_on_when_there_is_room(
    client: Client, server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = client.storage.create

    def fill_up(key: str, data: bytes) -> bool:
        server.config_set(*FULL)
        return create(key, data)

    monkeypatch.setattr(client.storage, "create", fill_up)
    with pytest.raises(QueueUnavailable, match="maxmemory"):
        client.submit(lines())
    monkeypatch.undo()
    assert server.keys() == ["dubbing:installation"]
    assert client.storage.exists(Keys.open("j"))
    server.config_set(*ROOM)
    # The same submission is the same job, and puts it to work.
    assert not client.submit(lines()).created
    assert client.status("j").place == 0


def test_a_batch_whose_message_was_refused_is_sent_when_there_is_room(
    client: Client, server: redis.Redis, url: str
) -> None:
    client.ledger.open_round(job(), 1, refs(4))
    for at in take(client.ledger):
        claim(client.ledger, at, "a")
        complete(client.ledger, at)
    server.config_set(*FULL)
    begun = time.monotonic()
    with pytest.raises(QueueUnavailable, match=f"{QUEUE} cannot be written.*maxmemory"):
        client.publisher.fill([QUEUE])
    assert time.monotonic() - begun < SECONDS
    server.config_set(*ROOM)
    sent = 0

    def fill() -> bool:
        nonlocal sent
        sent += client.publisher.fill([QUEUE])
        return sent == 2

    wait_until(fill, seconds=SECONDS, what="sent again")
    assert depth(client.ledger, broker_lists(QUEUE)) == 2
    assert Ledger(url, grace=0.0).take({QUEUE: broker_lists(QUEUE)}) == []

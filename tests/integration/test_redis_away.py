"""A Redis that goes away: readers answer from storage, and watchers wait."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis_server import RedisServer
from shell import Shell
from starlette.testclient import TestClient
from system import script

from dubbing.client import Client, reader
from dubbing.errors import QueueUnavailable
from dubbing.gateway.app import make_app
from dubbing.job import JobState
from dubbing.jobs.rounds import end_round
from dubbing.jobs.store import End
from dubbing.ledger import server
from dubbing.settings import Settings


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are not tried again, and watchers ask often."""
    monkeypatch.setattr(server, "RETRIES", 0)
    monkeypatch.setattr(reader, "WATCH_SECONDS", 0.05)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture
def client(tmp_path: Path, redis: RedisServer) -> Client:
    """A client with a completed job and an open one, in one collection."""
    settings = Settings(storage_url=str(tmp_path), redis_url=redis.url, engine="tone")
    client = Client.connect(settings)
    for name in ("done", "open"):
        client.submit(script(name, "A line.", engine="tone", collection="all"))
    output = "jobs/done/output/1/a/"
    end = End(state=JobState.COMPLETED, round=1, lines=1, done=1, output=output)
    end_round(client.storage, client.ledger, "done", end)
    return client


def test_a_job_that_has_ended_is_read_from_storage(client: Client, redis: RedisServer) -> None:
    before = client.status("done")
    redis.kill()
    found = client.status("done")
    assert found.redis_away.startswith("Redis does not answer")
    assert found.model_copy(update={"redis_away": ""}) == before
    assert client.why("done")[1] == []
    assert [*client.watch("done")] == [found]
    states = {one.id: one.state.value for one in client.jobs()}
    assert states == {"done": "completed", "open": "unknown"}
    assert [one.id for one in client.jobs(states=[JobState.SYNTHESIZING])] == ["open"]
    assert all(one.redis_away for one in client.collection("all"))
    for call in (client.status, client.why, client.wait):
        with pytest.raises(QueueUnavailable):
            call("open")


def test_a_list_of_jobs_says_that_redis_is_away(
    client: Client,
    redis: RedisServer,
    tmp_path: Path,
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUBBING_STORAGE_URL", str(tmp_path))
    monkeypatch.setenv("DUBBING_REDIS_URL", redis.url)
    redis.kill()
    jobs, complaint = shell("jobs")
    assert "unknown" in jobs
    assert "warning: storage alone could be asked: Redis does not answer" in complaint


def test_a_gateway_tells_a_load_balancer_at_once_that_redis_is_away(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "RETRIES", 1000)
    settings = Settings(storage_url=str(tmp_path), redis_url=redis.url)
    balancer = TestClient(make_app(Client.connect(settings), settings, loopback=True))
    assert balancer.get("/ready").json() == {"ready": True, "redis": "ok", "storage": "ok"}
    redis.kill()
    answer = balancer.get("/ready")
    assert (answer.status_code, answer.json()["redis"]) == (503, "queue_unavailable")
    assert balancer.get("/api/health").json()["status"] == "unhealthy"


def test_a_watcher_waits_for_redis_and_gives_up_in_the_end(
    client: Client, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = client.watch("open")
    known = next(watched)
    redis.kill()
    away = next(watched)
    assert away.redis_away
    assert away.model_copy(update={"redis_away": ""}) == known
    assert next(watched).redis_away
    redis.start()
    deadline = time.monotonic() + 10
    while next(watched).redis_away:
        assert time.monotonic() < deadline
    redis.kill()
    monkeypatch.setattr(reader, "AWAY_SECONDS", 0.0)
    with pytest.raises(QueueUnavailable):
        deque(watched)

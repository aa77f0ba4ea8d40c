"""A Redis that answers and cannot do: a cluster, a user with too few rights, a policy that evicts.

What is wrong is said before anything is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis
from console import Console
from redis_server import RedisServer, free_port
from services import unavailable
from system import script

from dubbing.client import Client
from dubbing.errors import QueueRefused, QueueUnavailable
from dubbing.ledger import Ledger
from dubbing.settings import Settings

ALL = ("~*", "&*", "+@all")
EVICTING = {"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a Redis of our own."""
    port = free_port()
    try:
        with RedisServer(port=port):
            yield port
    except QueueUnavailable as exc:
        unavailable(str(exc))


@pytest.fixture
def server(port: int) -> Iterator[redis.Redis]:
    with redis.from_url(f"redis://127.0.0.1:{port}/0", decode_responses=True) as server:
        server.flushall()
        yield server
        server.config_set("maxmemory", "0")
        server.config_set("maxmemory-policy", "noeviction")


def url_of(server: redis.Redis, port: int, rights: Sequence[str]) -> str:
    """Return the URL of a user who has these rights alone."""
    server.execute_command("ACL", "SETUSER", "anna", "reset", "on", "nopass", *rights)
    return f"redis://anna:any@127.0.0.1:{port}/0"


def refused(url: str, home: Path, words: str) -> None:
    """Assert that a job is refused with these words, and nothing of it is stored."""
    client = Client.connect(Settings(home=home, redis_url=url, storage_url="", engine="tone"))
    with pytest.raises(QueueRefused, match=words):
        client.submit(script("j", "A line."))
    assert list(client.storage.keys("jobs/")) == list(client.storage.keys("open/")) == []


RIGHTS = {
    "scripts": ((*ALL, "-@scripting"), r"user anna use EVALSHA, SCRIPT LOAD: allow"),
    "a kind of key": ((*ALL, "-@sortedset"), r"use ZADD, ZCARD, .*, ZSCORE: allow"),
    "one command": ((*ALL, "-lpos", "-setbit"), r"use LPOS, SETBIT: allow"),
    "its keys": (("~other:*", "&*", "+@all"), r"EVALSHA: .* keys dubbing:\* and all"),
    "its channels": (("~*", "resetchannels", "+@all"), r"PUBLISH: .* all channels"),
    "transactions": ((*ALL, "-@transaction"), r"use EXEC, MULTI: allow"),
}


@pytest.mark.parametrize("lacking", RIGHTS)
def test_the_commands_that_a_user_lacks_are_named_before_a_job_is_stored(
    lacking: str, server: redis.Redis, port: int, tmp_path: Path
) -> None:
    rights, words = RIGHTS[lacking]
    refused(url_of(server, port, rights), tmp_path, words)


def test_a_worker_needs_more_rights_than_who_submits(
    server: redis.Redis, port: int, tmp_path: Path
) -> None:
    url = url_of(server, port, (*ALL, "-brpop", "-blpop", "-psubscribe"))
    assert Ledger(url).check_writable() == ""
    words = "use BLPOP, BRPOP, PSUBSCRIBE: allow"
    with pytest.raises(QueueRefused, match=words):
        Ledger(url).check_writable(consume=True)
    dubbing = Console(tmp_path, DUBBING_REDIS_URL=url)
    assert words in dubbing("doctor", code=1).stdout
    assert words in dubbing("worker", "tone", code=2).stderr


def test_the_one_channel_that_a_worker_listens_to_may_be_all_that_it_is_allowed(
    server: redis.Redis, port: int
) -> None:
    rights = ("~*", "+@all", "resetchannels", "&dubbing:*", "&dubbing:queue:/0.celery.pidbox")
    Ledger(url_of(server, port, rights)).check_writable(consume=True)
    with pytest.raises(QueueRefused, match="use PSUBSCRIBE: allow"):
        Ledger(url_of(server, port, rights[:-1])).check_writable(consume=True)


def test_the_rights_that_are_asked_for_are_enough(
    server: redis.Redis, port: int, tmp_path: Path
) -> None:
    url = url_of(
        server,
        port,
        ("~dubbing:*", "&*", "+@all", "-@admin", "-@dangerous"),
    )
    client = Client.connect(Settings(home=tmp_path, redis_url=url, storage_url="", engine="tone"))
    assert client.submit(script("j", "A line.")).created
    assert client.ledger.check_writable(consume=True) == ""


def test_a_cluster_is_refused_before_a_job_is_stored(tmp_path: Path) -> None:
    port = free_port()
    with RedisServer(port=port, cluster=True):
        url = f"redis://127.0.0.1:{port}/0"
        refused(url, tmp_path, "is a cluster, .* a single server is needed")
        with redis.from_url(url) as server:
            # Rights would not help, so they are not asked for.
            refused(url_of(server, port, (*ALL, "-evalsha")), tmp_path, "is a cluster")
            # Where Redis may not say what it is, its words tell, whether it serves keys or not.
            silent = url_of(server, port, (*ALL, "-info"))
            refused(silent, tmp_path, "is a cluster")
            server.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
            refused(silent, tmp_path, "is a cluster")
        said = Console(tmp_path, DUBBING_REDIS_URL=url)("doctor", code=1).stdout
        assert f"Redis: Redis at {url} is a cluster" in said


def test_a_policy_that_evicts_is_refused_by_doctor_and_named_by_submit_and_workers(
    server: redis.Redis, port: int, tmp_path: Path
) -> None:
    for name, value in EVICTING.items():
        server.config_set(name, value)
    url = f"redis://127.0.0.1:{port}/0"
    words = "(maxmemory-policy is allkeys-lru): set maxmemory-policy noeviction"
    client = Client.connect(Settings(home=tmp_path, redis_url=url, storage_url="", engine="tone"))
    cautions = client.submit(script("j", "A line.")).cautions
    assert [words in caution.message for caution in cautions if caution.code == "eviction"] == [
        True
    ]
    dubbing = Console(tmp_path, DUBBING_REDIS_URL=url)
    assert words in dubbing("doctor", code=1).stdout
    with dubbing.started("worker", "tone", "--slots", "1") as worker:
        assert worker.stderr
        # Before anything else, so that it is not overlooked.
        assert words in worker.stderr.readline()


def test_without_a_limit_of_memory_no_policy_evicts(server: redis.Redis, port: int) -> None:
    server.config_set("maxmemory-policy", "allkeys-lru")
    assert Ledger(f"redis://127.0.0.1:{port}/0").check_writable() == ""


def test_a_redis_that_takes_no_writes_now_is_told_in_its_own_words(
    server: redis.Redis, port: int
) -> None:
    url = f"redis://127.0.0.1:{port}/0"
    server.config_set("maxmemory", "100kb")
    with pytest.raises(QueueUnavailable) as caught:
        Ledger(url).check_writable()
    words = "command not allowed when used memory > 'maxmemory'"
    assert str(caught.value) == f"Redis refused at {url}: {words}"
    assert not isinstance(caught.value, QueueRefused)


def test_rights_that_are_taken_away_later_are_told_in_redis_words(
    server: redis.Redis, port: int
) -> None:
    ledger = Ledger(url_of(server, port, (*ALL, "-script")))
    with pytest.raises(QueueRefused, match="'script' command"):
        ledger.take({"synthesis.tone": ["any"]})

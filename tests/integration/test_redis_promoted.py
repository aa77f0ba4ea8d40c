"""Redis with Sentinels: a job goes on when a replica is promoted, and errors say what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.sentinel import MasterNotFoundError, SentinelConnectionPool
from sentinels import MASTER, PASSWORD, GuardedRedis
from services import PLUGINS
from system import System, numbered, script
from tls import CERTIFICATE, tls_before

from dubbing.errors import QueueRefused, QueueUnavailable
from dubbing.ledger import Ledger
from dubbing.ledger.connect import connect
from dubbing.settings import Settings


def test_sentinels_name_the_new_master_to_a_job_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    server = GuardedRedis()
    with System(tmp_path / "home", server=server, redis_url=server.seen_at) as system:
        job = script("guarded", *numbered("Guarded", 24, "<slow:0.1>"))
        system.client.submit(job)
        system.begun(job, 10)
        server.kill()
        system.wait(job.id)
        assert system.whole(job)
        assert system.spoken_in_vain(job) == []


@pytest.fixture(scope="module")
def guarded() -> Iterator[GuardedRedis]:
    with GuardedRedis() as server:
        yield server


@pytest.mark.parametrize(
    ("told", "other", "words"),
    [
        (PASSWORD, "wrong", "check sentinel_username and sentinel_password"),
        ("/0?", "/99?", "DB index is out of range: check the database"),
        ("sentinel://", "sentinel://bob:any@", "check the user and the password"),
    ],
)
def test_sentinels_and_their_master_say_what_is_wrong(
    guarded: GuardedRedis, told: str, other: str, words: str
) -> None:
    Ledger(guarded.seen_at).greet()
    with pytest.raises(QueueRefused, match=words) as caught:
        Ledger(guarded.seen_at.replace(told, other)).greet()
    assert PASSWORD not in str(caught.value)


def test_a_master_that_no_sentinel_knows_is_named_with_those_that_were_asked(
    guarded: GuardedRedis,
) -> None:
    with pytest.raises(QueueUnavailable) as caught:
        Ledger(guarded.seen_at.replace(MASTER, "dabs")).greet()
    words = "No master found for 'dabs' : 127.0.0.1:{} - network:ConnectionError"
    assert re.search(words.replace("{}", r"\d+"), str(caught.value))
    assert "the name of the master in DUBBING_REDIS_URL right?" in str(caught.value)


def test_the_certificates_of_sentinels_are_checked(guarded: GuardedRedis, tmp_path: Path) -> None:
    with tls_before(guarded.sentinel_port, tmp_path) as port:
        url = f"sentinels://127.0.0.1:{port}/{MASTER}/0?sentinel_password={PASSWORD}"
        with pytest.raises(MasterNotFoundError):
            _master(Settings(redis_url=url))
        trusting = Settings(redis_url=url, ca_file=tmp_path / CERTIFICATE)
        assert _master(trusting) == ("127.0.0.1", guarded.port)


def _master(settings: Settings) -> Any:
    pool = connect(settings.redis).connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    return pool.get_master_address()

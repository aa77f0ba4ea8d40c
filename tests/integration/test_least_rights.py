"""The rights that docs name for each kind of process: enough for its work, and for nothing else."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
import s3_server as s3
from bucket_policy import Policy
from limits import RateLimitItemPerMinute
from proxy import Proxy, proxy_before
from redis.exceptions import NoPermissionError
from redis_server import RedisServer, free_port
from redis_users import make_users, url_of
from services import PLUGINS
from system import System, numbered, script

from dubbing.errors import StorageUnavailable
from dubbing.gateway.crowd import Crowd
from dubbing.gateway.limits import Counter
from dubbing.ledger import Ledger
from dubbing.queue import broker_lists, queues_of
from dubbing.storage import S3Options, Storage
from dubbing.storage.keys import Keys

ENGINE = "faulty"
"""The engine of the worker with the least rights."""


class Bounded(System):
    """A system in which each process is a user of its own."""

    def __init__(self, home: Path, port: int, policed: str, **settings: Any) -> None:
        """Take also the address at which the policy of the engine's worker holds."""
        url = url_of("submitter", port)
        super().__init__(home, server=_Guarded(port), redis_url=url, **settings)
        self._port = port
        self._policed = policed

    def launch(self, engine: str, *, log: str = "", **variables: str) -> subprocess.Popen[bytes]:
        """Return a worker that reaches Redis as the user of its engine, and the bucket as well."""
        variables |= {"DUBBING_REDIS_URL": url_of(engine, self._port)}
        if engine == ENGINE:
            variables |= {"DUBBING_S3_ENDPOINT": self._policed}
        return super().launch(engine, log=log, **variables)


class _Guarded(RedisServer):
    def __init__(self, port: int) -> None:
        super().__init__(port=port)

    def start(self) -> None:
        super().start()
        with redis.from_url(self.url) as server:
            make_users(server, ENGINE)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def policed(s3_options: S3Options) -> Iterator[Proxy]:
    """The bucket, as the worker of the engine may use it."""
    with proxy_before(s3_options.endpoint or "") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, port: int, s3_options: S3Options, policed: Proxy
) -> Iterator[System]:
    settings = s3.settings(s3_options)
    policed.answer = Policy(ENGINE, settings["storage_url"])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        home = tmp_path_factory.mktemp("rights")
        with Bounded(home, port, policed.url, **settings) as system:
            yield system


def test_each_user_may_do_its_work(system: System, policed: Proxy) -> None:
    job = script("bounded", *numbered("Bounded", 24, "<slow:0.05>"))
    system.client.submit(job)
    system.begun(job, 8)
    with redis.from_url(system.redis.url) as server:
        # The workers put the job back to work.
        server.flushall()
    system.wait(job.id)
    assert system.whole(job)
    assert "NOPERM" not in system.log("faulty") + system.log("assembly")
    with redis.from_url(system.redis.url, decode_responses=True) as server:
        # The client introduces itself, and does not mind a refusal.
        refused = {entry["object"] for entry in server.acl_log()} - {"client"}
        assert refused == set()
    assert isinstance(policed.answer, Policy)
    assert policed.answer.refused == []


def test_a_gateway_may_count_and_be_counted(system: System, port: int) -> None:
    async def served() -> int:
        counter, crowd = Counter(url_of("gateway", port)), Crowd(url_of("gateway", port))
        fits, _ = await counter.count(RateLimitItemPerMinute(9), "all")
        assert fits
        await crowd.step()
        await crowd.end()
        await counter.end()
        return crowd.size

    assert asyncio.run(served()) == 0
    ledger = Ledger(url_of("gateway", port))
    ledger.sessions.begin("a-session", "whose")
    assert ledger.sessions.get("a-session") == "whose"
    ledger.check_writable()


REST: dict[str, tuple[Any, ...]] = {
    "settings": ("CONFIG", "GET", "*"),
    "users": ("ACL", "LIST"),
    "all keys": ("KEYS", "*"),
    "emptying": ("FLUSHALL",),
    "emptying one database": ("FLUSHDB",),
    "what others ask": ("MONITOR",),
    "other connections": ("CLIENT", "LIST"),
    "scripts of others": ("SCRIPT", "FLUSH"),
    "a script as text": ("EVAL", "return 1", 0),
    "following": ("REPLICAOF", "127.0.0.1", 1),
    "an end": ("SHUTDOWN",),
    "debugging": ("DEBUG", "SLEEP", 0),
    "another program's key": ("GET", "theirs"),
    "a session of the gateway": ("GET", "dubbing:session:0"),
    "a limit of the gateway": ("SET", "dubbing:limits:LIMITS", 0),
    "the queue of another engine": ("BRPOP", *broker_lists(queues_of("tone")[0]), 1),
    "a longer name that begins alike": ("LRANGE", broker_lists("synthesis.faulty-2")[-1], 0, -1),
    "an order to another worker": ("LPUSH", "dubbing:queue:worker.tone.1@host", "x"),
    "costs of another engine": ("SET", "dubbing:spent:tone:2026-11:EUR", 0),
    "another channel": ("PUBLISH", "theirs", "x"),
    "in a script, another program's key": ("SCRIPTED", "GET", "theirs"),
    "in a script, emptying": ("SCRIPTED", "FLUSHALL"),
}


@pytest.mark.parametrize("what", REST)
def test_the_worker_of_an_engine_may_do_nothing_else(system: System, port: int, what: str) -> None:
    name, *words = REST[what]
    with redis.from_url(url_of("faulty", port)) as server:
        if name == "SCRIPTED":
            script_ = server.script_load("return redis.call(unpack(ARGV))")
            with pytest.raises(redis.ResponseError, match=r"permission|can't (run|access)"):
                server.evalsha(script_, 0, *words)
        else:
            with pytest.raises(NoPermissionError):
                server.execute_command(name, *words)


TO_READ = {
    "keys of the gateway": Keys.api_key("0"),
    "secrets of webhooks": Keys.webhook("acme", "0"),
    "films": "media/0",
    "uploads": Keys.upload("acme", "0"),
    "outputs": f"{Keys.job_folder('j')}output/1/0/dub.mp4",
}
TO_WRITE = {
    "a job": Keys.job("j"),
    "the end of a job": Keys.end("j", 1),
    "a plan": Keys.plan("j", 1),
    "another engine": "engines/tone.json",
    "the name of a voice": "voice-names/anna",
    "the installation": Keys.INSTALLATION,
}


@pytest.mark.parametrize("what", [*TO_READ, *TO_WRITE])
def test_the_worker_of_an_engine_reaches_nothing_else_in_the_bucket(
    system: System, policed: Proxy, s3_options: S3Options, what: str
) -> None:
    bucket = Storage.at(system.settings.storage, replace(s3_options, endpoint=policed.url))
    bucket = bucket.impatient()
    with pytest.raises(StorageUnavailable):
        if what in TO_READ:
            bucket.get(TO_READ[what])
        else:
            bucket.replace(TO_WRITE[what], b"")
    with pytest.raises(StorageUnavailable):
        bucket.delete((TO_READ | TO_WRITE)[what])

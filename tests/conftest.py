"""Shared fixtures: a real Redis, a real S3 server, a shell, and storage in a folder and a bucket.

A service that is missing on this machine skips its tests; with CI set it fails them.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import engine_servers
import pytest
import redis
import s3_server as s3
from redis_server import RedisServer
from services import unavailable
from shell import Shell
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

from dubbing.errors import QueueUnavailable
from dubbing.ledger import Ledger
from dubbing.storage import S3Options, Storage
from dubbing.telemetry.context import bound

TOGETHER = ("tests/unit/engines/adapters/", "tests/unit/media/")
"""Folders each of which runs in one process: its files import PyTorch, or make the same films."""


class ByFolder(LoadFileScheduling):
    """Gives a process whole files, and whole folders in `TOGETHER`."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder | None:
    """Have `--dist=loadfile` keep together what costs more apart."""
    return ByFolder(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def unbound() -> Iterator[None]:
    """Keep what a test binds for log lines out of the tests after it."""
    with bound():
        yield


@pytest.fixture(scope="session", autouse=True)
def temporary_folder() -> Iterator[None]:
    """Give this run its own temporary folder, as killed processes leave files in it.

    Its path is short, as a socket's path may not exceed some 100 characters.
    """
    before = tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix="dub-", ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        yield
        engine_servers.close_shared()
    os.environ["TMPDIR"] = tempfile.tempdir = before


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of this run's own redis-server; none of its data is kept."""
    try:
        with RedisServer() as server:
            yield server.url
    except QueueUnavailable as exc:
        unavailable(str(exc))


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of an empty Redis."""
    with redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture
def ledger(redis_url: str) -> Ledger:
    """A ledger in an empty Redis."""
    return Ledger(redis_url)


@pytest.fixture
def shell(
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """A shell with a Redis, and no worker; no other setting is set."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    for name in [name for name in os.environ if name.startswith("DUBBING_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DUBBING_HOME", str(home))
    monkeypatch.setenv("DUBBING_REDIS_URL", redis_url)
    return Shell(home, capsys)


@pytest.fixture(scope="session")
def s3_options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    """Options to reach a real S3 server with the buckets `s3_server.BUCKETS`."""
    if find_spec("swift") is None:
        unavailable("OpenStack Swift")
    with s3.running(tmp_path_factory.mktemp("s3")) as options:
        yield options


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this run's tiny models; each is made at its first use."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """An empty folder for an assembly's temporary files."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty storage: once a folder, once below a prefix of a bucket."""
    if request.param == "folder":
        return Storage.at(str(tmp_path / "storage"))
    options: S3Options = request.getfixturevalue("s3_options")
    return Storage.at(f"s3://{s3.BUCKETS[0]}/{uuid.uuid4().hex}", options)

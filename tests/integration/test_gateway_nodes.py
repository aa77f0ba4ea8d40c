"""Nodes, and the routes of Voice Clone TTS v3: a gateway, a worker, and a server of an engine."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

import clone_tts
import engine_servers
import gateways
import httpx2
import pytest
import soundfile
from clone_tts import Row
from gateways import Gateway
from recordings import speech
from system import System, script

from dubbing.gateway.announcements import Announcement, Sort
from dubbing.keyring import Keyring, Scope
from dubbing.ledger.servers import ServerBeat
from dubbing.storage import Keys

SERVED = "remote-tone"
ANY = {"DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": "10000"}
"""A limit that no test reaches."""


class OneWorker(System):
    ENGINES: ClassVar[Mapping[str, str]] = {"tone": "tone"}


@dataclass
class Place:
    """A system with a gateway, and those who call it."""

    system: System
    gateway: Gateway
    admin: httpx2.Client
    reader: httpx2.Client
    """Of the tenant ``readers``."""

    @property
    def worker(self) -> str:
        (worker,) = self.system.client.fleet.workers()
        return worker.name

    def node(self, id_: str) -> dict[str, Any]:
        return self.reader.get(f"/api/nodes/{id_}").json()

    def command(self, id_: str, command: str, **fields: str) -> httpx2.Response:
        return self.admin.post(f"/api/nodes/{id_}/command", json={"command": command, **fields})

    def register(self, **fields: Any) -> httpx2.Response:
        return self.admin.post("/api/nodes/register", json={"engine": SERVED, **fields})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        home = tmp_path_factory.mktemp("nodes")
        system = stack.enter_context(OneWorker(home / "home", engine="tone", slots=1))
        # No worker takes it, so it stays open.
        system.client.submit(
            script("waits", "A line.", engine="espeak", language="en", tenant="others")
        )
        gateway = stack.enter_context(gateways.running(system.settings, **ANY))
        system.ready(1)
        keys = Keyring(system.client.storage)
        _, admin = keys.make("default", [Scope.ADMIN])
        _, reader = keys.make("readers", [Scope.READ])
        yield Place(system, gateway, gateway.as_(admin), gateway.as_(reader))


def test_a_worker_is_a_node_with_its_load_and_its_counts(place: Place) -> None:
    place.system.client.say("A line.", language="en", voice="low")
    crew, worker = place.system.client.ledger.crew, place.worker
    place.system.until(lambda: crew.work(worker).done, "counted")
    # A change of state is published at once, and the counts with it.
    assert place.command(worker, "standby").status_code == 200
    place.system.until(lambda: place.node(worker)["status"] == "standby", "standing by")
    found = place.node(worker)
    assert (found["kind"], found["engines"], found["engine_type"]) == ("worker", ["tone"], "tone")
    assert (found["slots"], found["max_concurrent"], found["model_loaded"]) == (1, 1, False)
    assert (found["request_count"], found["error_count"]) == (1, 0)
    assert 0 < found["avg_response_time"] < 10
    assert 0 < found["memory_percent"] < 100
    assert 30 < found["worker_memory_mb"] < found["memory_used_mb"]
    assert (found["gpu_percent"], found["gpu_memory_used_mb"]) == (None, None)
    assert 0 <= found["heartbeat_age"] < 10
    told = place.command(worker, "activate").json()
    assert (told["loaded"], told["resting"]) == (["tone"], {})


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 1), ("?engine=tone", 1), ("?engine=xtts", 0), ("?status=offline", 0)],
)
def test_nodes_are_listed_by_engine_and_status(place: Place, query: str, count: int) -> None:
    found = place.reader.get(f"/api/nodes{query}").json()
    assert (len(found["nodes"]), found["count"]) == (count, count)


def test_a_command_that_cannot_be_carried_out_is_refused(place: Place) -> None:
    worker = place.worker
    assert place.command("nobody@nowhere", "standby").status_code == 404
    assert place.command(worker, "dance").status_code == 422
    refused = place.command(worker, "load_model", engine="xtts")
    assert refused.status_code == 422
    assert "was not started for 'xtts'" in refused.json()["message"]
    route = f"/api/nodes/{worker}/command"
    assert place.reader.post(route, json={"command": "standby"}).status_code == 403


def test_a_worker_that_is_told_to_stop_ends(place: Place) -> None:
    first = place.worker
    other = place.system.launch("tone", log="other")
    try:
        place.system.ready(2)
        names = {worker.name for worker in place.system.client.fleet.workers()}
        (name,) = names - {first}
        assert place.command(name, "stop").status_code == 202
        assert other.wait(timeout=30) == 0
    finally:
        other.kill()
        other.wait()
    assert place.worker == first


@pytest.fixture(scope="module")
def server() -> str:
    """The address of a server of the tone engine."""
    return engine_servers.shared().url


@pytest.fixture
def registered(place: Place, server: str) -> Iterator[dict[str, Any]]:
    answer = place.register(url=server, node_id="card-1", slots=1)
    assert answer.status_code == 201, answer.text
    yield answer.json()
    place.admin.delete("/api/nodes/card-1")


def test_a_server_that_registers_is_an_endpoint_of_its_engine(
    place: Place, registered: dict[str, Any], server: str
) -> None:
    (endpoint,) = place.system.client.registry.pools.get(SERVED).endpoints
    assert (endpoint.url, endpoint.node) == (server, "card-1")
    found = place.node("card-1")
    assert (found["kind"], found["engine"], found["status"]) == ("server", SERVED, "ready")
    assert (found["url"], found["last_heartbeat"]) == (server, None)
    priced = {**endpoint.model_dump(), "price": "2 CNY/h"}
    place.system.client.registry.add(SERVED, priced, {})
    # The same again, and the same server at another address.
    assert place.register(url=server, node_id="card-1").status_code == 200
    moved = place.register(host="localhost", port=urlsplit(server).port, node_id="card-1")
    assert moved.status_code == 200, moved.text
    assert moved.json()["registered_at"] == registered["registered_at"]
    (endpoint,) = place.system.client.registry.pools.get(SERVED).endpoints
    assert urlsplit(endpoint.url).hostname == "localhost"
    assert str(endpoint.price) == "2 CNY/h"


def test_a_server_is_as_its_heartbeats_tell(place: Place, registered: dict[str, Any]) -> None:
    beat = {"status": "busy", "current_concurrent": 1, "gpu_percent": 80.5, "request_count": 12}
    told = place.admin.post("/api/nodes/card-1/heartbeat", json={**beat, "uptime": 3})
    assert told.status_code == 200, told.text
    found = place.node("card-1")
    assert (found["status"], found["current_load"], found["gpu_percent"]) == ("busy", 1, 80.5)
    assert (found["request_count"], found["avg_response_time"]) == (12, None)
    # Nothing was heard of it for a minute.
    place.system.client.ledger.servers.beat("card-1", ServerBeat(at=time.time() - 60))
    assert place.node("card-1")["status"] == "offline"


def test_a_server_is_sent_lines_or_none_as_it_is_told(
    place: Place, registered: dict[str, Any]
) -> None:
    assert place.command("card-1", "standby").json()["loaded"] == []
    assert place.system.client.registry.pools.get(SERVED).endpoints[0].draining
    assert place.node("card-1")["status"] == "standby"
    assert place.command("card-1", "activate").json()["loaded"] == [SERVED]
    assert not place.system.client.registry.pools.get(SERVED).endpoints[0].draining


def test_a_server_is_an_endpoint_that_is_added_checked_drained_and_removed(
    place: Place, server: str
) -> None:
    pool, admin = f"/v1/endpoints/{SERVED}", place.admin
    body = {"url": server, "slots": 1, "price": "2 CNY/h", "voices": [], "model": ""}
    added = admin.post(pool, json=body)
    assert added.status_code == 201, added.text
    told = {"url": server, "slots": 1, "draining": False, "key_from": "", "price": "2 CNY/h"}
    assert added.json()["endpoints"] == [told]
    assert "low" in added.json()["voices"]
    assert admin.get("/v1/endpoints").json() == {"engines": [added.json()]}
    changed = admin.post(pool, json={"url": server})
    assert (changed.status_code, changed.json()["endpoints"][0]["price"]) == (200, None)
    (node,) = [one for one in admin.get("/api/nodes").json()["nodes"] if one["kind"] == "server"]
    assert admin.post(f"{pool}/drain", json={"url": server}).json()["endpoints"][0]["draining"]
    assert place.node(node["node_id"])["resting"] == {SERVED: ""}
    back = admin.post(f"{pool}/drain", json={"url": server, "draining": False}).json()
    assert not back["endpoints"][0]["draining"]
    assert admin.post(f"{pool}/check").json() == {"checks": [{"url": server, "error": ""}]}
    # It is forgotten with its last heartbeat, or it would be offline when it comes back.
    place.system.client.ledger.servers.beat(node["node_id"], ServerBeat(at=time.time() - 60))
    assert admin.delete(pool, params={"url": server}).json()["endpoints"] == []
    assert place.system.client.ledger.servers.beats() == {}
    for answer in (
        admin.delete(pool, params={"url": server}),
        admin.post(f"{pool}/drain", json={"url": server}),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("engine", "wrong", "words"),
    [
        (SERVED, {"url": "http://127.0.0.1:1/"}, "no server answers there"),
        (SERVED, {"url": "file:///etc/passwd"}, "write it as http://host:port"),
        (SERVED, {"url": "http://me:secret@127.0.0.1:1"}, "leave out user"),
        (SERVED, {"url": "http://127.0.0.1:1", "key_from": "PATH"}, "name a variable"),
        (SERVED, {"url": "http://127.0.0.1:1", "price": "cheap"}, "write it as 1.98 CNY/h"),
        ("tone", {"url": "http://127.0.0.1:1"}, "it has no endpoints"),
        ("nobodys", {"url": "http://127.0.0.1:1"}, "nobodys"),
        ("..", {"url": "http://127.0.0.1:1"}, ""),
        ("<b>", {"url": "http://127.0.0.1:1"}, ""),
    ],
)
def test_a_server_that_cannot_be_used_is_not_added(
    place: Place, engine: str, wrong: Mapping[str, Any], words: str
) -> None:
    path = f"/v1/endpoints/{engine.replace('..', '%2e%2e')}"
    refused = place.admin.post(path, json=wrong)
    assert refused.status_code in {404, 405, 422}, refused.text
    assert words in refused.json()["message"]
    assert place.admin.get("/v1/endpoints").json() == {"engines": []}


def test_the_drawn_routes_of_servers_do_the_same(place: Place, server: str) -> None:
    body = {"engine_type": SERVED, "node_id": "drawn", "max_concurrent": 1, "status": "ready"}
    assert place.admin.post("/api/register", json={**body, "url": server}).status_code == 201
    assert place.admin.post("/api/heartbeat", json={"node_id": "drawn"}).status_code == 200
    assert place.node("drawn")["heartbeat_age"] < 10
    assert place.admin.post("/api/unregister", json={"node_id": "drawn"}).status_code == 204
    assert not place.system.client.registry.pools.get(SERVED).endpoints
    assert place.admin.delete("/api/nodes/drawn").status_code == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"host": "0.0.0.0", "port": 6006}, "workers cannot reach it"),
        ({"url": "http://[::]:6006"}, "workers cannot reach it"),
        ({"host": "card-1"}, "send url, or host and port"),
        ({"url": "file:///etc/passwd"}, "http://host:port/path"),
        ({"url": "http://127.0.0.1:1"}, "no server answers there"),
        ({"url": "http://127.0.0.1:1", "key_from": "AWS_SECRET"}, "name a variable"),
        ({"url": "http://127.0.0.1:1", "engine": "tone"}, "it has no endpoints"),
    ],
)
def test_a_server_that_cannot_be_used_is_not_registered(
    place: Place, fields: dict[str, Any], words: str
) -> None:
    refused = place.register(**fields)
    assert refused.status_code == 422
    assert words in refused.json()["message"]
    assert place.reader.post("/api/nodes/register", json={}).status_code == 403


def test_announcements_hold_until_they_are_deleted_or_expire(place: Place) -> None:
    storage, now = place.system.client.storage, datetime.now(UTC)
    old = Announcement(
        id="old", type=Sort.INFO, title="Past", message="", created_at=now, expires_at=now
    )
    storage.replace(Keys.announcement("old"), old.model_dump_json().encode())
    body = {"type": "maintenance", "title": "Tonight", "message": "Jobs wait from 22:00."}
    route, later = "/api/announcements", (now + timedelta(hours=1)).isoformat()
    assert place.reader.post(route, json=body).status_code == 403
    assert place.admin.post(route, json={**body, "expires_at": now.isoformat()}).status_code == 422
    made = place.admin.post(route, json={**body, "expires_at": later})
    assert made.status_code == 201
    held = place.reader.get(route).json()["announcements"]
    assert [one["title"] for one in held] == ["Tonight"]
    assert not storage.exists(Keys.announcement("old"))
    assert place.admin.delete(f"{route}/{made.json()['id']}").status_code == 204
    assert place.admin.delete(f"{route}/{made.json()['id']}").status_code == 404
    assert place.reader.get(route).json() == {"announcements": []}


def test_the_status_counts_the_open_jobs_of_the_callers_tenant(place: Place) -> None:
    found = place.admin.get("/api/status").json()
    assert found["jobs"] == {"queued": 1}
    assert found["nodes"] == {"ready": 1}
    assert found["engines"] == {"tone": {"available": True, "node_count": 1}}
    assert (found["online_nodes"], found["total_nodes"]) == (1, 1)
    assert found["queues"]["synthesis.tone"] == 0
    assert found["oldest"].keys() == {"synthesis.espeak"}
    assert found["oldest"]["synthesis.espeak"] > 0
    assert len(found["throughput"]["done"]) == len(found["throughput"]["failed"]) == 60
    assert place.reader.get("/api/status").json()["jobs"] == {}


def test_health_is_told_without_a_key(place: Place) -> None:
    found = httpx2.get(f"{place.gateway.url}/api/health")
    assert found.status_code == 200
    body = found.json()
    assert (body["status"], body["components"]["redis"]) == ("healthy", "ok")
    assert body["uptime_seconds"] > 0


@pytest.fixture(scope="module")
def recording() -> dict[str, Any]:
    """The file of a form."""
    sound, file = speech("Annie"), io.BytesIO()
    soundfile.write(file, sound.samples, sound.rate, format="FLAC")
    return {"audio": ("annie.flac", file.getvalue(), "audio/flac")}


@pytest.fixture
def known(
    place: Place, server: str, recording: dict[str, Any], row: Row
) -> Iterator[dict[str, Any]]:
    """What a row names in braces."""
    made = {"worker": place.worker, "server": "card-1", "port": urlsplit(server).port}
    if row.names("server"):
        place.register(url=server, node_id="card-1")
    if row.names("announcement"):
        told = place.admin.post("/api/announcements", json=clone_tts.ANNOUNCED).json()
        made["announcement"] = told["id"]
    if row.names("voice"):
        place.admin.post("/api/extract_voice", data={"voice_name": "mara"}, files=recording)
        made["voice"] = "mara"
    yield made
    if row.names("server") or row.names("port"):
        for name in ("card-1", "new", "drawn"):
            place.admin.delete(f"/api/nodes/{name}")


@pytest.mark.parametrize(
    "row", [*clone_tts.ROUTES, *clone_tts.ERRORS], ids=lambda row: str(row)[:80]
)
def test_a_row_of_the_documents_is_answered_as_they_say(
    place: Place, known: dict[str, Any], recording: dict[str, Any], row: Row
) -> None:
    method, path = filled(row.route, known).split(" ", 1)
    sent = {name: filled(value, known) for name, value in row.sent.items()}
    body = {"data": sent, "files": recording} if "extract" in path else {"json": sent or None}
    answer = place.admin.request(method, path, **body)
    assert answer.status_code == row.status, answer.text
    told = {**answer.json(), **answer.headers} if row.fields else answer.headers
    for name, value in {**row.fields, **row.headers}.items():
        fits = isinstance(told[name], value) if isinstance(value, type | tuple) else False
        assert fits or told[name] == filled(value, known), (name, told)


def filled(value: Any, known: dict[str, Any]) -> Any:
    return value.format_map(known) if isinstance(value, str) else value


def test_fields_that_are_left_out_are_as_the_documents_say(place: Place) -> None:
    schemas = place.reader.get("/openapi.json").json()["components"]["schemas"]
    for body, fields in clone_tts.DEFAULTS.items():
        known = schemas[body]["properties"]
        assert {name: known[name].get("default") for name in fields} == fields
        assert not {*fields} & {*schemas[body]["required"]}


@pytest.mark.parametrize(("name", "values"), clone_tts.CONFIG.items())
def test_the_configuration_is_by_default_as_the_documents_say(
    name: str, values: tuple[float, float]
) -> None:
    theirs, ours = values
    assert ours == theirs


def test_the_engines_of_the_documents_are_here(place: Place) -> None:
    engines = {one["name"] for one in place.reader.get("/api/engines").json()["engines"]}
    assert engines >= clone_tts.ENGINES

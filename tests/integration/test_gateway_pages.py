"""The pages of a real gateway, over HTTP and in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import browsers
import gateways
import httpx2
import pytest
import redis
from gateways import Gateway
from ledgers import record
from system import System, script
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dubbing.engines.holding import Holding
from dubbing.gateway.announcements import AnnounceBody, Announcements, Sort
from dubbing.gateway.people import People
from dubbing.keyring import Keyring, Scope
from dubbing.ledger import WorkerState
from dubbing.ledger.vitals import Vitals

OURS = {"X-Requested-With": "dubbing"}
HOSTILE = "<script>alert(1)</script>\u202e<b>evil"
SEEN = HOSTILE.replace("\u202e", "\\u202e")
VITALS = Vitals(
    cpu_percent=31.4,
    memory_percent=42.5,
    memory_used_mb=54310.2,
    gpu_percent=97.0,
    gpu_memory_percent=38.1,
    gpu_memory_used_mb=9362.0,
)


class NoWorker(System):
    """Redis and storage: the workers are heartbeats of the test's own."""

    ENGINES: ClassVar[Mapping[str, str]] = {}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    home = tmp_path_factory.mktemp("pages") / "home"
    with NoWorker(home, engine="tone", slots=1) as system:
        yield system


@pytest.fixture(scope="module")
def gateway(system: System) -> Iterator[Gateway]:
    with gateways.running(system.settings) as gateway:
        yield gateway


def key(system: System, *scopes: Scope) -> str:
    return Keyring(system.client.storage).make("t", scopes or [Scope.READ])[1]


def test_a_page_and_its_files_come_without_a_key(system: System, gateway: Gateway) -> None:
    key(system)
    first = gateway.http.get("/")
    assert (first.status_code, first.headers["Location"]) == (307, "/status")
    page = gateway.http.get("/status")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    urls = re.findall(r'"(/static/[^"]+)"', page.text)
    assert len(urls) > 8
    for url in urls:
        file = gateway.http.get(url)
        assert file.status_code == 200
        assert "immutable" in file.headers["Cache-Control"]
        assert "RateLimit-Limit" not in file.headers
        for answer in (page, file):
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
    kinds = {url.rpartition(".")[2]: gateway.http.get(url).headers["Content-Type"] for url in urls}
    assert kinds["mjs"] == kinds["js"] == "text/javascript; charset=utf-8"
    assert kinds["css"] == "text/css; charset=utf-8"
    (large,) = (url for url in urls if "pico" in url)
    plain = gateway.http.get(large, headers={"Accept-Encoding": "identity"})
    packed = gateway.http.get(large, headers={"Accept-Encoding": "br, gzip"})
    assert (packed.headers["Content-Encoding"], packed.content) == ("gzip", plain.content)
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2
    known = gateway.http.get(urls[0], headers={"If-None-Match": file_tag(gateway, urls[0])})
    assert (known.status_code, known.content) == (304, b"")
    # A page of another release, behind one address with this gateway.
    other = gateway.http.get(re.sub(r"/static/\w+/", "/static/0/", urls[0]))
    assert (other.status_code, other.headers["Cache-Control"]) == (200, "no-cache")
    for name in ("none.js", "..%2fassets.py"):
        assert gateway.http.get(f"/static/0/{name}").status_code == 404


def file_tag(gateway: Gateway, url: str) -> str:
    return gateway.http.get(url).headers["ETag"]


@pytest.fixture
def person(gateway: Gateway) -> Iterator[httpx2.Client]:
    """A browser, as the gateway sees it, without the headers by which it knows its own pages."""
    with httpx2.Client(base_url=gateway.url) as client:
        yield client


def test_a_person_signs_in_and_out(system: System, person: httpx2.Client) -> None:
    secret = key(system)
    assert person.get("/session").status_code == 401
    refused = person.post("/session", json={"key": "dub_wrong"}, headers=OURS)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    answer = person.post("/session", json={"key": secret}, headers=OURS)
    assert answer.status_code == 204
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {*cookie.split("; ")}
    assert secret not in cookie
    assert person.delete("/session", headers=OURS).status_code == 204
    assert not person.cookies
    # Also for somebody who kept the cookie.
    kept = {"Cookie": cookie.partition(";")[0]}
    assert person.get("/api/status", headers=kept).json()["message"].endswith("sign in again")


def test_a_session_may_do_what_its_key_may(
    system: System, gateway: Gateway, person: httpx2.Client
) -> None:
    person.post("/session", json={"key": key(system)}, headers=OURS)
    told = person.get("/session").json()
    assert (told["tenant"], told["scopes"]) == ("t", ["read"])
    assert person.get("/api/status").status_code == 200
    refused = person.post("/api/announcements", json={"title": "Tonight"}, headers=OURS)
    assert refused.status_code == 403
    (name, value), *_ = person.cookies.items()
    cookie = {"Cookie": f"{name}={value}"}
    address = gateway.url.replace("http", "ws") + "/ws"
    with connect(address, additional_headers=cookie, origin=gateway.url, proxy=None):
        pass
    with pytest.raises(InvalidStatus):
        connect(address, additional_headers=cookie, origin="http://127.0.0.1:1", proxy=None)
    # An id of a session is no key.
    stranger = {"X-Api-Key": value}
    assert httpx2.get(f"{gateway.url}/api/status", headers=stranger).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Sec-Fetch-Site": "same-site"}, 401),
        ({"Sec-Fetch-Site": "same-origin"}, 404),
        (OURS, 404),
    ],
)
def test_a_page_of_another_origin_changes_nothing_by_a_persons_cookie(
    system: System, person: httpx2.Client, headers: Mapping[str, str], status: int
) -> None:
    asked = {"key": key(system, Scope.ADMIN)}
    person.post("/session", json=asked, headers=OURS)
    assert person.delete("/api/announcements/none", headers=headers).status_code == status
    of_sessions = {401: 403, 404: 204}[status]
    assert person.delete("/session", headers=headers).status_code == of_sessions
    assert person.post("/session", json=asked, headers=headers).status_code == of_sessions


def test_a_session_ends_with_its_key_and_needs_more_than_redis(system: System) -> None:
    keyring, sessions = Keyring(system.client.storage), system.client.ledger.sessions
    people = People(keyring, sessions)
    made, secret = keyring.make("t", [Scope.READ])
    session = people.sign_in(secret)
    assert people.key_of(session) == made
    # Whoever has Redis writes what they like, and what they find there.
    sessions.begin("invented", f"{made.id}:{'0' * 64}")
    sessions.begin("copied", sessions.get(session))
    assert people.key_of("invented") is people.key_of("copied") is None
    keyring.revoke(made.id)
    assert people.key_of(session) is None


@pytest.fixture
def busy(system: System) -> System:
    """A system in which there is something to see, some of it hostile."""
    crew = system.client.ledger.crew
    worker = record(name="tone.1@gpu-1").model_copy(
        update={"state": WorkerState.BUSY, "active": 1, "vitals": VITALS}
    )
    crew.beat(worker.model_copy(update={"holding": Holding(loaded=("tone",))}))
    crew.beat(record(name=HOSTILE + "x" * 300))
    for n in range(3):
        system.client.submit(
            script(f"s01e0{n}-de", "A line.", "Another.", engine="tone", language="en", tenant="t")
        )
    minute = int(time.time()) // 60 - 3
    with redis.from_url(system.redis.url) as server:
        server.hset("dubbing:hour", str(minute % 60), f"{minute}|1200|7")
    announcements = Announcements(system.client.storage)
    announcements.add(
        AnnounceBody(type=Sort.MAINTENANCE, title=HOSTILE, message="\u202e10 kB: " + "x" * 4900)
    )
    return system


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browsers.page(viewport={"width": 1280, "height": 900}, locale="en-GB") as page:
        yield page


def test_the_routes_are_seen_without_another_host(gateway: Gateway, page: Any) -> None:
    asked, faults = [], []
    page.on("request", lambda request: asked.append(urlsplit(request.url).netloc))
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    answer = page.goto(f"{gateway.url}/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page.get_by_text("POST /v1/jobs", exact=True).click()
    assert page.get_by_text("The script's encoding").first.is_visible()
    assert set(asked) == {urlsplit(gateway.url).netloc}
    assert faults == []


# It kills the gateway of this module, so it stands last.
def test_the_status_is_seen_in_a_browser(
    busy: System, gateway: Gateway, page: Any, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))

    def photograph(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)

    known = key(busy)
    page.goto(f"{gateway.url}/status")
    # The browser itself notes each answer that refuses.
    page.get_by_label("API key").fill("dub_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This API key is unknown or was revoked.")
    page.get_by_label("API key").fill(known)
    page.get_by_label("API key").press("Enter")
    nodes = page.get_by_role("region", name="Nodes")
    expect(nodes.get_by_role("row")).to_have_count(3)
    expect(nodes.get_by_role("row").nth(2)).to_contain_text("97%")
    expect(nodes.get_by_role("rowheader").nth(0)).to_have_text(SEEN + "x" * 300)
    expect(page.get_by_role("article")).to_contain_text(f"Maintenance: {SEEN}")
    expect(page.get_by_role("region", name="Open jobs").get_by_role("row")).to_have_count(4)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.locator("canvas")).to_be_visible()
    expect(page.get_by_role("img", name="1,200 done, 7 failed")).to_be_visible()
    queues = page.get_by_role("region", name="Queues").get_by_role("row")
    expect(queues.nth(1)).to_have_text(re.compile(r"synthesis\.tone\s*3\s*[\d.]+ secs?"))
    photograph("english-light")
    page.get_by_label("Language").select_option("zh")
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_role("heading", name="节点")).to_be_visible()
    assert page.title() == "状态 · dubbing"
    photograph("chinese-dark")
    page.set_viewport_size({"width": 390, "height": 844})
    # The plot follows the width a moment later.
    page.wait_for_function("document.documentElement.scrollWidth === 390")
    photograph("chinese-dark-phone")
    assert all("401" in fault for fault in faults), faults

    gateway.kill()
    expect(page.get_by_text("未连接", exact=True)).to_be_visible()
    port = str(urlsplit(gateway.url).port)
    with gateways.running(busy.settings, "--port", port):
        busy.client.ledger.crew.beat(record(name="new@gpu-2"))
        expect(page.get_by_text("实时", exact=True)).to_be_visible()
        expect(page.get_by_text("new@gpu-2")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="节点")).to_be_visible()

"""Keys over HTTP, and the page of those who run the system, in a real browser, with a worker."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import browsers
import engine_servers
import gateways
import httpx2
import pytest
from gateways import Gateway
from system import System, script

from dubbing.keyring import Keyring, Scope
from dubbing.storage import Keys
from dubbing.webhooks.outbox import Outbox
from dubbing.webhooks.webhook import Happening, Webhooks

HOSTILE = "<script>alert(1)</script>\u202e<b>evil"
SEEN = HOSTILE.replace("\u202e", "\\u202e")
LONG = "\u202e10 kB: " + "x" * 4900
FLOWER = "http://127.0.0.1:5555"
VARIABLES = {
    "DUBBING_FLOWER_URL": FLOWER,
    "DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": "10000",
}
SERVED = "remote-tone"


class OneWorker(System):
    ENGINES: ClassVar[Mapping[str, str]] = {"tone": "tone"}


@dataclass
class Place:
    """A system with a gateway, and the key of one who runs it."""

    system: System
    gateway: Gateway
    secret: str
    admin: httpx2.Client

    def key(self, *scopes: Scope) -> str:
        return Keyring(self.system.client.storage).make("t", scopes)[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("admin") / "home"
    with (
        OneWorker(home, engine="tone", slots=1) as system,
        gateways.running(system.settings, **VARIABLES) as gateway,
    ):
        system.ready(1)
        _, secret = Keyring(system.client.storage).make("default", [Scope.ADMIN], name="desk")
        yield Place(system, gateway, secret, gateway.as_(secret))


def test_a_key_is_told_once_and_serves_until_it_is_revoked(place: Place) -> None:
    asked = {"tenant": "acme", "name": HOSTILE, "scopes": ["read"], "granted": ["s3://films/a"]}
    made = place.admin.post("/v1/keys", json={**asked, "requests_per_minute": 50})
    assert made.status_code == 201, made.text
    key = made.json()
    told = place.gateway.as_(key["key"]).get("/v1/me").json()
    assert (told["tenant"], told["scopes"], told["requests_per_minute"]) == ("acme", ["read"], 50)
    assert told["granted"] == ["s3://films/a"]
    listed = place.admin.get("/v1/keys")
    secret = key["key"].rpartition("_")[2]
    assert secret not in listed.text and "digest" not in listed.text
    (found,) = [one for one in listed.json()["keys"] if one["id"] == key["id"]]
    assert (found["name"], found["used"] is None) == (HOSTILE, False)
    assert place.admin.delete(f"/v1/keys/{key['id']}").status_code == 204
    assert place.admin.delete(f"/v1/keys/{key['id']}").status_code == 404
    place.system.until(
        lambda: place.gateway.as_(key["key"]).get("/v1/me").status_code == 401, "refused"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenant": "../acme"},
        {"tenant": HOSTILE},
        {"scopes": []},
        {"scopes": ["all"]},
        {"granted": ["/etc"]},
        {"name": "x" * 201},
        {"requests_per_minute": 0},
        {"digest": "0"},
    ],
)
def test_a_key_that_cannot_be_is_not_made(place: Place, wrong: Mapping[str, Any]) -> None:
    before = place.admin.get("/v1/keys").json()
    assert place.admin.post("/v1/keys", json=wrong).status_code == 422
    assert place.admin.get("/v1/keys").json() == before


def test_keys_are_for_those_who_may_do_everything(place: Place) -> None:
    own = place.admin.get("/v1/me").json()["key"]
    caller = place.gateway.as_(place.key(Scope.READ, Scope.SUBMIT, Scope.VOICES))
    for answer in (
        caller.get("/v1/keys"),
        caller.post("/v1/keys", json={"scopes": ["admin"]}),
        caller.delete(f"/v1/keys/{own}"),
        caller.get("/v1/endpoints"),
        caller.post(f"/v1/endpoints/{SERVED}", json={"url": "http://127.0.0.1:1"}),
        caller.post(f"/v1/endpoints/{SERVED}/check"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_key_revokes_itself_only_when_that_is_said(place: Place) -> None:
    caller = place.gateway.as_(place.key(Scope.ADMIN))
    own = caller.get("/v1/me").json()["key"]
    refused = caller.delete(f"/v1/keys/{own}")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "own=true" in refused.json()["message"]
    assert caller.delete(f"/v1/keys/{own}?own=true").status_code == 204
    place.system.until(lambda: caller.get("/v1/me").status_code == 401, "refused")


@pytest.fixture
def dead(place: Place) -> str:
    """The job of a message that a webhook was not told."""
    storage = place.system.client.storage
    webhook = Webhooks(storage).make("default", "https://films.example/<b>", [Happening.FAILED])
    message = Outbox(storage).test(webhook).model_copy(update={"job": "s01e05", "error": HOSTILE})
    key = Keys.dead("default", webhook.id, message.id)
    storage.replace(key, message.model_dump_json().encode())
    return message.job


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browsers.page(viewport={"width": 1280, "height": 900}, locale="en-GB") as page:
        yield page


def sign_in(page: Any, secret: str) -> None:
    page.get_by_label("API key").fill(secret)
    page.get_by_label("API key").press("Enter")


def test_a_key_without_the_scope_is_told_so(place: Place, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{place.gateway.url}/admin")
    sign_in(page, place.key(Scope.READ))
    expect(page.get_by_text("Your key lacks the scope admin.")).to_be_visible()
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)
    expect(page.get_by_role("region")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()


@pytest.fixture
def desk(place: Place, page: Any) -> Iterator[Any]:
    """The page, to somebody who may use it; it logs no error but of answers that refuse."""
    faults: list[str] = []

    def hear(said: Any) -> None:
        if said.type == "error" and "422" not in said.text:
            faults.append(said.text)

    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.goto(f"{place.gateway.url}/admin")
    if not page.context.cookies():
        sign_in(page, place.secret)
    page.on("console", hear)
    yield page
    page.remove_listener("console", hear)
    assert not faults, faults


def region(page: Any, name: str) -> Any:
    return page.get_by_role("region", name=name)


def agree(page: Any, name: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=name).click()


def test_a_node_is_put_on_standby_and_back_and_the_queue_shows_it(place: Place, desk: Any) -> None:
    from playwright.sync_api import expect

    nodes, waiting = region(desk, "Nodes"), region(desk, "Queues").get_by_role("row")
    nodes.get_by_role("button", name="Standby").click()
    # A button of this name has been there before.
    expect(nodes.get_by_role("cell", name="Standby", exact=True)).to_be_visible()
    place.system.client.submit(script("waits", "A line.", engine="tone", language="en"))
    expect(waiting.filter(has_text="synthesis.tone")).to_contain_text("1")
    expect(region(desk, "Models").get_by_role("row").nth(1)).to_contain_text("tone")
    nodes.get_by_role("button", name="Activate").click()
    expect(nodes.get_by_text("Ready", exact=True)).to_be_visible()
    expect(waiting.filter(has_text="synthesis.tone")).to_have_count(0)
    nodes.get_by_role("button", name="Stop").click()
    desk.get_by_role("dialog").press("Escape")
    expect(nodes.get_by_role("button", name="Stop")).to_be_focused()
    expect(desk.get_by_role("link", name="Flower")).to_have_attribute("href", FLOWER)


def test_a_server_is_added_checked_drained_and_removed_on_the_page(desk: Any) -> None:
    from playwright.sync_api import expect

    endpoints = region(desk, "Endpoints")
    rows = endpoints.get_by_role("row")
    endpoints.get_by_text("Add an endpoint").first.click()
    endpoints.get_by_label("Engine").fill(SERVED)
    endpoints.get_by_label("Address").fill("http://127.0.0.1:1/<b>")
    add = endpoints.get_by_role("button", name="Add an endpoint")
    add.click()
    expect(endpoints.get_by_role("alert")).to_contain_text("no server answers there")
    endpoints.get_by_label("Address").fill(engine_servers.shared().url)
    add.click()
    expect(rows).to_have_count(2)
    endpoints.get_by_role("button", name="Check").click()
    expect(endpoints.get_by_text("It answers, and can be used.")).to_be_visible()
    endpoints.get_by_role("button", name="Drain").click()
    expect(endpoints.get_by_text("Drained: sent no lines")).to_be_visible()
    endpoints.get_by_role("button", name="Send lines again").click()
    expect(endpoints.get_by_text("Sent lines", exact=True)).to_be_visible()
    endpoints.get_by_role("button", name="Remove").click()
    agree(desk, "Remove")
    expect(endpoints.get_by_text("There is no remote engine.")).to_be_visible()
    expect(endpoints.get_by_role("heading")).to_be_focused()


def test_what_is_announced_is_text_whatever_it_holds(
    place: Place, desk: Any, dead: str, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    def photograph(name: str) -> None:
        desk.screenshot(path=tmp_path / f"{name}.png", full_page=True)

    announcements = region(desk, "Announcements")
    announcements.get_by_text("Add an announcement").first.click()
    announcements.get_by_label("Kind").select_option("Maintenance")
    announcements.get_by_label("Title").fill(HOSTILE)
    announcements.get_by_label("Message").fill(LONG)
    announcements.get_by_label("Until").fill("2026-01-01T10:00")
    announce = announcements.get_by_role("button", name="Add an announcement")
    announce.click()
    expect(announcements.get_by_role("alert")).to_contain_text("it has passed")
    announcements.get_by_label("Until").fill("2099-01-01T10:00")
    announce.click()
    expect(announcements.get_by_role("article")).to_contain_text(f"Maintenance: {SEEN}")
    (announced,) = place.admin.get("/api/announcements").json()["announcements"]
    assert (announced["title"], announced["message"]) == (HOSTILE, LONG)
    assert announced["expires_at"].startswith("2099-01-01")
    expect(region(desk, "Dead letters").get_by_role("row", name=dead)).to_contain_text(SEEN)
    expect(desk.get_by_text("Live", exact=True)).to_be_visible()
    photograph("english-light")
    desk.get_by_label("Language", exact=True).select_option("zh")
    desk.emulate_media(color_scheme="dark")
    expect(desk.get_by_role("heading", name="节点")).to_be_visible()
    photograph("chinese-dark")
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.wait_for_function("document.documentElement.scrollWidth === 390")
    photograph("chinese-dark-phone")
    desk.set_viewport_size({"width": 1280, "height": 900})
    desk.get_by_label("语言", exact=True).first.select_option("en")
    announcements.get_by_role("button", name="Delete").click()
    agree(desk, "Delete")
    expect(announcements.get_by_text("There are no announcements.")).to_be_visible()


def test_what_a_webhook_was_not_told_is_sent_again(place: Place, desk: Any, dead: str) -> None:
    from playwright.sync_api import expect

    letters = region(desk, "Dead letters")
    letters.get_by_role("button", name=f"Send again: {dead}").first.click()
    expect(letters.get_by_role("button", name="Send again:")).to_have_count(1)
    letters.get_by_role("button", name="Send all again").click()
    expect(letters.get_by_text("No message is waiting.")).to_be_visible()


def test_a_key_is_made_on_the_page_signs_in_and_is_signed_out(
    place: Place, desk: Any, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    keys = region(desk, "API keys")
    keys.get_by_text("Make a key").first.click()
    keys.get_by_label("Name", exact=True).fill(HOSTILE)
    keys.get_by_label("Tenant", exact=True).fill("acme")
    keys.get_by_role("button", name="Make a key").click()
    field = keys.get_by_label("Copy it now")
    expect(field).to_be_focused()
    secret = field.input_value()
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keys.get_by_role("button", name="Copy").click()
    expect(keys.get_by_text("Copied.")).to_be_visible()
    assert desk.evaluate("navigator.clipboard.readText()") == secret
    desk.screenshot(path=tmp_path / "key.png", full_page=True)
    keys.get_by_role("button", name="I have it").click()
    expect(keys.get_by_label("Tenant", exact=True)).to_have_value("default")
    assert secret not in desk.content()

    other = desk.context.browser.new_context(locale="en-GB").new_page()
    other.goto(f"{place.gateway.url}/status")
    sign_in(other, secret)
    expect(other.get_by_text("Live", exact=True)).to_be_visible()
    expect(other.get_by_text("Tenant acme")).to_be_visible()
    keys.get_by_role("row", name=SEEN).get_by_role("button", name="Revoke").click()
    desk.screenshot(path=tmp_path / "revoke.png")
    agree(desk, "Revoke")
    expect(keys.get_by_role("row", name=SEEN)).to_have_count(0)
    deadline = time.monotonic() + 20
    while not other.get_by_label("API key").is_visible():
        assert time.monotonic() < deadline
        other.reload()
        expect(other.get_by_role("heading", level=1)).to_be_visible()
    assert secret not in json.dumps(place.admin.get("/v1/keys").json())


def test_metrics_are_for_who_runs_the_system(place: Place) -> None:
    reader = place.gateway.as_(place.key(Scope.READ))
    assert reader.get("/metrics").status_code == 403
    assert place.admin.get("/nowhere/else").status_code == 404
    asked = ('method="GET",route="/metrics",status="403"', 'route="other",status="404"')

    def told() -> str:
        return place.admin.get("/metrics").raise_for_status().text

    place.system.until(lambda: all(one in told() for one in asked), "requests are counted")
    assert 'dubbing_part_up{part="redis"} 1.0' in told()
    assert 'dubbing_available_workers{engine="tone"} 1.0' in told()

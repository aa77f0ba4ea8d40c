"""The pages of jobs in a real browser: a job is put together, started, found and watched."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import browsers
import gateways
import httpx2
import pytest
from gateways import Gateway
from system import System, script

from dubbing.gateway import listing
from dubbing.gateway.app import make_app
from dubbing.gateway.callers import ANYBODY
from dubbing.keyring import Keyring, Scope

EXAMPLES = Path(__file__).parents[2] / "examples"
ANY = {"DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": "10000"}
HOSTILE = "<script>alert(1)</script>\u202e<b>evil"
SEEN = HOSTILE.replace("\u202e", "\\u202e")
PART = 100_000
"""Bytes of the film that come before the connection breaks."""
DROP = """(files) => {
  const transfer = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { lastModified: 1 }));
  }
  const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
  document.querySelector(".drop").dispatchEvent(new DragEvent("drop", options));
}"""


class Dubbing(System):
    """Workers of espeak and of assembly; nobody works for tone."""

    ENGINES: ClassVar[Mapping[str, str]] = {"espeak": "espeak", "assembly": "assembly"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dubbing]:
    with Dubbing(tmp_path_factory.mktemp("jobs") / "home", engine="espeak", slots=1) as system:
        yield system


@pytest.fixture(scope="module")
def gateway(system: Dubbing) -> Iterator[Gateway]:
    with gateways.running(system.settings, **ANY) as gateway:
        # A voice is heard only where a worker can speak with it.
        system.ready()
        yield gateway


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsers.page() as page:
        yield page.context.browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of somebody who has not signed in; nothing on it may raise an error."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page, faults = context.new_page(), []
    page.set_default_timeout(browsers.SECONDS * 1000)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    yield page
    context.close()
    assert not faults


def opened(page: Any, system: System, gateway: Gateway, address: str, *scopes: Scope) -> None:
    """Open a page, as somebody who has signed in with a key of some scopes."""
    secret = Keyring(system.client.storage).make("t", scopes)[1]
    ours = {"X-Requested-With": "dubbing"}
    answer = httpx2.post(f"{gateway.url}/session", json={"key": secret}, headers=ours)
    (name, value), *_ = answer.cookies.items()
    page.context.add_cookies([{"name": name, "value": value, "url": gateway.url}])
    page.goto(f"{gateway.url}{address}")


def drop(page: Any, *files: tuple[str, bytes]) -> None:
    page.evaluate(DROP, [[name, base64.b64encode(content).decode()] for name, content in files])


def example(name: str) -> tuple[str, bytes]:
    return name, (EXAMPLES / name).read_bytes()


def test_what_is_wrong_with_a_script_stands_at_its_file_and_its_lines(
    system: Dubbing, gateway: Gateway, page: Any
) -> None:
    from playwright.sync_api import expect

    opened(page, system, gateway, "/jobs/new", Scope.READ, Scope.SUBMIT)
    told = page.get_by_role("region", name="Dry run")
    expect(page.get_by_role("region", name="Settings")).to_contain_text("eSpeak NG")
    name = f"{HOSTILE.replace('/', '')}.srt"
    drop(page, (name, b"1\n00:00:01 -> 2\nHello.\n"))
    expect(told).to_contain_text(f"{SEEN.replace('/', '')}.srt, line 2")
    page.get_by_role("button", name="Remove").click()
    segments = [
        {"start": 0.5, "end": 2.5, "speaker": HOSTILE, "text": f"{HOSTILE} " + "word " * 300},
        {"start": 3, "end": 9, "speaker": HOSTILE, "text": "Well?"},
    ]
    drop(page, ("film.json", json.dumps(segments).encode()))
    page.get_by_label("Language to dub into").fill("en")
    page.get_by_role("button", name="Dry run").click()
    rows = page.get_by_role("region", name="Script:").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("split the cue")
    expect(rows.nth(1)).to_contain_text(SEEN)
    expect(rows.nth(2)).not_to_contain_text("split the cue")
    expect(page.get_by_role("button", name="Start")).to_be_disabled()


def break_off(page: Any) -> list[str]:
    """Have the film's connection break once a part has come; return the offsets of all chunks."""
    offsets: list[str] = []

    def answer(route: Any) -> None:
        if route.request.method == "PATCH":
            offsets.append(route.request.headers["upload-offset"])
        if offsets != ["0"]:
            route.continue_()
            return
        cookies = {one["name"]: one["value"] for one in page.context.cookies()}
        headers = {"Upload-Offset": "0", "X-Requested-With": "dubbing"}
        content = example("scene.mp4")[1][:PART]
        httpx2.patch(route.request.url, headers=headers, cookies=cookies, content=content)
        route.abort()

    page.route("**/v1/uploads/*", answer)
    return offsets


def test_the_example_is_dropped_tried_out_heard_and_dubbed(
    system: Dubbing, gateway: Gateway, page: Any, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    opened(page, system, gateway, "/jobs/new", Scope.READ, Scope.SUBMIT)
    expect(page.get_by_role("region", name="Settings")).to_contain_text("eSpeak NG")
    offsets = break_off(page)
    # Alone, as the connection breaks for the first that comes.
    drop(page, example("scene.mp4"))
    expect(page.get_by_role("region", name="Files")).to_contain_text("the upload will continue")
    drop(page, example("scene.srt"))
    expect(page.get_by_text("Sent", exact=True)).to_have_count(2)
    assert str(PART) in offsets
    # The names before the words were seen to be speakers.
    voices = page.get_by_role("region", name="Voices")
    expect(voices.get_by_role("row")).to_have_count(4)
    drop(page, example("scene.json"))
    expect(page.get_by_text("Not used")).to_be_visible()
    expect(page.get_by_label("Voice of MARA", exact=True)).to_have_value("v:Annie")
    page.get_by_label("Voice of TOM", exact=True).select_option("m5")
    page.get_by_label("Name of the job").fill("scene")
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("You can start the job.")).to_be_visible()
    row = page.get_by_role("region", name="Script:").get_by_role("row").nth(21)
    expect(row).to_contain_text("TOM is still at cue 20")
    page.get_by_role("button", name="Hear the voice of TOM").click()
    expect(page.get_by_role("button", name="Stop the voice of TOM")).to_be_visible()
    page.screenshot(path=tmp_path / "english-light.png", full_page=True)
    page.get_by_label("Language", exact=True).select_option("zh")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("heading", name="新建任务")).to_be_visible()
    page.wait_for_function("document.documentElement.scrollWidth === 390")
    page.screenshot(path=tmp_path / "chinese-dark-phone.png", full_page=True)
    page.get_by_role("button", name="开始").dblclick()
    page.wait_for_url("**/jobs/scene")
    assert system.client.wait("scene").state == "completed"
    assert [job.id for job in system.client.jobs()] == ["scene"]


def test_jobs_are_found_by_a_link_page_by_page_and_change_as_one_looks(
    system: Dubbing, gateway: Gateway, page: Any, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    notes = {"order": "4711", "note": HOSTILE}
    fields = {"engine": "tone", "language": "en", "tenant": "t", "metadata": notes}
    system.client.submit_all(
        [script(f"s01e{n:02}", "A line.", collection="s01", **fields) for n in range(52)]
    )
    address = "/jobs?part=S01E&state=open&metadata=order%3A4711"
    page.emulate_media(color_scheme="dark")
    opened(page, system, gateway, address, Scope.ADMIN)
    rows = page.get_by_role("rowheader")
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text(SEEN)
    page.get_by_role("button", name="Search older jobs").click()
    expect(rows).to_have_count(52)
    expect(page.get_by_label("State")).to_have_value("open")
    expect(page.get_by_label("Tenant")).to_be_visible()
    page.get_by_label("Search").fill("e07")
    expect(rows).to_have_count(1)
    assert page.url.endswith("?part=e07&state=open&metadata=order%3A4711")
    page.get_by_label("State").select_option("")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Queued")
    page.screenshot(path=tmp_path / "list-english-dark.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.get_by_label("Language", exact=True).select_option("zh")
    system.client.cancel("s01e07")
    expect(page.get_by_role("row").nth(1)).to_contain_text("已取消")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth === 390")
    page.screenshot(path=tmp_path / "list-chinese-light-phone.png", full_page=True)
    expect(rows.get_by_role("link")).to_have_attribute("href", "/jobs/s01e07")


def test_a_search_ends_after_so_many_jobs_and_says_where_to_go_on(
    system: Dubbing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SEARCHED", 2)
    office = make_app(system.client, system.settings, loopback=True).state.office
    for id_ in ("Found-1", "other-1", "other-2", "other-3"):
        system.client.submit(script(id_, "A line.", engine="tone", language="en"))
    wanted, pages, cursor = listing.Wanted(part="found"), [], None
    for _ in range(2):
        jobs, cursor = listing.page_of(office, ANYBODY, wanted, limit=5, cursor=cursor)
        pages.append([job.id for job in jobs])
        assert cursor
    assert pages == [[], ["Found-1"]]

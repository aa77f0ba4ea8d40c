"""The page of a job, and the routes behind it: real workers, over HTTP and in a real browser."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import browsers
import films
import gateways
import pytest
import s3_server as s3
import soundfile
from gateways import Gateway
from system import System

from dubbing.settings import Settings
from dubbing.storage import S3Options, Storage

ANY = {"DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": "10000", "DUBBING_REQUESTS_PER_MINUTE": "10000"}
HOSTILE = "<script>alert(1)</script>\u202e<b>evil"
SEEN = HOSTILE.replace("\u202e", "\\u202e")


class Served(System):
    """A worker that hums, and one that assembles."""

    ENGINES: ClassVar[Mapping[str, str]] = {"tone": "tone", "assembly": "assembly"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("job-page") / "home", engine="tone", slots=1) as system:
        system.ready()
        yield system


@pytest.fixture(scope="module")
def gateway(system: Served) -> Iterator[Gateway]:
    with gateways.running(system.settings, **ANY) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def source(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A film of six seconds, as jobs name it."""
    film = films.make(tmp_path_factory.mktemp("film") / "film.mkv")
    answer = gateway.http.post("/v1/uploads?name=film.mkv", content=film.read_bytes())
    return str(answer.json()["source"])


def dubbed(gateway: Gateway, id_: str, source: str | None = None) -> str:
    """Dub three lines, of which the second is hostile; return the job's path when it has ended."""
    texts = ("A line that is far too long for its time.", f"Hm? {HOSTILE}", "Hm.")
    segments = [
        {"start": 2.0 * n, "end": 2.0 * n + 1, "text": text, "speaker": f"Ada {HOSTILE}"}
        for n, text in enumerate(texts)
    ]
    output = {"formats": ["mp3"]}
    asked = {"id": id_, "language": "en", "segments": segments, "media": source, "output": output}
    assert gateway.http.post("/v1/jobs", json=asked).status_code == 201
    ended(gateway, id_)
    return f"/v1/jobs/{id_}"


def ended(gateway: Gateway, id_: str) -> None:
    found = gateway.http.get(f"/v1/jobs/{id_}?wait=60").json()
    assert found["state"] == "completed", found


def lines(gateway: Gateway, job: str) -> list[dict[str, Any]]:
    told = gateway.http.get(f"{job}/lines").json()["lines"]
    return [{**line["told"], **line} for line in told]


def test_one_line_is_changed_and_no_other_is_spoken(gateway: Gateway, system: Served) -> None:
    job = dubbed(gateway, "mended")
    first, second, third = before = lines(gateway, job)
    assert [line["state"] for line in before] == ["spoken"] * 3
    assert (second["text"], first["overflow"] > 0) == (f"Hm? {HOSTILE}", True)
    report = gateway.http.get(f"{job}/report").json()
    assert [line["told"] for line in gateway.http.get(f"{job}/lines").json()["lines"]] == (
        report["lines"]
    )
    url = f"{job}/lines/{third['id']}"
    change = {"text": "Hm, hm.", "voice": "deep", "speed": 1.5}
    assert gateway.http.patch(url, json=change).json()["round"] == 2
    ended(gateway, "mended")
    *same, after = lines(gateway, job)
    # The loudness of a line is that of the whole, which is mixed anew.
    assert [{**line, "loudness": 0, "told": 0} for line in same] == [
        {**line, "loudness": 0, "told": 0} for line in (first, second)
    ]
    assert (after["text"], after["voice"], after["round"]) == ("Hm, hm.", "stock:deep", 2)
    assert (after["own_voice"], after["own_speed"]) == ("deep", 1.5)
    assert after["sound"] != third["sound"]
    assert system.client.wait("mended").done == 3
    storage = system.client.storage
    (revision,) = storage.keys("jobs/mended/revisions/")
    written = [json.loads(storage.get(key)) for key in ("jobs/mended/job.json", revision)]
    # Older releases would speak the line in the voice of its speaker.
    assert [document.get("format") for document in written] == [None, 2]
    # What is not named stays, and null is the speaker's again.
    assert gateway.http.patch(url, json={"voice": None}).json()["round"] == 3
    ended(gateway, "mended")
    again = lines(gateway, job)[2]
    assert (again["text"], again["own_voice"], again["own_speed"]) == ("Hm, hm.", None, 1.5)
    assert again["voice"] == third["voice"]


@pytest.mark.parametrize(
    ("line", "change", "status", "words"),
    [
        ("9", {"text": "Hm."}, 404, "no line '9'"),
        ("1", {"voice": "nobody"}, 422, "no voice 'nobody'"),
        ("1", {"voice": "f" * 64}, 422, "name the voice by its name"),
        ("1", {"speed": 3}, 422, "2"),
        ("1", {"text": "x" * 5000}, 422, "split the cue"),
    ],
)
def test_a_change_that_cannot_be_spoken_is_refused(
    gateway: Gateway, line: str, change: dict[str, Any], status: int, words: str
) -> None:
    if gateway.http.get("/v1/jobs/refused").status_code == 404:
        dubbed(gateway, "refused")
    answer = gateway.http.patch(f"/v1/jobs/refused/lines/{line}", json=change)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert gateway.http.get("/v1/jobs/refused").json()["round"] == 1


def test_an_approval_is_of_one_sound_and_goes_with_the_job(
    gateway: Gateway, system: Served
) -> None:
    job = dubbed(gateway, "approved")
    first = lines(gateway, job)[0]
    url = f"{job}/lines/{first['id']}"

    def approve(sound: str) -> int:
        return gateway.http.put(f"{url}/approval", json={"sound": sound}).status_code

    assert (approve("f" * 64), approve(""), approve(first["sound"])) == (409, 409, 204)
    assert [line["approved"] for line in lines(gateway, job)] == [True, False, False]
    gateway.http.patch(url, json={"voice": "bright"})
    ended(gateway, "approved")
    assert not lines(gateway, job)[0]["approved"]
    # The sound of before is as good as it was.
    gateway.http.patch(url, json={"voice": None})
    ended(gateway, "approved")
    assert lines(gateway, job)[0]["approved"]
    for _ in range(2):
        assert gateway.http.delete(f"{url}/approval").status_code == 204
    assert not lines(gateway, job)[0]["approved"]
    approve(first["sound"])
    assert gateway.http.delete(job).status_code == 204
    assert not [*system.client.storage.keys("jobs/approved/")]


def test_the_original_is_heard_beside_a_line(gateway: Gateway, source: str) -> None:
    job = dubbed(gateway, "heard", source)
    answer = gateway.http.get(f"{job}/lines/1/original")
    assert answer.headers["Content-Type"] == "audio/flac"
    samples, rate = soundfile.read(io.BytesIO(answer.content))
    assert (len(samples) / rate, abs(samples).max() > 0.01) == (1.5, True)
    assert gateway.http.get(f"{job}/lines/9/original").status_code == 404
    if gateway.http.get("/v1/jobs/silent").status_code == 404:
        dubbed(gateway, "silent")
    refused = gateway.http.get("/v1/jobs/silent/lines/1/original")
    assert (refused.status_code, "no media" in refused.text) == (404, True)


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browsers.page(viewport={"width": 1280, "height": 900}, locale="en-GB") as page:
        yield page


def test_a_film_in_a_bucket_is_played_where_its_link_leads(
    gateway: Gateway, system: Served, redis_url: str, s3_options: S3Options, page: Any
) -> None:
    dubbed(gateway, "far")
    settings = Settings(redis_url=redis_url, **s3.settings(s3_options))
    near, bucket = system.client.storage, Storage.at(settings.storage, s3_options)
    for key in near.keys("jobs/far/"):
        bucket.create(key, near.get(key))
    with gateways.running(settings, **ANY) as other:
        page.goto(f"{other.url}/jobs/far")
        sound = page.get_by_role("region", name="Sound").locator("audio")
        sound.evaluate("(sound) => { sound.muted = true; return sound.play(); }")


def test_a_line_is_heard_mended_and_approved_in_a_browser(
    gateway: Gateway, source: str, page: Any, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    dubbed(gateway, "page", source)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    page.goto(f"{gateway.url}/jobs/page")
    rows = page.get_by_role("listbox", name="Lines").get_by_role("option")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text(f"Hm? {SEEN}")
    expect(page.get_by_role("link", name="page.dub.mp3")).to_be_visible()
    expect(page.get_by_role("region", name="Sound").locator("audio")).to_be_visible()
    page.get_by_label("Too long").check()
    expect(rows).to_have_count(1)
    page.get_by_label("Too long").uncheck()
    page.get_by_label("Search text").fill("hm.")
    expect(rows).to_have_count(1)
    page.get_by_role("listbox", name="Lines").press("Enter")
    line = page.get_by_role("region", name="Line 3")
    line.get_by_role("button", name="Play").click()
    line.get_by_label("Original").check()
    expect(line.locator("canvas")).to_have_count(2)
    page.screenshot(path=tmp_path / "english-light.png", full_page=True)
    line.get_by_role("button", name="Approve").click()
    expect(rows.nth(0)).to_contain_text("Approved")
    line.get_by_text("Change this line").click()
    line.get_by_role("textbox", name="Text").fill("Hm. Hm, hm.")
    line.get_by_label("Speed").fill("1.5")
    line.get_by_role("button", name="Speak this line again").click()
    expect(line.get_by_text("It was spoken again: hear it above.")).to_be_visible()
    expect(page.get_by_text("Completed", exact=True)).to_be_visible()
    expect(line.get_by_role("button", name="Approve")).to_be_visible()
    expect(line.get_by_text("Hm. Hm, hm.").first).to_be_visible()
    page.get_by_label("Language").select_option("zh")
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_role("heading", name="时间轴")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth === 390")
    page.screenshot(path=tmp_path / "chinese-dark-phone.png", full_page=True)
    page.get_by_role("button", name="删除任务").click()
    page.get_by_role("dialog").get_by_role("button", name="删除任务").click()
    page.wait_for_url("**/jobs")
    assert gateway.http.get("/v1/jobs/page").status_code == 404
    assert all("404" in fault for fault in faults), faults

"""The report as a page, opened from disk in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
import pytest
from scenes import SEGMENTS, dub, spoken, store_round, store_take, unspoken, voice

from dubbing.job import Job, Output
from dubbing.jobs.fetch import fetch_output
from dubbing.storage import Storage
from dubbing.storage.keys import Keys

HOSTILE = "</script><script>alert(1)</script>\u202e<b>evil"
SEEN = HOSTILE.replace("\u202e", "\\u202e")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a job whose second line is too long, and whose last one is missing."""
    home = tmp_path_factory.mktemp("report")
    storage = Storage.at(str(home / "storage"))
    hostile = SEGMENTS[1].model_copy(update={"text": HOSTILE, "speaker": HOSTILE})
    segments = (SEGMENTS[0], hostile, *SEGMENTS[2:])
    job = Job(
        id="scene",
        language="de",
        segments=segments,
        output=Output(formats=("flac",)),
        allow_missing=0.5,
    )
    seconds = {"1": 1.5, "2": 9.0, "3": 1.5}
    takes = [
        spoken(s, store_take(storage, f"clip{s.id}", voice(seconds[s.id], pitch=140.0)))
        for s in segments[:3]
    ]
    store_round(storage, job, 1, [*takes, unspoken(segments[3])])
    dub(job, storage, home)
    fetch_output(storage, Keys.output("scene", 1, "run"), home / "out", "a b#1")
    return home / "out"


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browsers.page(viewport={"width": 1280, "height": 900}, locale="en-GB") as page:
        yield page


def test_a_report_is_judged_from_disk(folder: Path, page: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition(":")[0]))

    page.goto((folder / "a b#1.report.html").as_uri())
    expect(page.get_by_role("heading", name="scene")).to_be_visible()
    lines = page.get_by_role("listbox", name="Lines")
    expect(lines.get_by_role("option")).to_have_count(4)
    page.get_by_role("checkbox", name="Too long").check()
    expect(lines.get_by_role("option")).to_have_count(1)
    expect(lines).to_contain_text(SEEN)
    # It is heard as it was spoken, and any line where it lies in the film.
    lines.get_by_role("option").click()
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    page.get_by_role("checkbox", name="Too long").uncheck()
    lines.get_by_role("option").nth(2).click()
    expect(page.get_by_role("button", name="Play")).to_have_count(0)
    page.get_by_role("button", name="Hear it in the film").click()
    page.wait_for_function("document.querySelector('audio').currentTime > 9.9")
    expect(page.get_by_role("button", name="Hear it in the film")).to_be_visible()
    page.screenshot(path=tmp_path / "english-light.png", full_page=True)
    page.get_by_label("Language").select_option("zh")
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_role("heading", name="台词", exact=True)).to_be_visible()
    page.screenshot(path=tmp_path / "chinese-dark.png", full_page=True)
    assert faults == []
    assert {*asked} <= {"file", "data", "blob"}


def test_a_report_without_its_film_says_so(folder: Path, page: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    alone = tmp_path / "report.html"
    alone.write_bytes((folder / "a b#1.report.html").read_bytes())
    page.goto(alone.as_uri())
    expect(page.get_by_text("影片不在此页面旁边")).to_be_visible()
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(4)

"""The playground in a real browser: texts are spoken, and recordings become voices."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import browsers
import gateways
import httpx2
import pytest
import soundfile
from gateways import Gateway
from recordings import noisy, speech
from speech import pitch
from system import System

from dubbing.engines.adapters.tone import VOICES
from dubbing.engines.remote.sound import sound_of
from dubbing.keyring import Keyring, Scope

HOSTILE = """It's "late" \\ $HOME `id`\n<script>alert(1)</script>\u202e evil, it is."""
RECORDING = "<b>Mara\u202e</b>.flac"


class Tones(System):
    """A worker of the tone engine, and one of assembly."""

    ENGINES: ClassVar[Mapping[str, str]] = {"tone": "tone", "assembly": "assembly"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tones]:
    with Tones(tmp_path_factory.mktemp("playground") / "home", engine="tone", slots=1) as system:
        yield system


@pytest.fixture(scope="module")
def gateway(system: Tones) -> Iterator[Gateway]:
    with gateways.running(system.settings) as gateway:
        system.ready()
        yield gateway


@pytest.fixture(scope="module")
def key(system: Tones) -> str:
    scopes = (Scope.READ, Scope.SUBMIT, Scope.VOICES)
    return Keyring(system.client.storage).make("acme", scopes)[1]


@pytest.fixture(scope="module")
def faults() -> list[str]:
    """What went wrong in the browser."""
    return []


@pytest.fixture(scope="module")
def page(gateway: Gateway, key: str, faults: list[str]) -> Iterator[Any]:
    """Yield the playground, where somebody has signed in."""
    with browsers.page(viewport={"width": 1280, "height": 900}, locale="en-GB") as page:
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.goto(f"{gateway.url}/playground")
        page.get_by_label("API key").fill(key)
        page.get_by_label("API key").press("Enter")
        yield page


def downloaded(page: Any, region: Any) -> bytes:
    """Return the last sound that was spoken."""
    with page.expect_download() as download:
        region.get_by_role("button", name="Download").first.click()
    return Path(download.value.path()).read_bytes()


def test_the_programs_that_are_shown_do_what_the_page_does(
    page: Any, gateway: Gateway, key: str, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    page.get_by_label("Text", exact=True).fill(HOSTILE)
    page.get_by_role("combobox", name="Voice", exact=True).select_option("high")
    page.get_by_role("slider").fill("1.25")
    said = page.get_by_role("region", name="Spoken in this visit")
    page.get_by_label("Text", exact=True).press("Control+Enter")
    expect(said.get_by_role("listitem")).to_have_count(1)
    expect(said).to_contain_text("evil, it is.")
    expect(said).to_contain_text("tone.")
    spoken = downloaded(page, said)
    assert pitch(sound_of(spoken)) == pytest.approx(VOICES["high"], rel=0.15)

    programs = page.get_by_role("region", name="The same request in code")
    known = {**os.environ, "DUBBING_API_KEY": key}
    for name, command in (("curl", ["bash", "-c"]), ("Python", [sys.executable, "-c"])):
        programs.get_by_label(name).check()
        program = programs.get_by_role("group", name="The same request in code").last.inner_text()
        assert "\u202e" not in program
        subprocess.run([*command, program], cwd=tmp_path, env=known, check=True, timeout=30)
        assert (tmp_path / "speech.wav").read_bytes() == spoken, name
        (tmp_path / "speech.wav").unlink()

    programs.get_by_label("Manifest").check()
    manifest = programs.get_by_role("group", name="The same request in code").last
    caller = gateway.as_(key)
    job = submitted(caller, manifest.inner_text())
    assert (job["state"], job["lines"]["done"], job["lines"]["failed"]) == ("completed", 1, 0)
    line = caller.get(f"/v1/jobs/{job['id']}/lines/1")
    assert sound_of(line.content).seconds == pytest.approx(sound_of(spoken).seconds, abs=0.05)
    # A text that is too long for a line becomes several.
    page.get_by_label("Text", exact=True).fill("He said 3.5 times that it rains. Did he? " * 30)
    preview = caller.post("/v1/jobs/preview", json=json.loads(manifest.inner_text()))
    assert preview.status_code == 200, preview.text
    assert len(json.loads(manifest.inner_text())["segments"]) == 60


def submitted(caller: httpx2.Client, manifest: str) -> dict[str, Any]:
    """Return the status of a manifest's job at its end."""
    made = caller.post("/v1/jobs", json=json.loads(manifest))
    assert made.status_code == 201, made.text
    status: dict[str, Any] = caller.get(f"/v1/jobs/{made.json()['id']}?wait=30").json()
    return status


DROPPED = """([name, data]) => {
  const dropped = new DataTransfer();
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  dropped.items.add(new File([bytes], name));
  return dropped;
}"""


# Each of these goes on where the one before has left the page.
def test_a_recording_becomes_a_voice_with_what_was_judged_of_it(page: Any) -> None:
    from playwright.sync_api import expect

    making = page.get_by_role("region", name="Make a voice from a recording")
    making.locator("input[type=file]").set_input_files(
        {"name": RECORDING, "mimeType": "audio/flac", "buffer": b"#!/bin/sh"}
    )
    making.get_by_role("button", name="Make the voice").click()
    expect(making.get_by_role("alert")).to_contain_text("Mara")
    sound, file = noisy(speech("Annie"), 18), io.BytesIO()
    soundfile.write(file, sound.samples, sound.rate, format="FLAC")
    dropped = [RECORDING, base64.b64encode(file.getvalue()).decode()]
    handle = page.evaluate_handle(DROPPED, dropped)
    page.dispatch_event(".drop", "drop", {"dataTransfer": handle})
    expect(making).to_contain_text(RECORDING.replace("\u202e", "\\u202e"))
    expect(making.get_by_label("Name")).to_have_value("b-Mara-b")
    making.get_by_label("Name").fill("mara")
    making.get_by_label("For engine").select_option("tone")
    expect(making).to_contain_text("It needs 1 to 30 s of speech.")
    making.get_by_label("Language spoken").fill("en")
    making.get_by_role("button", name="Make the voice").click()
    expect(making.get_by_role("status")).to_contain_text("the noise may be heard in the voice")
    voices = page.get_by_role("region", name="Your voices")
    expect(voices.get_by_role("row")).to_have_count(2)
    expect(voices).to_contain_text("dB above the noise")
    voices.get_by_role("button", name="Hear: mara").click()
    voices.get_by_role("button", name="Stop: mara").click()
    expect(voices.get_by_role("button", name="Hear: mara")).to_be_visible()


def test_a_text_is_spoken_in_a_voice_of_ones_own(page: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page.get_by_role("button", name="Speak with it: mara").click()
    text = page.get_by_label("Text", exact=True)
    expect(text).to_be_focused()
    text.fill("♪")
    page.get_by_role("button", name="Speak", exact=True).click()
    speaking = page.get_by_role("region", name="Speak", exact=True)
    expect(speaking.get_by_role("alert")).to_contain_text("holds nothing to speak")
    text.fill("The train leaves at nine.")
    text.press("Control+Enter")
    said = page.get_by_role("region", name="Spoken in this visit")
    expect(said.get_by_role("listitem").first).to_contain_text("mara")
    expect(speaking.get_by_role("alert")).to_be_empty()
    assert sound_of(downloaded(page, said)).seconds > 1
    page.screenshot(path=tmp_path / "english-light.png", full_page=True)


def test_the_page_keeps_what_it_has_while_the_gateway_is_away(
    page: Any, faults: list[str], tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    page.context.set_offline(True)
    page.get_by_role("button", name="Delete: mara").click()
    page.get_by_role("button", name="Delete for good").click()
    away = page.get_by_text("Not connected", exact=True)
    expect(away).to_be_visible()
    page.context.set_offline(False)
    expect(away).not_to_be_visible()
    expect(page.locator(".heard > li")).to_have_count(2)
    expect(page.get_by_label("Text", exact=True)).to_have_value("The train leaves at nine.")

    page.get_by_label("Language").first.select_option("zh")
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_role("heading", name="我的音色")).to_be_visible()
    page.screenshot(path=tmp_path / "chinese-dark.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth === 390")
    page.screenshot(path=tmp_path / "chinese-dark-phone.png", full_page=True)
    page.get_by_role("button", name="删除: mara").click()
    expect(page.get_by_role("button", name="永久删除")).to_be_focused()
    page.get_by_role("button", name="永久删除").click()
    expect(page.get_by_text("还没有音色。")).to_be_visible()
    expect(page.get_by_role("combobox", name="音色", exact=True)).to_have_value("low")
    assert not faults

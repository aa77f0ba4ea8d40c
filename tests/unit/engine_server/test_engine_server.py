"""`dubbing engine-server` by HTTP: its routes, what it refuses, and how it starts and ends."""

from __future__ import annotations

import base64
import io
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import engine_servers
import numpy as np
import pytest
import soundfile
import tls
from engine_servers import KEY, EngineServer
from prometheus_client.parser import text_string_to_metric_families
from speech import recording
from starlette.datastructures import Headers

from dubbing.cli import main
from dubbing.engine_server.guard import Access
from dubbing.engines.adapters.tone import Tone
from dubbing.engines.engine import Line
from dubbing.media.samples import Audio, encode_exact

SECRET = "a key of a test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    folder = tmp_path_factory.mktemp("faulty")
    for name in ("busy", "switch"):
        (folder / name).touch()
    told = {"FAULTY_BUSY": str(folder / "busy"), "FAULTY_SWITCH": str(folder / "switch")}
    with engine_servers.running("tone", "faulty", **told) as server:
        server.folder = folder
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    certificate = tls.certificate(tmp_path_factory.mktemp("tls"))
    options = ("--certificate", str(certificate), "--host", "127.0.0.1")
    trusted = ssl.create_default_context(cafile=certificate)
    with engine_servers.running("tone", *options, verify=trusted, **{KEY: SECRET}) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DUBBING_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sound_in(result: dict[str, Any]) -> np.ndarray:
    samples, _ = soundfile.read(io.BytesIO(base64.b64decode(result["audio"])), dtype="float32")
    return samples


def test_it_tells_its_engines_with_their_spec_and_model(server: EngineServer) -> None:
    engines = {one["name"]: one for one in server.http.get("/info").json()["engines"]}
    tone = Tone()
    tone.load("cpu")
    assert engines.keys() == {"tone", "faulty"}
    assert engines["tone"]["model"] == tone.model
    assert engines["tone"]["spec"] == tone.spec.model_dump(mode="json")
    assert server.http.get("/v1/voices").json()["voices"]["tone"] == list(tone.spec.voices)


def test_its_metrics_count_requests_lines_and_seconds_of_speech(server: EngineServer) -> None:
    def told() -> dict[tuple[str, ...], float]:
        text = server.http.get("/metrics").raise_for_status().text
        families = text_string_to_metric_families(text)
        samples = (one for family in families for one in family.samples)
        return {
            (one.name, *(one.labels[name] for name in sorted(one.labels) if name != "worker")): (
                one.value
            )
            for one in samples
            if one.labels["worker"].startswith("tone+faulty@")
        }

    before = told()
    answer = server.speak({}, {}, {"text": "<silence><raise>"}, engine="faulty").json()
    spoken = server.speak({}, {}, engine="tone").json()["results"]
    after = told()

    def grown(*name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grown("dubbing_lines_total", "tone", "spoken") == 2
    assert grown("dubbing_lines_total", "faulty", "failed") == len(answer["results"]) == 3
    seconds = sum(result["seconds"] for result in spoken)
    assert grown("dubbing_speech_seconds_total", "tone") == pytest.approx(seconds, abs=0.002)
    assert grown("dubbing_real_time_factor_count", "tone") == 1
    assert grown("dubbing_http_requests_total", "POST", "/v1/synthesize", "200") == 2
    assert after["dubbing_engine_ready", "tone"] == 1
    assert after["dubbing_engine_running_lines", "tone"] == 0
    assert after["dubbing_engine_waiting_lines", "tone"] == 0


def test_each_line_has_its_own_result_exactly_as_the_engine_made_it(server: EngineServer) -> None:
    texts = ("The first line.", "The second one.")
    answer = server.speak(*({"text": text} for text in texts), engine="tone").json()
    lines = [Line(text=text, language="en", voice="low") for text in texts]
    for result, made in zip(answer["results"], Tone().synthesize(lines), strict=True):
        assert isinstance(made, Audio)
        assert np.array_equal(sound_in(result), made.samples)


def test_a_line_that_fails_is_an_error_beside_the_others(server: EngineServer) -> None:
    lines = ({"text": "Good."}, {"text": "Bad. <says>"})
    good, bad = server.speak(*lines, engine="faulty").json()["results"]
    assert (good["error"], bad["error"]["code"]) == (None, "engine_away")
    (raised,) = server.speak({"text": "<raise>"}, engine="faulty").json()["results"]
    assert raised["error"]["code"] == "engine_failed"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ({"text": "…"}, "lines.0.text"),
        ({"text": "x" * 2000}, "lines.0.text"),
        ({"voice": "lo"}, "lines.0.voice"),
        ({"speed": 9.0}, "lines.0.speed"),
        ({"style": "sad"}, "lines.0.style"),
        ({"text": ""}, "lines.0.text"),
        ({"form": "0" * 64}, "lines.0"),
        ({"tempo": 2}, "lines.0.tempo"),
    ],
    ids=str,
)
def test_a_line_that_cannot_be_spoken_is_refused_by_its_place(
    server: EngineServer, line: dict[str, Any], place: str
) -> None:
    answer = server.speak(line, engine="tone")
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_input"
    assert place in answer.json()["message"]
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        *("/v1/jobs", "/v1/jobs/a-job", "/v1/jobs/a-job/files/dub.mp4", "/v1/uploads", "/v1/keys"),
        *("/v1/endpoints", "/v1/webhooks", "/api/status", "/status", "/ws", "/v1/nodes"),
        *("/storage/installation", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd"),
    ],
)
def test_its_key_opens_no_job_and_no_file(guarded: EngineServer, method: str, path: str) -> None:
    answer = guarded.http.request(method, path, headers={"X-Api-Key": SECRET})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_an_engine_that_is_not_served_is_named(server: EngineServer) -> None:
    assert server.speak({}, engine="ton").status_code == 404
    assert "did you mean 'tone'" in server.speak({}, engine="ton").json()["message"]
    assert "name one of tone, faulty" in server.speak({}).json()["message"]


def test_a_voice_that_was_derived_speaks_by_its_form(server: EngineServer) -> None:
    file = ("voice.wav", encode_exact(recording()), "audio/wav")
    told = server.http.post("/v1/extract", files={"file": file}, data={"engine": "tone"}).json()
    line = {"voice": "", "form": told["form"]}
    assert server.speak(line, engine="tone").json()["results"][0]["audio"]
    unknown = server.speak(line | {"form": "0" * 64}, engine="tone")
    assert (unknown.status_code, unknown.json()["code"]) == (409, "unknown_form")
    with engine_servers.running("tone") as other:
        assert other.speak(line).status_code == 409
        forms = {told["form"]: told["data"]}
        assert other.speak(line, forms=forms).json()["results"][0]["audio"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a sound", "not a film or sound file"),
        (encode_exact(Audio(samples=np.zeros(48_000, np.float32), rate=24_000)), "speech"),
    ],
    ids=["text", "silence"],
)
def test_a_recording_that_makes_no_voice_is_refused(
    server: EngineServer, content: bytes, words: str
) -> None:
    files = {"file": ("voice.wav", content, "audio/wav")}
    answer = server.http.post("/v1/extract", files=files, data={"engine": "tone"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert words in answer.json()["message"]
    assert "/tmp" not in answer.json()["message"]


def test_a_body_that_is_too_large_is_refused(server: EngineServer) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * (1 << 20)

    headers = {"Content-Type": "application/json"}
    answer = server.http.post("/v1/synthesize", content=parts(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_more_than_can_wait_is_told_to_come_again(server: EngineServer) -> None:
    slow = {"text": "Slow. <slow:0.1>"}
    with ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(server.speak, *[slow] * 4, engine="faulty") for _ in range(12)]
        answers = [one.result() for one in asked]
    busy = [one for one in answers if one.status_code == 429]
    assert busy
    assert {one.headers["retry-after"] for one in busy} == {"1"}
    assert {one.status_code for one in answers} == {200, 429}


def test_lines_that_wait_are_spoken_together(server: EngineServer) -> None:
    busy = server.folder / "busy"
    before = len(busy.read_text().splitlines())
    texts = [f"Line {n}. <slow:0.05>" for n in range(12)]
    with ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(server.speak, {"text": one}, engine="faulty") for one in texts]
        assert {one.result().status_code for one in asked} == {200}
    assert len(busy.read_text().splitlines()) - before < len(texts)


def test_a_text_of_many_lines_is_spoken_a_batch_at_a_time(server: EngineServer) -> None:
    busy = server.folder / "busy"
    before = len(busy.read_text().splitlines())
    text = {"model": "faulty", "input": "A sentence. " * 340, "voice": "low", "language": "en"}
    assert server.post("/v1/audio/speech", **text, response_format="wav").status_code == 200
    assert len(busy.read_text().splitlines()) - before == 2


def test_callers_without_the_key_are_refused(guarded: EngineServer) -> None:
    assert guarded.speak({}).status_code == 200
    for given, status in ((f"Bearer {SECRET}", 200), ("Bearer other", 401), (SECRET, 401)):
        headers = {"Authorization": given, "X-Api-Key": ""}
        assert guarded.http.get("/info", headers=headers).status_code == status
    assert guarded.http.get("/health", headers={"X-Api-Key": ""}).status_code == 200
    assert SECRET not in guarded.log.read_text()


@pytest.mark.parametrize(
    ("client", "refused"),
    [("10.1.2.3", False), ("::ffff:10.1.2.3", False), ("11.1.2.3", True), ("", True)],
)
def test_callers_of_other_networks_are_refused(client: str, refused: bool) -> None:
    access = Access(networks=[ipaddress.ip_network("10.0.0.0/8")])
    found = access.refusal(client, Headers())
    assert (found is not None and found[0] == 403) == refused


def test_it_finishes_what_it_has_when_it_is_told_to_end(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    begun.touch()
    with (
        engine_servers.running("faulty", FAULTY_LOG=str(begun)) as server,
        ThreadPoolExecutor(1) as thread,
    ):
        asked = thread.submit(server.speak, {"text": "Slow. <slow:1>"})
        while not begun.read_text():
            assert not asked.done()
        assert server.stop() == 0
        assert asked.result().json()["results"][0]["audio"]


def test_an_engine_that_hangs_ends_the_server_with_a_code_of_its_own() -> None:
    with engine_servers.running("faulty", FAULTY_SECONDS="0.5") as server:
        with pytest.raises(Exception, match="disconnected"):
            server.speak({"text": "<hang>"})
        assert server.process.wait(timeout=10) == 70


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tone", "--host", "0.0.0.0"), "set DUBBING_ENGINE_SERVER_KEY"),
        (("tone", "tone"), "tone is named twice"),
        (("ton",), "there is no engine 'ton'"),
        (("tone", "--certificate", __file__), "it cannot be used"),
        (("tone", "--allow", "10.0.0.0/8/8"), "write it as 10.0.0.0/8"),
        (("openai",), "openai has no endpoint"),
        (("piper",), "piper"),
        ((), "name the engines to serve"),
        (("tone", "espeak", "--contract", "yourtts"), "this contract serves one engine"),
        (("tone", "--contract", "speaker-embedding"), "leave ENGINES out"),
    ],
    ids=str,
)
def test_a_server_that_cannot_start_says_why(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["engine-server", "--port", "0", *arguments])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        main(["engine-server", "--port", str(taken.getsockname()[1]), "tone"])
    assert ended.value.code == 2
    assert "choose another --host or --port" in capsys.readouterr().err

"""The contracts of other services by HTTP: servers are sent what the services' own clients send."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import engine_servers
import httpx2
import numpy as np
import pytest
import soundfile
import soxr
from engine_servers import KEY, EngineServer
from services import unavailable
from speech import pitch, recording, spoken

from dubbing.engine_server.shelf import Shelf
from dubbing.engines.adapters.piper_http import PiperHTTP
from dubbing.engines.adapters.tone import PACE, VOICES
from dubbing.engines.adapters.yourtts_http import YourTTSHTTP
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Line
from dubbing.engines.models.folders import NOWHERE
from dubbing.engines.remote.pool import Pools
from dubbing.engines.remote.registry import Registry
from dubbing.engines.remote.sound import sound_of
from dubbing.errors import BadInput, NotFound
from dubbing.media.samples import Audio
from dubbing.storage import Storage
from dubbing.voices import speaker_encoder

TEXT = "The train leaves at nine, and it does not wait for us."
SECONDS = len(TEXT) / PACE
SECRET = "a key of a test"


@pytest.fixture(scope="module")
def yourtts() -> Iterator[EngineServer]:
    with engine_servers.running("tone", "--contract", "yourtts") as server:
        yield server


@pytest.fixture(scope="module")
def tts_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """A server whose temporary folder is empty again at its end."""
    folder = tmp_path_factory.mktemp("sounds")
    told = {KEY: SECRET, "TMPDIR": str(folder)}
    with engine_servers.running("tone", "--contract", "tts-service", **told) as server:
        server.folder = folder
        yield server
        assert server.stop() == 0
        assert not [*folder.iterdir()]


@pytest.fixture(scope="module")
def piper() -> Iterator[EngineServer]:
    options = ("--contract", "piper", "--language", "en")
    with engine_servers.running("tone", *options) as server:
        yield server


@pytest.fixture(scope="module")
def embeddings() -> Iterator[EngineServer]:
    if not speaker_encoder.available():
        unavailable(speaker_encoder.INSTALL)
    with engine_servers.running("--contract", "speaker-embedding") as server:
        yield server


def numbers(rate: int = 16_000, seconds: float = 10.0) -> list[float]:
    """Return a recording as clients of the services of lingua send it."""
    heard = recording()
    samples = soxr.resample(heard.samples, heard.rate, rate)[: round(seconds * rate)]
    return [float(sample) for sample in samples]


def heard(answer: httpx2.Response) -> Audio:
    """Return the sound of an answer of YourTTS, at the rate that it claims."""
    told = answer.json()
    return Audio(samples=np.array(told["audio"], np.float32), rate=told["sample_rate"])


def asked(**fields: Any) -> dict[str, Any]:
    """Return a request of the worker of video-auto-dubbing."""
    plain = {"text": TEXT, "speaker_id": "default", "target_duration_ms": 3000, "language": "en"}
    return plain | {"output_format": "wav", "sample_rate": 22050} | fields


def test_yourtts_speaks_in_the_voice_of_a_registered_speaker(yourtts: EngineServer) -> None:
    speaker = {"speaker_id": "mara", "reference_audio": numbers(), "reference_sample_rate": 16000}
    told = yourtts.post("/register_speaker", **speaker, voice_embedding=[0.1] * 192).json()
    assert (told["status"], told["speaker_id"], told["cache_size"]) == ("ok", "mara", 1)
    assert yourtts.http.get("/health").json() == {
        "status": "ok", "model_loaded": True, "device": "cpu", "cached_speakers": 1,
    }  # fmt: skip
    answer = yourtts.post("/synthesize", text=TEXT, speaker_id="mara", language="en")
    assert (answer.json()["sample_rate"], answer.json()["text"]) == (22050, TEXT)
    assert answer.json()["used_reference"] is answer.json()["speaker_applied"] is True
    assert pitch(heard(answer)) == pytest.approx(VOICES["low"], rel=0.05)
    assert heard(answer).seconds == pytest.approx(SECONDS, abs=0.01)


def test_the_clients_of_this_project_speak_by_yourtts_and_piper(
    yourtts: EngineServer, piper: EngineServer, tmp_path: Path
) -> None:
    storage = Storage.at(str(tmp_path))
    pools = Pools(lambda: storage)
    registry = Registry(Catalogue(pools=pools), pools)
    registry.add("yourtts-http", {"url": yourtts.url}, {"rate": 22050})
    registry.add("piper-http", {"url": piper.url}, {})
    cloning = YourTTSHTTP("yourtts-http", NOWHERE, pools)
    stock = PiperHTTP("piper-http", NOWHERE, pools)
    for engine in (cloning, stock):
        engine.load("remote")
    form = cloning.extract(recording(), "")
    (cloned,) = spoken(cloning, Line(text=TEXT, language="en", voice=form))
    (high,) = spoken(stock, Line(text=TEXT, language="en", voice="tone/high", speed=1.25))
    assert pitch(cloned) == pytest.approx(VOICES["low"], rel=0.05)
    assert pitch(high) == pytest.approx(VOICES["high"], rel=0.05)
    assert high.seconds == pytest.approx(SECONDS / 1.25, abs=0.01)
    cloning.unload()
    stock.unload()


def test_servers_that_do_not_heed_a_reference_are_not_taken_for_indextts(
    tts_service: EngineServer, tmp_path: Path
) -> None:
    storage = Storage.at(str(tmp_path))
    pools = Pools(lambda: storage, {"DUBBING_KEY_TTS": SECRET}.get)
    registry = Registry(Catalogue(pools=pools), pools)
    fields = {"url": tts_service.url, "key_from": "DUBBING_KEY_TTS"}
    with pytest.raises(BadInput, match="a tts_service, which ignores the voice"):
        registry.add("indextts", fields, {})
    with pytest.raises(BadInput, match="an engine-server of dubbing: add it to `remote-indextts`"):
        registry.add("indextts", {"url": engine_servers.shared().url}, {})


def test_yourtts_speaks_in_the_voice_of_a_recording_or_a_stock_voice(
    yourtts: EngineServer,
) -> None:
    sent = {"text": TEXT, "language": "en"}
    recorded = {"reference_audio": numbers(8000), "reference_sample_rate": 8000}
    by_recording = yourtts.post("/synthesize", **sent, **recorded, speaker_id="new")
    by_name = yourtts.post("/synthesize", **sent, speaker="high")
    assert pitch(heard(by_recording)) == pytest.approx(VOICES["low"], rel=0.05)
    assert pitch(heard(by_name)) == pytest.approx(VOICES["high"], rel=0.05)
    assert by_recording.json()["speaker_applied"] is not by_name.json()["speaker_applied"] is False


@pytest.mark.parametrize(
    ("language", "rate", "factor"),
    [
        ("zh", 7.5, 1.5),
        ("en", 18.0, 1.5),
        ("en", 3.75, 0.75),  # below 6 it is taken for a rate in Chinese
        ("en", 12.5, 1.0),
        ("en", 60.0, 2.5),
        ("en", 0.5, 0.4),
    ],
)
def test_yourtts_reads_a_speech_rate_as_the_service_does(
    yourtts: EngineServer, language: str, rate: float, factor: float
) -> None:
    sent = {"text": "x" * 60, "language": language, "speech_rate": rate}
    answer = yourtts.post("/synthesize", **sent)
    assert heard(answer).seconds == pytest.approx(60 / PACE / factor, abs=0.01)


@pytest.mark.parametrize(
    ("route", "fields", "words"),
    [
        ("synthesize", {"text": TEXT, "speaker_id": "nobody"}, "'nobody' is not registered"),
        ("synthesize", {"text": TEXT, "speaker": "zh_CN-huayan-medium"}, "has no voice"),
        ("synthesize", {"text": "…"}, "nothing to speak"),
        ("synthesize", {}, "text"),
        ("register_speaker", {"speaker_id": "x", "reference_audio": [0.0] * 32_000}, "speech"),
        ("register_speaker", {"speaker_id": "x", "reference_audio": [1e300] * 9}, "finite"),
        ("register_speaker", {"speaker_id": "x", "reference_audio": numbers()[:9000]}, "of 1 to"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_yourtts_refuses_in_the_form_of_the_service(
    yourtts: EngineServer, route: str, fields: dict[str, Any], words: str
) -> None:
    answer = yourtts.post(f"/{route}", **fields)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error"}
    assert words in answer.json()["error"]


def test_an_embedding_is_that_of_the_encoder(embeddings: EngineServer) -> None:
    assert embeddings.http.get("/health").json() == {"status": "ok", "model_loaded": True}
    told = embeddings.post("/extract", audio=numbers()).json()
    own = speaker_encoder.listen(Audio(samples=np.array(numbers(), np.float32), rate=16_000), 32)
    assert own is not None
    assert np.array(told["embedding"]) @ speaker_encoder.unit(own.mean(axis=0)) > 0.9999
    assert (told["dimension"], told["input_samples"], told["sample_rate"]) == (256, 160_000, 16_000)
    assert told["stats"]["norm"] == pytest.approx(1.0, abs=1e-4)
    assert told["stats"].keys() == {"mean", "std", "min", "max", "norm", "abs_mean"}


@pytest.mark.parametrize("audio", [[0.1] * 15_999, [0.0] * 32_000], ids=["short", "silent"])
def test_too_little_speech_has_no_embedding(embeddings: EngineServer, audio: list[float]) -> None:
    answer = embeddings.post("/extract", audio=audio)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["embedding"], told["too_short"], told["use_default"]) == (None, True, True)
    assert told["input_samples"] == len(audio)


def test_a_request_without_sound_has_no_embedding(embeddings: EngineServer) -> None:
    for fields in ({}, {"audio": []}, {"audio": ["x"]}):
        answer = embeddings.post("/extract", **fields)
        assert (answer.status_code, answer.json().keys()) == (400, {"error"})


@pytest.mark.parametrize("milliseconds", [2000, round(SECONDS * 1000), 6000])
def test_speech_lasts_as_long_as_it_was_asked(tts_service: EngineServer, milliseconds: int) -> None:
    told = tts_service.post("/synthesize", **asked(target_duration_ms=milliseconds)).json()
    file = tts_service.http.get(told["audio_url"])
    assert told["audio_url"].startswith(f"{tts_service.url}/audio/")
    assert file.headers["content-type"] == "audio/wav"
    assert (told["format"], told["sample_rate"], told["file_size"]) == (
        "wav", 22050, len(file.content),
    )  # fmt: skip
    assert told["duration_ms"] == pytest.approx(milliseconds, abs=1)
    assert sound_of(file.content).seconds == pytest.approx(milliseconds / 1000, abs=0.001)
    assert pitch(sound_of(file.content)) == pytest.approx(VOICES["low"], rel=0.05)
    assert [*tts_service.folder.rglob(told["audio_url"].rpartition("/")[2])]


def test_sound_comes_at_once_to_those_who_accept_sound(tts_service: EngineServer) -> None:
    sent = asked(output_format="mp3", sample_rate=24000, speaker_id="high")
    answer = tts_service.http.post("/synthesize", json=sent, headers={"Accept": "audio/mpeg"})
    file = soundfile.info(io.BytesIO(answer.content))
    assert answer.headers["content-type"] == "audio/mpeg"
    assert (file.format, file.samplerate) == ("MP3", 24000)
    assert pitch(sound_of(answer.content)) == pytest.approx(VOICES["high"], rel=0.05)


def test_its_speakers_are_the_stock_voices(tts_service: EngineServer) -> None:
    told = tts_service.http.get("/speakers").json()["speakers"]
    assert [speaker["id"] for speaker in told] == ["default", *VOICES]
    assert told[0].keys() == {"id", "name", "language", "gender"}


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"target_duration_ms": 500}, "duration_mismatch", "can be stretched to"),
        ({"target_duration_ms": 60_000}, "duration_mismatch", "60.00 s are asked"),
        ({"prompt_audio_url": "http://127.0.0.1:1/a.wav"}, "invalid_parameter", "no address"),
        ({"indextts_gradio_url": "http://127.0.0.1:1"}, "invalid_parameter", "no address"),
        ({"text": "x" * 10_001}, "text_too_long", "10001 characters"),
        ({"speaker_id": "nobody"}, "invalid_parameter", "has no voice"),
        ({"prosody_control": {"energy": 1.5}}, "invalid_parameter", "energy"),
        ({"target_duration_ms": 0}, "invalid_parameter", "target_duration_ms"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_the_tts_service_refuses_in_its_own_form(
    tts_service: EngineServer, fields: dict[str, Any], error: str, words: str
) -> None:
    answer = tts_service.post("/synthesize", **asked(**fields))
    assert answer.status_code == 400
    assert answer.json().keys() == {"error", "message", "details"}
    assert answer.json()["error"] == error
    assert words in answer.json()["message"]


def test_callers_without_the_key_see_the_health_alone(tts_service: EngineServer) -> None:
    bare = {"X-Api-Key": ""}
    told = tts_service.http.get("/health", headers=bare).json()
    assert (told["status"], told["model_loaded"], told["backend"]) == ("healthy", True, "tone")
    refused = tts_service.http.get("/speakers", headers=bare)
    assert (refused.status_code, refused.json()["error"]) == (401, "authentication_error")


def test_no_name_of_a_sound_leads_to_another_file(tts_service: EngineServer) -> None:
    for name in ("nothing.wav", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", ".."):
        answer = tts_service.http.get(f"/audio/{name}")
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_the_latest_sounds_alone_are_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 2)
    first, second, third = (shelf.keep(data, "wav") for data in (b"1", b"2", b"3"))
    assert (shelf.get(second), shelf.get(third)) == (b"2", b"3")
    with pytest.raises(NotFound, match="no longer"):
        shelf.get(first)
    assert len([*tmp_path.iterdir()]) == 2


@pytest.mark.parametrize("route", ["/", "/synthesize"], ids=["before 1.5", "from 1.5"])
def test_piper_speaks_at_the_length_scale(piper: EngineServer, route: str) -> None:
    sent = {"text": TEXT, "length_scale": 1.25, "noise_scale": 0.667, "noise_w_scale": 0.8}
    sound = sound_of(piper.post(route, **sent, voice="tone", speaker_id=1).content)
    assert sound.seconds == pytest.approx(SECONDS * 1.25, abs=0.01)
    assert pitch(sound) == pytest.approx(VOICES["high"], rel=0.05)
    named = piper.http.post(route, content=json.dumps({"text": TEXT, "speaker": "bright"}))
    assert pitch(sound_of(named.content)) == pytest.approx(VOICES["bright"], rel=0.05)


def test_piper_lists_its_voices_with_their_speakers(piper: EngineServer) -> None:
    told = piper.http.get("/voices").json()
    assert told.keys() == {"tone"}
    assert [*told["tone"]["speaker_id_map"]] == [*VOICES]
    assert told["tone"]["audio"]["sample_rate"] == 24_000
    assert piper.http.get("/info").json() == {
        "voice": {"name": "tone", "language": "en", "num_speakers": len(VOICES)}, "last": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"voice": "en_US-lessac-medium"}, 404, "there is no voice 'en_US-lessac-medium'"),
        ({"speaker": "nobody"}, 422, "has no voice 'nobody'"),
        ({"speaker_id": 5}, 422, "5 speakers"),
        ({"length_scale": 3}, 422, "speed of 0.5 to 2"),
        ({"text": "…"}, 422, "nothing to speak"),
    ],
    ids=str,
)
def test_piper_speaks_in_no_other_voice(
    piper: EngineServer, fields: dict[str, Any], status: int, words: str
) -> None:
    answer = piper.post("/synthesize", **({"text": TEXT} | fields))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert words in answer.json()["error"]

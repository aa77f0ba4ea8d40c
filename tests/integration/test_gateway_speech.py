"""Speech, voices and engines over HTTP, and what tenants see: a gateway, and a worker."""

from __future__ import annotations

import io
import re
import select
import socket
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import gateways
import httpx2
import numpy as np
import pytest
import soundfile
import tenants
from gateways import Gateway
from recordings import silence, speech
from speech import pitch
from system import System

from dubbing.engines.adapters.tone import VOICES
from dubbing.engines.remote.sound import sound_of
from dubbing.gateway.app import make_app
from dubbing.keyring import Keyring, Scope
from dubbing.media.samples import Audio
from dubbing.storage import Keys
from dubbing.voices.reference import LARGEST
from dubbing.webhooks.outbox import Outbox
from dubbing.webhooks.webhook import Webhooks

if TYPE_CHECKING:
    from openai import OpenAI

ANY = {"DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": "10000", "DUBBING_REQUESTS_PER_MINUTE": "10000"}
"""Limits that no test reaches."""
TEXT = "The train leaves at nine, and it does not wait. "


class Tones(System):
    """A worker of the tone engine, and one of assembly."""

    ENGINES: ClassVar[Mapping[str, str]] = {"tone": "tone", "assembly": "assembly"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tones]:
    with Tones(tmp_path_factory.mktemp("gateway") / "home", engine="tone", slots=1) as system:
        yield system


@pytest.fixture(scope="module")
def gateway(system: Tones) -> Iterator[Gateway]:
    with gateways.running(system.settings, **ANY) as gateway:
        system.ready()
        yield gateway


def key(system: Tones, tenant: str = "default", *scopes: Scope) -> str:
    """Return a new key, by default one that may do all that tenants may."""
    may = scopes or (Scope.READ, Scope.SUBMIT, Scope.VOICES)
    return Keyring(system.client.storage).make(tenant, may)[1]


@pytest.fixture(scope="module")
def caller(system: Tones, gateway: Gateway) -> httpx2.Client:
    return gateway.as_(key(system))


@pytest.fixture(scope="module")
def acme(system: Tones, gateway: Gateway) -> httpx2.Client:
    return gateway.as_(key(system, "acme"))


@pytest.fixture(scope="module")
def client(system: Tones, gateway: Gateway) -> Iterator[OpenAI]:
    from openai import OpenAI

    url = f"{gateway.url}/v1"
    with OpenAI(base_url=url, api_key=key(system), max_retries=0) as client:
        yield client


def say(caller: httpx2.Client, **fields: Any) -> httpx2.Response:
    plain = {"text": TEXT, "voice_id": "low", "language": "en"}
    return caller.post("/api/synthesize", json=plain | fields)


def recording(sound: Audio) -> dict[str, Any]:
    """Return a form's file."""
    file = io.BytesIO()
    soundfile.write(file, sound.samples, sound.rate, format="FLAC")
    return {"audio": ("mara.flac", file.getvalue(), "audio/flac")}


def extract(caller: httpx2.Client, files: dict[str, Any], **fields: str) -> httpx2.Response:
    return caller.post("/api/extract_voice", files=files, data={"voice_name": "mara"} | fields)


@pytest.mark.parametrize(
    ("format_", "media_type"),
    [("wav", "wav"), ("mp3", "mpeg"), ("flac", "flac"), ("opus", "ogg")],
)
def test_a_text_is_spoken_at_once_in_the_format_that_was_asked(
    caller: httpx2.Client, format_: str, media_type: str
) -> None:
    answer = say(caller, voice_id="high", output_format=format_)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == f"audio/{media_type}"
    assert answer.headers["x-engine"] == "tone"
    assert answer.headers["x-request-id"]
    assert pitch(sound_of(answer.content)) == pytest.approx(VOICES["high"], rel=0.15)


def test_the_workers_log_names_the_request_for_a_text(system: Tones, caller: httpx2.Client) -> None:
    caller.headers["X-Request-Id"] = "trace-4712"
    try:
        assert say(caller).status_code == 200
    finally:
        del caller.headers["X-Request-Id"]
    named = "[request=trace-4712 tenant=default worker=tone."
    system.until(lambda: named in system.log("tone"), "told")


def test_speed_and_pitch_change_how_a_text_is_spoken(caller: httpx2.Client) -> None:
    plain = sound_of(say(caller).content)
    changed = sound_of(say(caller, speed=2, pitch=2).content)
    assert changed.seconds == pytest.approx(plain.seconds / 2, rel=0.1)
    assert pitch(changed) == pytest.approx(2 * pitch(plain), rel=0.15)


def test_a_text_longer_than_a_line_is_spoken_in_parts(caller: httpx2.Client) -> None:
    answer = say(caller, text=TEXT * 60)
    assert answer.status_code == 200, answer.text
    whole, part = sound_of(answer.content), sound_of(say(caller, text=TEXT * 10).content)
    assert whole.seconds == pytest.approx(6 * part.seconds, rel=0.1)


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"voice_id": "nobody"}, 404, "'tone' has no voice 'nobody'"),
        ({"engine": "tnoe"}, 404, "no engine 'tnoe'; did you mean 'tone'"),
        ({"engine": "espeak", "voice_id": "en"}, 503, "no worker of 'espeak' is online"),
        ({"text": "♪"}, 422, "holds nothing to speak"),
        ({"text": "x" * 5001}, 422, "5000"),
        ({"language": "no tag"}, 422, "no BCP 47 tag"),
        ({"speed": 3}, 422, "body.speed"),
    ],
)
def test_a_text_that_cannot_be_spoken_is_refused(
    caller: httpx2.Client, fields: dict[str, Any], status: int, words: str
) -> None:
    answer = say(caller, **fields)
    assert (answer.status_code, words in answer.json()["message"]) == (status, True), answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_voice_is_extracted_listed_spoken_with_and_deleted(
    system: Tones, caller: httpx2.Client, acme: httpx2.Client
) -> None:
    sound = recording(speech("Annie"))
    made = extract(caller, sound, reference_text="You told me", language="en", engine="tone")
    assert made.status_code == 201, made.text
    voice = made.json()
    assert (voice["voice_id"], voice["engine"], voice["language"]) == ("mara", "tone", "en")
    assert voice["seconds"] > 5
    assert voice["created_at"]
    assert extract(caller, sound, reference_text="You told me", language="en").status_code == 201
    other = extract(caller, recording(speech("m3")), voice_id="mara", voice_name="Somebody")
    assert (other.status_code, other.json()["code"]) == (409, "conflict")

    assert [one["voice_id"] for one in caller.get("/api/voices").json()["voices"]] == ["mara"]
    assert caller.get("/api/voices/mara").json()["voice_id"] == "mara"
    assert say(caller, voice_id="mara").status_code == 200
    # Nothing of it exists for another tenant, who cannot delete it by its digest either.
    digest = system.client.voices.get("mara").voice.digest
    assert acme.delete(f"/api/voices/{digest}").status_code == 404
    assert acme.get("/api/voices").json() == {"voices": []}
    assert acme.get("/api/voices/mara").status_code == 404
    assert acme.delete("/api/voices/mara").status_code == 404
    assert say(acme, voice_id="mara").status_code == 404
    assert extract(acme, recording(speech("m3"))).status_code == 201

    assert acme.get("/api/voices/mara/recording").status_code == 200
    heard = caller.get("/api/voices/mara/recording")
    assert heard.headers["content-type"] == "audio/flac"
    assert sound_of(heard.content).seconds == pytest.approx(voice["seconds"], abs=0.01)

    assert caller.delete("/api/voices/mara").status_code == 204
    assert caller.get("/api/voices/mara").status_code == 404
    assert caller.get("/api/voices/mara/recording").status_code == 404
    assert acme.get("/api/voices/mara").status_code == 200


def test_a_voice_tells_how_its_recording_was_judged(caller: httpx2.Client) -> None:
    quiet = speech("m3", "You told me the ship would leave before dawn.")
    short = Audio(samples=quiet.samples * np.float32(0.1), rate=quiet.rate)
    made = extract(caller, recording(short), voice_id="quiet", engine="tone").json()
    judged = caller.get("/api/voices/quiet").json()
    assert judged["judgement"] == made["judgement"]
    assert judged["judgement"]["loudness"] == pytest.approx(-43, abs=5)
    assert judged["judgement"]["snr"] > 20
    assert "needs a reference of 3 to 10 s" in judged["unfit"]["gpt-sovits"]
    assert not {"tone", *judged["engines"]} & judged["unfit"].keys()
    assert caller.delete("/api/voices/quiet").status_code == 204


@pytest.mark.parametrize(
    ("files", "fields", "words"),
    [
        ({"audio": ("a.wav", b"#!/bin/sh", "audio/wav")}, {}, "a.wav"),
        (
            recording(Audio(samples=silence(5.0), rate=24_000)),
            {},
            "mara.flac",
        ),
        ({"audio": ("../../x", b"", "audio/wav")}, {"voice_name": "../x"}, "'../x' cannot name"),
        ({}, {}, "body.audio"),
    ],
)
def test_a_recording_that_makes_no_voice_is_refused_and_leaves_nothing(
    system: Tones, gateway: Gateway, files: dict[str, Any], fields: dict[str, str], words: str
) -> None:
    caller = gateway.as_(key(system, "voiceless"))
    answer = extract(caller, files, **fields)
    assert (answer.status_code, words in answer.json()["message"]) == (422, True), answer.text
    assert "/tmp" not in answer.text
    assert caller.get("/api/voices").json() == {"voices": []}


def test_a_recording_that_is_too_large_is_refused_while_it_is_sent(
    gateway: Gateway, caller: httpx2.Client
) -> None:
    url = urlsplit(gateway.url)
    head = (
        f"POST /api/extract_voice HTTP/1.1\r\nHost: {url.netloc}\r\n"
        f"X-Api-Key: {caller.headers['x-api-key']}\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    part = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall(head.encode() + chunk(part))
        for _ in range(2 * LARGEST >> 20):
            connection.sendall(chunk(bytes(1 << 20)))
            if select.select([connection], [], [], 0)[0]:
                break
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_a_key_without_the_right_makes_no_voice(system: Tones, gateway: Gateway) -> None:
    reader = gateway.as_(key(system, "default", Scope.READ))
    for answer in (
        extract(reader, recording(speech("Annie"))),
        reader.delete("/api/voices/mara"),
        say(reader),
        reader.post("/api/batch_synthesize", json={"texts": ["A."], "voice_id": "low"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert reader.get("/api/voices").status_code == 200


def test_engines_are_listed_with_whether_a_worker_is_online(caller: httpx2.Client) -> None:
    engines = {one["name"]: one for one in caller.get("/api/engines").json()["engines"]}
    assert engines["tone"]["online"]
    assert engines["tone"]["clones"]
    assert engines["tone"]["voices"] == list(VOICES)
    assert not engines["espeak"]["online"]
    assert engines["tone"]["speeds"] == [0.5, 2.0]
    assert engines["tone"]["longest"] == {"*": 1000}
    assert engines["tone"]["reference_seconds"] == [1.0, 30.0]
    assert not engines["tone"]["needs_transcript"]


def test_texts_become_a_job_that_keeps_the_sound_of_each(
    caller: httpx2.Client, acme: httpx2.Client
) -> None:
    texts = ["The first of them.", "The second of them."]
    body = {"texts": [*texts, "♪"], "voice_id": "high", "language": "en"}
    answer = caller.post("/api/batch_synthesize", json=body)
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert made["total"] == 3
    assert caller.post("/api/batch_synthesize", json=body).json() == made
    job = caller.get(made["status"], params={"wait": 30}).json()
    assert (job["state"], job["lines"]["failed"]) == ("completed", 0)
    for url in made["results"][:2]:
        sound = caller.get(url)
        assert sound.headers["content-type"] == "audio/flac"
        assert pitch(sound_of(sound.content)) == pytest.approx(VOICES["high"], rel=0.15)
        assert acme.get(url).status_code == 404
    # There is nothing to speak in it.
    assert caller.get(made["results"][2]).status_code == 404
    assert caller.get(f"{made['status']}/lines/..%2F1").status_code == 404


def test_texts_that_are_too_long_for_one_job_are_refused(caller: httpx2.Client) -> None:
    body = {"texts": ["x" * 900] * 300, "voice_id": "high", "language": "en"}
    answer = caller.post("/api/batch_synthesize", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert "send several requests" in answer.json()["message"]


@pytest.mark.parametrize("format_", ["mp3", "pcm"])
def test_openais_client_speaks(client: OpenAI, format_: Any) -> None:
    answer = client.audio.speech.create(
        model="tone", voice="high", input=TEXT, response_format=format_,
        extra_body={"language": "en"},
    )  # fmt: skip
    assert answer.response.headers["x-engine"] == "tone"
    assert len(answer.read()) > 5000


def test_openais_client_lists_engines_that_speak_now(client: OpenAI, caller: httpx2.Client) -> None:
    assert [model.id for model in client.models.list()] == ["tone"]
    assert extract(caller, recording(speech("Annie")), voice_id="ada").status_code == 201
    voices = [one["id"] for one in caller.get("/v1/audio/voices").json()["voices"]]
    assert voices == [*VOICES, "ada"]
    assert caller.delete("/api/voices/ada").status_code == 204


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"model": "tts-1"}, "NotFoundError", "no engine 'tts-1'"),
        ({"voice": "alloy"}, "NotFoundError", "'tone' has no voice 'alloy'"),
        ({"speed": 0.3}, "UnprocessableEntityError", "speed"),
        ({"extra_body": {}}, "UnprocessableEntityError", "speaks several languages"),
        ({"model": "espeak", "voice": "en"}, "InternalServerError", "no worker of 'espeak'"),
    ],
)
def test_openais_client_raises_its_errors(
    client: OpenAI, fields: dict[str, Any], error: str, words: str
) -> None:
    import openai

    plain = {"model": "tone", "voice": "low", "input": TEXT, "extra_body": {"language": "en"}}
    with pytest.raises(getattr(openai, error), match=words):
        client.audio.speech.create(**{**plain, **fields})


def test_openais_client_with_another_key_is_refused(gateway: Gateway) -> None:
    import openai

    url = f"{gateway.url}/v1"
    with (
        openai.OpenAI(base_url=url, api_key="sk-none", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.models.list()


@pytest.fixture(scope="module")
def owner(system: Tones, gateway: Gateway) -> httpx2.Client:
    return gateway.as_(key(system, "owner"))


@pytest.fixture(scope="module")
def stranger(system: Tones, gateway: Gateway) -> httpx2.Client:
    return gateway.as_(key(system, "stranger"))


@pytest.fixture(scope="module")
def owned(system: Tones, owner: httpx2.Client) -> tenants.Ids:
    """The ids of what the owner has: one thing of each kind."""
    sound = recording(speech("Annie"))
    media = owner.post("/v1/uploads?name=owned.wav", content=sound["audio"][1]).json()["source"]
    line = {"id": "1", "start": 0, "end": 2, "text": "An owned line."}
    asked = {"language": "en", "engine": "tone", "segments": [line], "media": media}
    job = owner.post("/v1/jobs", json=asked).json()["id"]
    assert owner.get(f"/v1/jobs/{job}?wait=30").json()["state"] == "completed"
    words = b"1\n00:00:00,000 --> 00:00:01,000\nAn owned script.\n"
    upload = owner.post("/v1/uploads?name=owned.srt", content=words).json()
    webhook = owner.post("/v1/webhooks", json={"url": "https://owned.example/"}).json()["id"]
    assert extract(owner, sound, voice_id="owned-voice").status_code == 201
    storage = system.client.storage
    message = Outbox(storage).test(Webhooks(storage).find("owner", webhook))
    storage.create(Keys.dead("owner", webhook, message.id), message.model_dump_json().encode())
    return {
        "job_id": job,
        "upload_id": upload["id"],
        "webhook_id": webhook,
        "message_id": message.id,
        "voice_id": "owned-voice",
        "digest": system.client.voices_of("owner").get("owned-voice").voice.digest,
    }


@pytest.fixture(scope="module")
def routes(system: Tones) -> list[tuple[str, str]]:
    """The method and the path of every route of a gateway."""
    return [*tenants.routes(make_app(system.client, system.settings, loopback=True))]


def test_what_is_anothers_is_answered_as_what_does_not_exist(
    owner: httpx2.Client,
    stranger: httpx2.Client,
    owned: tenants.Ids,
    routes: list[tuple[str, str]],
) -> None:
    asked = 0
    for method, path in routes:
        if not (names := {*re.findall(r"{(\w+)}", path)}) or names <= tenants.EVERYBODYS:
            continue
        theirs, nobodys = (
            told(stranger, method, path.format_map({**tenants.OF_A_JOB, **ids}))
            for ids in (owned, tenants.UNKNOWN)
        )
        assert theirs[0] == 404, (method, path, theirs)
        assert without(owned, theirs) == without(tenants.UNKNOWN, nobodys), (method, path)
        if method in {"GET", "HEAD"}:
            # The ids are right.
            url = path.format_map({**tenants.OF_A_JOB, **owned})
            assert owner.request(method, url).status_code == 200, url
        asked += 1
    assert asked > 20


def test_a_body_that_names_what_is_anothers_is_answered_as_if_it_did_not_exist(
    stranger: httpx2.Client, owned: tenants.Ids, routes: list[tuple[str, str]]
) -> None:
    bodies = [f"{method} {path}" for method, path in routes if "{" not in path and method != "GET"]
    assert {*bodies} == {*tenants.BODIES, *tenants.NAMELESS}
    for route, make in tenants.BODIES.items():
        for theirs, nobodys in zip(make(owned), make(tenants.UNKNOWN), strict=True):
            first, second = (told(stranger, *route.split(), json=one) for one in (theirs, nobodys))
            assert first[0] in {404, 422}, (route, theirs, first)
            assert without(owned, first) == without(tenants.UNKNOWN, second), (route, theirs)


def test_what_is_listed_is_ones_own(
    owner: httpx2.Client,
    stranger: httpx2.Client,
    owned: tenants.Ids,
    routes: list[tuple[str, str]],
) -> None:
    lists = [path for method, path in routes if method == "GET" and "{" not in path]
    for path in [*lists, "/v1/jobs?tenant=owner"]:
        found = stranger.get(path).text
        assert not [id_ for id_ in (*owned.values(), '"owner"') if id_ in found], path
    shown = {
        *("/v1/jobs job_id", "/v1/uploads upload_id", "/v1/webhooks webhook_id"),
        *("/api/voices voice_id", "/v1/audio/voices voice_id"),
    }
    for path, name in map(str.split, shown):
        assert owned[name] in owner.get(path).text


def told(caller: httpx2.Client, method: str, path: str, json: Any = None) -> tuple[int, str]:
    """Return the status and the body of an answer, without the id of the request."""
    headers = {"Upload-Offset": "0"}
    answer = caller.request(method, path, headers=headers, json={} if json is None else json)
    request_id = answer.headers["X-Request-Id"]
    return answer.status_code, answer.text.replace(request_id, "")


def without(ids: tenants.Ids, answer: tuple[int, str]) -> tuple[int, str]:
    status, text = answer
    for id_ in ids.values():
        # A message may show the beginning of a digest.
        text = text.replace(id_, "…").replace(f"{id_[:12]}…", "…")
    return status, text

"""`/v1/uploads`, by a real gateway: files that come whole, in chunks, or straight into a bucket."""

from __future__ import annotations

import hashlib
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gateways
import httpx2
import pytest
import s3_server as s3
from gateways import Gateway
from redis_server import RedisServer

from dubbing.gateway.sweeper import Sweeper
from dubbing.keyring import Keyring, Scope
from dubbing.settings import Settings
from dubbing.storage import Keys, S3Options, Storage
from dubbing.submission.uploads import Upload, Uploads

SILENT = "import dubbing.serving.requests as requests\nrequests.BODY_SECONDS = 2.0\n"
"""Python that the process of the gateway runs first: it shortens the minute of silence."""
ANY = {"DUBBING_REQUESTS_PER_MINUTE_PER_ADDRESS": "10000"}
"""A limit that no test reaches."""
FILM = bytes(range(256)) * (36 << 10)
"""9 MiB: more than two pieces of a body."""
SHA256 = hashlib.sha256(FILM).hexdigest()


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    return Storage.at(str(tmp_path_factory.mktemp("storage")))


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gateway's folder of temporary files."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def abandoned(storage: Storage) -> Upload:
    """An upload of which a part came two days before the gateway starts."""
    uploads = Uploads(storage)
    upload = uploads.begin("a", "film.mp4", 100)
    uploads.add(upload, 0, b"some")
    age(storage, upload, days=2)
    return upload


@pytest.fixture(scope="module")
def gateway(
    storage: Storage,
    temporary: Path,
    abandoned: Upload,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """A gateway to a folder, which cuts off a body after two seconds of silence."""
    home = tmp_path_factory.mktemp("home")
    (home / "sitecustomize.py").write_text(SILENT)
    variables = {"PYTHONPATH": str(home), "TMPDIR": str(temporary), **ANY}
    with RedisServer() as redis:
        settings = Settings(home=home, redis_url=redis.url, storage_url=storage.url)
        with gateways.running(settings, **variables) as found:
            yield found


@pytest.fixture(scope="module")
def keys(storage: Storage) -> dict[str, str]:
    """The API keys of two tenants."""
    return {tenant: Keyring(storage).make(tenant, [Scope.SUBMIT, Scope.READ])[1] for tenant in "ab"}


@pytest.fixture(scope="module")
def http(gateway: Gateway, keys: dict[str, str]) -> httpx2.Client:
    return gateway.as_(keys["a"])


def begun(http: httpx2.Client, size: int = len(FILM), name: str = "film.mp4") -> str:
    """Begin an upload in chunks; return its id."""
    answer = http.post("/v1/uploads", params={"name": name, "bytes": size})
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(answer.json()["id"])
    return str(answer.json()["id"])


def sent(http: httpx2.Client, id_: str, offset: int, chunk: Any) -> httpx2.Response:
    return http.patch(f"/v1/uploads/{id_}", headers={"Upload-Offset": str(offset)}, content=chunk)


SCRIPT = b"1\n00:00:01,000 --> 00:00:02,000\nMARA: Wake up.\n"


def test_an_upload_is_read_as_a_script(http: httpx2.Client) -> None:
    def read(name: str, content: bytes, **query: bool) -> httpx2.Response:
        id_ = http.post("/v1/uploads", params={"name": name}, content=content).json()["id"]
        return http.get(f"/v1/uploads/{id_}/script", params=query)

    told = read("e01.srt", SCRIPT).json()
    assert [caution["code"] for caution in told["cautions"]] == ["label"]
    told = read("e01.srt", SCRIPT, speaker_prefix=True).json()
    (segment,) = told["segments"]
    assert (segment["speaker"], segment["text"]) == ("MARA", "Wake up.")
    assert (segment["id"], segment["start"], segment["end"]) == ("1", 1.0, 2.0)
    refused = read("e01.srt", SCRIPT.replace(b"-->", b"->"))
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("upload:")
    assert "line 2" in refused.json()["message"]
    assert read("film.mp4", SCRIPT).status_code == 422


def until(true: Callable[[], bool]) -> None:
    """Wait until something is true, which takes a gateway a moment."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def age(storage: Storage, upload: Upload, days: float, *, also_parts: bool = True) -> None:
    """Have an upload, and what came of it, look as if it were stored some days ago."""
    for key in keys_of(storage, upload):
        if key.endswith(".json") or also_parts:
            os.utime(Path(storage.url) / key, (then := time.time() - days * 86400, then))


def keys_of(storage: Storage, upload: Upload) -> list[str]:
    return [key for key in storage.keys(Keys.uploads(upload.tenant)) if upload.id in key]


def leaves_nothing(temporary: Path, storage: Storage, before: set[str]) -> bool:
    return not [*temporary.iterdir()] and stored(storage) == before


def stored(storage: Storage) -> set[str]:
    """Return the keys of all uploads and media."""
    return {*storage.keys("uploads/"), *storage.keys("media/")}


def raw(gateway: Gateway, head: str, key: str, length: int, body: bytes) -> socket.socket:
    """Send a request whose body may be shorter than it says; return the connection."""
    url = urlsplit(gateway.url)
    connection = socket.create_connection((url.hostname, url.port), timeout=10)
    lines = [head, f"Host: {url.netloc}", f"X-Api-Key: {key}", f"Content-Length: {length}"]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return connection


def test_a_whole_file_is_stored_as_media_under_its_digest(
    temporary: Path, http: httpx2.Client, storage: Storage
) -> None:
    for _ in range(2):
        answer = http.post("/v1/uploads?name=film.mp4", content=FILM)
        assert answer.status_code == 201
        body = answer.json()
        assert body == {
            "id": body["id"],
            "source": f"upload:{body['id']}",
            "name": "film.mp4",
            "bytes": len(FILM),
            "offset": len(FILM),
            "sha256": SHA256,
            "state": "finished",
            "created": body["created"],
            "put": None,
        }
    assert storage.get(Keys.media(SHA256)) == FILM
    assert http.get(answer.headers["Location"]).json() == body
    assert not [*temporary.iterdir()]


def test_a_job_names_an_upload_whose_name_tells_the_language(http: httpx2.Client) -> None:
    script = b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n"
    id_ = begun(http, len(script), "scene.de.srt")
    fields = {"engine": "tone", "script": f"upload:{id_}"}
    early = http.post("/v1/jobs/preview", json=fields)
    assert early.status_code == 422
    assert f"0 bytes of {len(script)} were received" in early.json()["message"]
    sent(http, id_, 0, script)
    assert http.post("/v1/jobs/preview", json=fields).json()["lines"] == 1
    assert http.get(f"/v1/uploads/{id_}/script").json()["language"] == "de"


def test_chunks_that_different_gateways_take_become_one_file(
    http: httpx2.Client, storage: Storage
) -> None:
    id_ = begun(http)
    assert sent(http, id_, 0, FILM[:10]).headers["Upload-Offset"] == "10"
    beside = Uploads(storage)
    assert beside.add(beside.find("a", id_), 10, FILM[10:20]) == 20

    wrong = sent(http, id_, 10, FILM[10:])
    assert wrong.status_code == 409
    assert wrong.headers["Upload-Offset"] == "20"
    assert "20 bytes were received" in wrong.json()["message"]

    told = http.head(f"/v1/uploads/{id_}")
    assert (told.headers["Upload-Offset"], told.headers["Upload-Length"]) == ("20", str(len(FILM)))
    assert told.headers["Cache-Control"] == "no-store"
    last = sent(http, id_, 20, FILM[20:])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(FILM)))
    body = http.get(f"/v1/uploads/{id_}").json()
    assert (body["state"], body["sha256"]) == ("finished", SHA256)
    assert not [*storage.keys(Keys.upload_parts("a", id_))]
    assert http.post(f"/v1/uploads/{id_}/finish").json() == body


def test_a_chunk_that_breaks_off_is_kept_as_far_as_it_came(
    gateway: Gateway, http: httpx2.Client, keys: dict[str, str]
) -> None:
    id_, came = begun(http), 5 << 20
    head = f"PATCH /v1/uploads/{id_} HTTP/1.1\r\nUpload-Offset: 0"
    raw(gateway, head, keys["a"], len(FILM), FILM[:came]).close()
    until(lambda: http.get(f"/v1/uploads/{id_}").json()["offset"] == came)
    assert sent(http, id_, came, FILM[came:]).status_code == 204
    assert http.get(f"/v1/uploads/{id_}").json()["sha256"] == SHA256


def test_a_file_that_breaks_off_or_stalls_leaves_nothing(
    gateway: Gateway, keys: dict[str, str], storage: Storage, temporary: Path
) -> None:
    before, head = stored(storage), "POST /v1/uploads?name=film.mp4 HTTP/1.1"
    part = FILM[: 5 << 20]
    raw(gateway, head, keys["a"], len(FILM), part).close()
    with raw(gateway, head, keys["a"], len(FILM), part) as stalled:
        until(lambda: bool([*temporary.iterdir()]))
        with stalled.makefile() as lines:
            answer = lines.read()
    assert answer.startswith("HTTP/1.1 408 ")
    assert "paused for a minute" in answer
    until(lambda: leaves_nothing(temporary, storage, before))


def test_a_file_that_is_too_large_is_refused_before_it_comes(
    gateway: Gateway,
    http: httpx2.Client,
    keys: dict[str, str],
    storage: Storage,
    temporary: Path,
) -> None:
    id_ = begun(http, 10)
    before = stored(storage)
    heads = [
        "POST /v1/uploads?name=film.mp4 HTTP/1.1",
        f"PATCH /v1/uploads/{id_} HTTP/1.1\r\nUpload-Offset: 0",
    ]
    for head in heads:
        with raw(gateway, head, keys["a"], (64 << 30) + 1, b"some") as connection:
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 413 ")
    beyond = sent(http, id_, 0, b"eleven bytes")
    assert beyond.status_code == 422
    assert "the upload has 10 bytes" in beyond.json()["message"]
    assert http.post("/v1/uploads", params={"name": "f", "bytes": 1 << 40}).status_code == 422
    assert leaves_nothing(temporary, storage, before)


@pytest.mark.parametrize(
    "query",
    [
        {"name": "../film.mp4"},
        {"name": "..\\film.mp4"},
        {"name": "a\0b"},
        {"name": "a\nb"},
        {"name": ".."},
        {"name": ""},
        {"name": "x" * 10_000},
        {},
        {"name": "film.mp4", "bytes": "0"},
        {"name": "film.mp4", "bytes": "5"},
        {"name": "film.mp4", "direct": "true"},
    ],
    ids=lambda query: str(query)[:40],
)
def test_what_is_no_upload_is_refused(
    http: httpx2.Client, storage: Storage, temporary: Path, query: dict[str, str]
) -> None:
    before = stored(storage)
    body = b"" if "direct" in query else b"film"
    answer = http.post("/v1/uploads", params=query, content=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_input"
    assert len(answer.text) < 500
    if "direct" in query:
        assert "send it to the gateway" in answer.json()["message"]
    assert leaves_nothing(temporary, storage, before)


def test_an_empty_body_is_no_file(http: httpx2.Client) -> None:
    answer = http.post("/v1/uploads?name=film.mp4")
    assert (answer.status_code, "the body is empty" in answer.text) == (422, True)


def test_another_tenants_uploads_are_unknown(
    gateway: Gateway, http: httpx2.Client, keys: dict[str, str]
) -> None:
    id_ = begun(http)
    sent(http, id_, 0, b"some")
    other = gateway.as_(keys["b"])
    answers = [
        other.get(f"/v1/uploads/{id_}"),
        other.head(f"/v1/uploads/{id_}"),
        sent(other, id_, 4, b"more"),
        other.post(f"/v1/uploads/{id_}/finish"),
        other.delete(f"/v1/uploads/{id_}"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert http.get(f"/v1/uploads/{id_}").json()["offset"] == 4
    assert http.get("/v1/uploads/..%2f..").status_code == 404


def test_a_tenants_uploads_are_listed_page_by_page_the_last_begun_first(
    gateway: Gateway, http: httpx2.Client, keys: dict[str, str]
) -> None:
    begun(http)
    other = gateway.as_(keys["b"])
    first = begun(other)
    sent(other, first, 0, b"some")
    last = other.post("/v1/uploads?name=scene.srt", content=b"whole").json()
    page = other.get("/v1/uploads?limit=1").json()
    assert page["uploads"] == [last]
    rest = other.get("/v1/uploads", params={"cursor": page["next"]}).json()
    (upload,), following = rest["uploads"], rest["next"]
    assert (upload["id"], upload["offset"], upload["state"]) == (first, 4, "uploading")
    assert (upload["created"] < last["created"], following) == (True, None)


def test_an_upload_that_nobody_finishes_is_removed_after_a_day(
    gateway: Gateway, storage: Storage, abandoned: Upload
) -> None:
    until(lambda: not keys_of(storage, abandoned))
    assert f"upload {abandoned.id} of a is removed" in gateway.log.read_text()


def test_an_upload_that_goes_on_or_is_finished_stays(tmp_path: Path) -> None:
    storage = Storage.at(str(tmp_path))
    uploads = Uploads(storage)
    young, slow, done, deleted, broken = (uploads.begin("a", "f.mp4", 4) for _ in range(5))
    for upload in (young, slow, done, deleted):
        uploads.add(upload, 0, b"some")
    uploads.finish(done)
    # Its process dies before it drops the part.
    uploads.add(done, 0, b"some")
    storage.delete(Keys.upload("a", deleted.id))
    storage.replace(Keys.upload("a", broken.id), b"{")
    storage.create("uploads/a/notes/of-others", b"")
    for upload in (done, deleted, broken):
        age(storage, upload, days=2)
    age(storage, young, days=0.9)
    age(storage, slow, days=2, also_parts=False)
    with ThreadPoolExecutor(2) as threads:
        # Two gateways.
        [*threads.map(lambda _: Sweeper(storage, uploads).sweep(), range(2))]
    left = {Keys.upload("a", one.id) for one in (young, slow, done, broken)}
    parts = {Keys.upload_part("a", one.id, 0) for one in (young, slow)}
    assert {*storage.keys(Keys.UPLOADS)} == {*left, *parts, "uploads/a/notes/of-others"}
    age(storage, slow, days=1.1)
    Sweeper(storage, uploads).sweep()
    assert not keys_of(storage, slow)


def test_a_deleted_upload_is_gone_with_its_parts_and_media_stays(
    http: httpx2.Client, storage: Storage
) -> None:
    begun_id = begun(http)
    sent(http, begun_id, 0, b"some")
    whole = http.post("/v1/uploads?name=film.mp4", content=b"whole").json()
    for id_ in (begun_id, whole["id"]):
        assert http.delete(f"/v1/uploads/{id_}").status_code == 204
        assert http.delete(f"/v1/uploads/{id_}").status_code == 404
        assert not [key for key in stored(storage) if id_ in key]
    assert storage.get(Keys.media(whole["sha256"])) == b"whole"


def test_a_deleted_job_is_gone_and_the_upload_that_it_named_stays(http: httpx2.Client) -> None:
    script = b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n"
    sent_as = http.post("/v1/uploads?name=scene.srt", content=script).json()["source"]
    fields = {"id": "scene", "language": "en", "engine": "tone", "script": sent_as}
    assert http.post("/v1/jobs", json=fields).status_code == 201
    answers = [
        http.delete("/v1/jobs/scene"),
        http.post("/v1/jobs/scene/cancel"),
        http.delete("/v1/jobs/scene"),
        http.delete("/v1/jobs/scene"),
        http.get("/v1/jobs/scene"),
        http.get("/v1/jobs/scene/events"),
        http.post("/v1/jobs", json=fields),
    ]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [409, 200, 204, 404, 404, 404, 201], [a.text for a in answers]


def test_web_media_of_the_gateways_own_machine_is_refused(http: httpx2.Client) -> None:
    segments = [{"start": 0, "end": 1, "text": "Hello."}]
    media = "https://127.0.0.1:1/film.mp4?key=secret"
    fields = {"language": "en", "engine": "tone", "segments": segments, "media": media}
    answer = http.post("/v1/jobs", json=fields)
    assert answer.status_code == 422
    words = answer.json()["message"]
    assert "https://127.0.0.1:1/film.mp4: its host is not public" in words
    assert "secret" not in words


def test_a_file_goes_straight_into_a_bucket(redis_url: str, s3_options: S3Options) -> None:
    settings = Settings(redis_url=redis_url, **s3.settings(s3_options))
    storage = Storage.at(settings.storage, s3_options)
    with gateways.running(settings) as gateway:
        http = gateway.http
        body = http.post("/v1/uploads?name=film.mp4&direct=true").json()
        early = http.post(f"/v1/uploads/{body['id']}/finish")
        assert (early.status_code, "0 bytes were received" in early.text) == (422, True)
        httpx2.put(body["put"], content=FILM).raise_for_status()
        done = http.post(f"/v1/uploads/{body['id']}/finish").json()
    assert (done["sha256"], done["bytes"]) == (SHA256, len(FILM))
    assert storage.get(Keys.media(SHA256)) == FILM
    assert [*storage.keys("uploads/")] == [Keys.upload("default", done["id"])]


def test_parts_may_be_joined_twice_at_the_same_time(storage: Storage) -> None:
    uploads, name = Uploads(storage), uuid.uuid4().hex
    for text in (f"{name} {n}".encode() for n in range(5)):
        upload = uploads.begin("a", "film.mp4", 2 * len(text))
        # Its gateway dies before it joins them.
        uploads.add(upload, uploads.add(upload, 0, text), text)
        with ThreadPoolExecutor(4) as threads:
            found = [*threads.map(lambda _: uploads.finished("a", upload.id), range(4))]  # noqa: B023
        assert {one.sha256 for one in found} == {hashlib.sha256(text * 2).hexdigest()}
        assert not [*storage.keys(Keys.upload_parts("a", upload.id))]

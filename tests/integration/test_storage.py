"""Storage behaves the same in a folder and on a real S3 server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path, PosixPath
from typing import IO, Any

import pytest
import s3_server

from dubbing.errors import BadInput, NotFound, StorageUnavailable
from dubbing.files import digest_file
from dubbing.settings import Settings
from dubbing.storage import S3Options, Storage, store
from dubbing.storage.target import Target
from dubbing.system import System

MEGABYTE = 1 << 20


def test_an_object_is_created_only_where_there_is_none(storage: Storage) -> None:
    assert storage.create("jobs/a/job.json", b"first")
    assert not storage.create("jobs/a/job.json", b"second")
    assert storage.get("jobs/a/job.json") == b"first"


def test_of_eight_who_create_at_once_exactly_one_wins(storage: Storage) -> None:
    for round_ in range(5):
        barrier = threading.Barrier(8)

        def create(writer: int, key: str = f"race/{round_}", start=barrier) -> bool:
            start.wait()
            return storage.create(key, str(writer).encode())

        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(create, range(8)))
        assert won.count(True) == 1
        assert storage.get(f"race/{round_}") == str(won.index(True)).encode()


def test_an_object_is_replaced(storage: Storage) -> None:
    storage.create("clips/x", b"damaged")
    storage.replace("clips/x", b"good")
    assert storage.get("clips/x") == b"good"


def test_a_range_is_read_without_the_rest(storage: Storage) -> None:
    storage.create("plan", b"0123456789")
    assert storage.get_range("plan", 3, 4) == b"3456"
    assert storage.get_range("plan", 8, 4) == b"89"
    assert storage.get_range("plan", 10, 4) == storage.get_range("plan", 99, 4) == b""
    storage.create("empty", b"")
    assert storage.get_range("empty", 0, 4) == b""


def test_keys_are_listed_below_a_prefix_and_not_beside_it(storage: Storage) -> None:
    for key in ("open/a", "open/b", "open/deeper/c", "opened/d", "jobs/a/job.json"):
        storage.create(key, b"")
    assert set(storage.keys("open/")) == {"open/a", "open/b", "open/deeper/c"}
    assert set(storage.keys("nothing/")) == set()


def test_more_keys_than_a_page_holds_are_all_listed(storage: Storage) -> None:
    names = {f"many/{number:04d}" for number in range(2 * s3_server.PAGE + 1)}
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda name: storage.replace(name, b""), names))
    assert set(storage.keys("many/")) == names


def test_folders_are_the_names_right_below_a_prefix(storage: Storage) -> None:
    for key in ("jobs/b/rounds/2/end.json", "jobs/b/rounds/10/end.json", "jobs/a/job.json"):
        storage.create(key, b"{}")
    assert storage.folders("jobs/") == ["a", "b"]
    assert storage.folders("jobs/b/rounds/") == ["10", "2"]
    assert storage.folders("nothing/") == []


def test_a_size_is_known_without_reading(storage: Storage) -> None:
    storage.create("media/x", b"12345")
    assert storage.size("media/x") == 5
    assert storage.size("media/y") is None
    assert storage.exists("media/x")
    assert not storage.exists("media/y")


def test_what_is_deleted_is_gone_and_may_be_deleted_again(storage: Storage) -> None:
    storage.create("open/a", b"")
    storage.delete("open/a")
    assert not storage.exists("open/a")
    storage.delete("open/a")


def test_names_in_any_script_are_kept(storage: Storage) -> None:
    key = "jobs/a/output/1/x/Folge 3 – Das Ende [你好].srt"
    storage.create(key, b"1")
    assert storage.get(key) == b"1"
    assert list(storage.keys("jobs/a/output/")) == [key]


def test_an_object_that_is_missing_is_named(storage: Storage, tmp_path: Path) -> None:
    for read in (
        lambda: storage.get("clips/none"),
        lambda: storage.get_range("clips/none", 0, 1),
        lambda: storage.download("clips/none", tmp_path / "none"),
    ):
        with pytest.raises(NotFound, match="clips/none"):
            read()


def test_an_empty_file_passes_through(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    storage.upload("media/empty", tmp_path / "empty")
    storage.download("media/empty", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b""


def test_a_file_that_becomes_shorter_while_it_is_read_is_not_taken_for_whole(
    storage: Storage, tmp_path: Path
) -> None:
    class Late(PosixPath):
        """A file that is opened when the object has just been replaced."""

        def open(self, *arguments: Any, **options: Any) -> IO[Any]:
            storage.replace("media/film", b"short")
            return super().open(*arguments, **options)

    storage.replace("media/film", bytes(store.RANGE + 1))
    with pytest.raises(StorageUnavailable, match="'media/film' became shorter"):
        storage.download("media/film", Late(tmp_path / "film"))
    assert not (tmp_path / "film").exists()


COPY = r"""
import json, re, sys
from pathlib import Path
from dubbing.storage import S3Options, Storage, store

def peak():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

url, options, source, target = sys.argv[1:]
storage = Storage.at(url, S3Options(**json.loads(options)))
storage.replace("media/warm", b"x")
storage.get("media/warm")
before = peak()
storage.upload("media/film", Path(source))
storage.download("media/film", Path(target))
print(peak() - before)
"""


def test_a_film_passes_through_unchanged_in_flat_memory(
    storage: Storage, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    options = S3Options()
    if storage.url.startswith("s3://"):
        options = request.getfixturevalue("s3_options")
    source, target = tmp_path / "film", tmp_path / "back"
    source.write_bytes(os.urandom(20 * MEGABYTE) * 6)
    grown = subprocess.run(
        [sys.executable, "-c", COPY, storage.url, json.dumps(asdict(options)), source, target],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert digest_file(target) == digest_file(source)
    assert int(grown) < 90 * MEGABYTE


def test_a_source_is_a_key_or_lies_in_a_granted_bucket(
    tmp_path: Path, s3_options: S3Options
) -> None:
    Storage.at("s3://other", s3_options).replace("films/one.mkv", b"film")
    for granted in ("s3://other", "s3://other/films/", "s3://other/films/one.mkv", "s3://"):
        here = Storage.at(str(tmp_path), replace(s3_options, granted=[granted]))
        assert here.resolve("media/abc") == (here, "media/abc")
        there, key = here.resolve("s3://other/films/one.mkv")
        assert key == "films/one.mkv"
        assert there.get(key) == b"film"


@pytest.mark.parametrize("url", ["s3://dubbing/below", "s3://dubbing", "folder"])
def test_a_source_that_is_not_granted_is_refused(tmp_path: Path, url: str) -> None:
    place = url if "://" in url else str(tmp_path)
    storage = Storage.at(place, S3Options(granted=["s3://films/new", "s3://other"]))
    for source in ("s3://films/newer/a", "s3://others/a", "s3://dubbing-2/a", "s3://dub/a"):
        with pytest.raises(BadInput, match=rf"^{source}: .*not granted.*DUBBING_GRANTED_SOURCES"):
            storage.resolve(source)
    with pytest.raises(BadInput, match="no key in storage"):
        storage.resolve("s3://films/new/../old/a")
    if url != "folder":
        assert storage.resolve("s3://dubbing/films/a")[1] == "films/a"


def test_the_settings_say_which_sources_are_granted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBBING_GRANTED_SOURCES", '["s3://films"]')
    storage = System(Settings(storage_url=str(tmp_path))).storage
    assert storage.resolve("s3://films/a")[1] == "a"
    monkeypatch.setenv("DUBBING_GRANTED_SOURCES", '["films"]')
    with pytest.raises(BadInput, match=r"DUBBING_GRANTED_SOURCES: .*begin 'films' with s3://"):
        Settings()


def test_a_wrong_secret_is_refused_in_words(s3_options: S3Options) -> None:
    stranger = Storage.at("s3://dubbing", replace(s3_options, secret_access_key="wrong"))
    for ask in (
        lambda: stranger.get("x"),
        lambda: stranger.create("x", b""),
        lambda: stranger.size("x"),
        lambda: list(stranger.keys("jobs/")),
    ):
        with pytest.raises(StorageUnavailable, match=r"SignatureDoesNotMatch.*check DUBBING_S3"):
            ask()


def test_results_go_to_a_bucket_from_a_folder_under_names_as_they_are_written(
    tmp_path: Path, s3_options: S3Options
) -> None:
    here = Storage.at(str(tmp_path), replace(s3_options, targets=["s3://other", "s3://missing"]))
    place = f"s3://other/50% of it/{uuid.uuid4().hex}"
    target, there = Target(here, place), Storage.at(place, s3_options)
    target.try_out()
    assert list(there.keys("")) == []
    for text in (b"one", b"two"):
        target.write("Straße #1?.dub.srt", text)
    assert [(key, there.get(key)) for key in there.keys("")] == [("Straße #1?.dub.srt", b"two")]
    assert target.url("a") == f"{place}/a"
    with pytest.raises(BadInput, match=r"^s3://missing/a: results cannot be .*NoSuchBucket"):
        Target(here, "s3://missing/a").try_out()


def test_writing_to_a_bucket_that_is_missing_says_so(s3_options: S3Options) -> None:
    nowhere = Storage.at("s3://no-such-bucket/prefix", s3_options)
    for write in (lambda: nowhere.create("x", b""), lambda: nowhere.replace("x", b"")):
        with pytest.raises(StorageUnavailable, match=r"no-such-bucket.*NoSuchBucket"):
            write()


def test_a_server_that_is_down_is_reported_within_bounds() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        keys = S3Options(access_key_id="a", secret_access_key="b")
        storage = Storage.at("s3://dubbing", replace(keys, endpoint=f"http://127.0.0.1:{port}"))
        begun = time.monotonic()
        with pytest.raises(StorageUnavailable, match="x"):
            storage.get("x")
    assert time.monotonic() - begun < 15


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    storage = Storage.at(str(tmp_path / "file" / "storage"))
    for write in (storage.create, storage.replace):
        with pytest.raises(StorageUnavailable, match="cannot be made"):
            write("x", b"")


def test_a_folder_that_is_only_read_is_not_made(tmp_path: Path) -> None:
    storage, other = (Storage.at(str(tmp_path / "later")) for _ in range(2))
    assert not storage.exists("a/x")
    assert list(storage.keys("a")) == storage.folders("") == []
    with pytest.raises(NotFound):
        storage.get("a/x")
    storage.delete("a/x")
    assert not (tmp_path / "later").exists()
    # It is looked for anew: another process may have made it.
    other.create("a/x", b"here")
    assert (storage.get("a/x"), storage.folders("")) == (b"here", ["a"])


def test_when_an_object_was_written_is_known(storage: Storage) -> None:
    before = time.time()
    storage.create("jobs/a/job.json", b"{}")
    written = storage.modified("jobs/a/job.json")
    assert written is not None
    # An S3 server may count whole seconds.
    assert before - 1.5 < written < time.time() + 1.5
    assert storage.modified("jobs/b/job.json") is None


def test_an_object_that_is_used_again_is_as_it_was_and_new(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.create("clips/x", b"a clip")
    data, before = storage.get_dated("clips/x")
    assert (data, before) == (b"a clip", storage.modified("clips/x"))
    # S3 tells whole seconds.
    time.sleep(1.0)
    monkeypatch.setattr(store, "RENEWED_SECONDS", 0.0)
    storage.renew("clips/x", data, before)
    assert storage.get("clips/x") == b"a clip"
    assert (storage.modified("clips/x") or 0.0) > before
    storage.delete("clips/x")
    with pytest.raises(NotFound):
        storage.get_dated("clips/x")


@pytest.mark.parametrize("url", ["https://host/bucket", "gs://bucket", "s3://", "s3:///prefix"])
def test_a_storage_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="s3://bucket/prefix"):
        Storage.at(url)


def test_only_a_folder_tells_where_an_object_lies(tmp_path: Path, s3_options: S3Options) -> None:
    folder = Storage.at(tmp_path.as_uri(), s3_options)
    folder.create("media/x", b"film")
    path = folder.path("media/x")
    assert path
    assert path.read_bytes() == b"film"
    assert Storage.at("s3://dubbing", s3_options).path("media/x") is None

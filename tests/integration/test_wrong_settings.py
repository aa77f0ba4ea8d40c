"""A Redis or a bucket that the settings name wrongly: its words, and what to check, in seconds."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis
from console import SCENE, Console
from redis_server import RedisServer, free_port
from services import unavailable
from tls import tls_before

from dubbing.embedded.stack import Stack
from dubbing.errors import (
    BadInput,
    QueueRefused,
    QueueUnavailable,
    StorageRefused,
    StorageUnavailable,
)
from dubbing.ledger import Ledger, server
from dubbing.settings import Settings
from dubbing.storage import S3Options, Storage

SECONDS = 8.0
"""Of the ten that a command may take, those that asking may."""
PASSWORD = "open-sesame"
WRONG = "let-me-in"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a Redis that wants a password."""
    port = free_port()
    try:
        with RedisServer(port=port, password=PASSWORD):
            yield port
    except QueueUnavailable as exc:
        unavailable(str(exc))


WRONG_URLS = {
    "password": (f"redis://:{WRONG}@127.0.0.1:PORT/0", "invalid username-password.*password in"),
    "user": (f"redis://bob:{WRONG}@127.0.0.1:PORT/0", "invalid username-password.*the user"),
    "no password": ("redis://127.0.0.1:PORT/0", "Authentication required.*password in"),
    "database": (f"redis://:{PASSWORD}@127.0.0.1:PORT/99", "out of range.*check the database"),
    "tls": (f"rediss://:{PASSWORD}@127.0.0.1:PORT/0", "begin DUBBING_REDIS_URL with redis://"),
}


@pytest.mark.parametrize("wrong", WRONG_URLS)
def test_a_redis_says_itself_what_is_wrong(wrong: str, port: int) -> None:
    url, words = WRONG_URLS[wrong]
    begun = time.monotonic()
    with pytest.raises(QueueRefused, match=words) as caught:
        Ledger(url.replace("PORT", str(port))).greet()
    assert time.monotonic() - begun < SECONDS
    assert WRONG not in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://127.0.0.1:{free}/0", "Connection refused.*host and port in DUBBING_REDIS_URL"),
        ("redis://nowhere.invalid:6379/0", "not known|resolution.*host and port"),
        ("unix:///nowhere/redis.sock", "No such file.*is it up"),
    ],
)
def test_a_redis_that_is_not_there_is_reported_within_seconds(url: str, words: str) -> None:
    begun = time.monotonic()
    with pytest.raises(QueueUnavailable, match=words) as caught:
        Ledger(url.format(free=free_port())).greet()
    assert time.monotonic() - begun < SECONDS
    assert not isinstance(caught.value, QueueRefused)


def test_a_redis_that_nobody_listens_for_fails_a_client_at_once_and_a_worker_says_that_it_waits(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, begun = f"redis://127.0.0.1:{free_port()}/0", time.monotonic()
    with pytest.raises(QueueUnavailable, match="Connection refused"):
        Ledger(url).greet(patient=False)
    assert time.monotonic() - begun < 1
    assert caplog.messages == []
    monkeypatch.setattr(server, "GREETING_SECONDS", 0.2)
    with pytest.raises(QueueUnavailable, match="Connection refused"):
        Ledger(url).greet()
    assert caplog.messages == [f"waiting 0.2 s for Redis at {url}"]


def test_a_server_that_says_nothing_is_given_up_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(QueueUnavailable, match=r"Timeout.*host and port"):
            Ledger(f"redis://127.0.0.1:{silent.getsockname()[1]}/0").greet()
        assert time.monotonic() - begun < SECONDS


def test_a_redis_behind_tls_says_how_its_url_begins(port: int, tmp_path: Path) -> None:
    if not find_spec("cryptography"):
        unavailable("cryptography, which makes a certificate")
    words = "begin DUBBING_REDIS_URL with rediss://"
    with tls_before(port, tmp_path) as secure, pytest.raises(QueueRefused, match=words):
        Ledger(f"redis://:{PASSWORD}@127.0.0.1:{secure}/0").greet()


def test_a_user_without_rights_is_told_so(port: int) -> None:
    with redis.from_url(f"redis://:{PASSWORD}@127.0.0.1:{port}/0") as admin:
        admin.acl_setuser("guest", enabled=True, passwords=[f"+{WRONG}"], commands=["+ping"])
    with pytest.raises(QueueRefused, match=r"guest use EVALSHA, .*: allow these commands"):
        Ledger(f"redis://guest:{WRONG}@127.0.0.1:{port}/0").check_writable()


def test_a_redis_that_is_just_starting_is_waited_for() -> None:
    with RedisServer() as server, ThreadPoolExecutor(1) as thread:
        server.stop()
        asked = thread.submit(Ledger(server.url).greet)
        server.start()
        asked.result()


def test_the_right_settings_are_met(port: int, s3_options: S3Options) -> None:
    Ledger(f"redis://:{PASSWORD}@127.0.0.1:{port}/0").greet()
    Storage.at("s3://dubbing/anything", s3_options).greet()


@pytest.mark.parametrize(
    "command",
    [("run", SCENE), ("submit", SCENE), ("up", "tone"), ("worker", "tone"), ("status", "job")],
    ids=lambda command: command[0],
)
def test_every_command_says_what_redis_says(
    command: tuple[str, ...], port: int, tmp_path: Path
) -> None:
    dubbing = Console(tmp_path, DUBBING_REDIS_URL=f"redis://:{WRONG}@127.0.0.1:{port}/0")
    done = dubbing(*command, code=2)
    assert done.stderr.startswith("error: Redis refused at redis://127.0.0.1:")
    assert WRONG not in done.stdout + done.stderr
    assert not list(dubbing.storage.glob("*"))
    assert not list(tmp_path.glob("logs/*"))
    assert dubbing.processes() == []


def test_a_run_without_a_redis_at_its_port_ends_in_an_error(tmp_path: Path) -> None:
    dubbing = Console(tmp_path, DUBBING_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert "Connection refused" in dubbing("run", SCENE, code=3).stderr


def test_doctor_says_what_redis_and_s3_say(
    port: int, tmp_path: Path, s3_options: S3Options
) -> None:
    dubbing = Console(
        tmp_path,
        DUBBING_REDIS_URL=f"redis://:{WRONG}@127.0.0.1:{port}/0",
        DUBBING_STORAGE_URL="s3://no-such-bucket",
        **s3_variables(s3_options),
    )
    said = dubbing("doctor", code=1).stdout
    assert "Redis: Redis refused at" in said
    assert "storage: s3://no-such-bucket refuses 'open/': NoSuchBucket" in said
    assert WRONG not in said


def s3_variables(options: S3Options) -> dict[str, str]:
    return {
        "DUBBING_S3_ENDPOINT": str(options.endpoint),
        "DUBBING_S3_REGION": str(options.region),
        "DUBBING_S3_ACCESS_KEY_ID": str(options.access_key_id),
        "DUBBING_S3_SECRET_ACCESS_KEY": str(options.secret_access_key),
    }


WRONG_BUCKETS = {
    "secret": ("s3://dubbing", {"secret_access_key": WRONG}, "SignatureDoesNotMatch.*SECRET"),
    "key": ("s3://dubbing", {"access_key_id": "nobody"}, "SignatureDoesNotMatch.*ACCESS_KEY_ID"),
    "region": (
        "s3://dubbing",
        {"region": "eu-west-1"},
        r"AuthorizationHeaderMalformed.*DUBBING_S3_REGION.*\(it expects us-east-1\)",
    ),
    "bucket": ("s3://no-such-bucket/x", {}, "NoSuchBucket.*check the name of the bucket"),
    "bucket's name": ("s3://No_Bucket", {}, "InvalidBucketName.*check the name"),
}


@pytest.mark.parametrize("wrong", WRONG_BUCKETS)
def test_a_bucket_is_refused_with_the_code_of_s3(wrong: str, s3_options: S3Options) -> None:
    url, changes, words = WRONG_BUCKETS[wrong]
    storage = Storage.at(url, replace(s3_options, **changes))
    calls = [
        storage.greet,
        lambda: storage.get("x"),
        lambda: storage.create("x", b""),
        lambda: list(storage.keys("jobs/")),
        lambda: storage.folders("jobs/"),
    ]
    # Of a bucket that is missing, the answer to a HEAD tells nothing.
    calls += [] if wrong == "bucket" else [lambda: storage.size("x")]
    for call in calls:
        begun = time.monotonic()
        with pytest.raises(StorageRefused, match=words) as caught:
            call()
        assert time.monotonic() - begun < SECONDS
        assert WRONG not in str(caught.value)
        assert "<" not in str(caught.value)


def test_an_s3_server_that_is_not_there_is_reported_within_seconds(s3_options: S3Options) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    begun = time.monotonic()
    with pytest.raises(StorageUnavailable, match=f"no S3 answers at {endpoint}.*refused"):
        Storage.at("s3://dubbing", replace(s3_options, endpoint=endpoint)).greet()
    assert time.monotonic() - begun < SECONDS


def test_an_s3_server_that_says_nothing_is_given_up_within_seconds(s3_options: S3Options) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(StorageUnavailable, match="check DUBBING_S3_ENDPOINT"):
            Storage.at("s3://dubbing", replace(s3_options, endpoint=endpoint)).greet()
        assert time.monotonic() - begun < SECONDS


@pytest.mark.parametrize(
    ("url", "changes", "words"),
    [
        ("s3://dubbing", {"endpoint": "127.0.0.1:9000"}, "http://host:port"),
        ("s3://dubbing", {"endpoint": "http://"}, "http://host:port"),
        ("s3://dubbing", {"endpoint": "http://host:port"}, "http://host:port"),
        ("s3://my bucket", {}, "name a bucket"),
        ("s3://dubbing", {"secret_access_key": "ä\n"}, "has an invalid character"),
    ],
)
def test_what_no_s3_client_could_send_is_bad_input(
    url: str, changes: dict[str, str], words: str
) -> None:
    options = S3Options(access_key_id="a", secret_access_key="b")
    with pytest.raises(BadInput, match=words):
        Storage.at(url, replace(options, **changes))


def test_a_run_says_what_s3_says(tmp_path: Path, s3_options: S3Options) -> None:
    wrong = replace(s3_options, secret_access_key=WRONG)
    dubbing = Console(tmp_path, DUBBING_STORAGE_URL="s3://dubbing", **s3_variables(wrong))
    done = dubbing("run", SCENE, code=2)
    assert "SignatureDoesNotMatch" in done.stderr
    assert WRONG not in done.stdout + done.stderr
    assert not list(tmp_path.glob("logs/*"))


def test_a_stack_starts_no_worker_without_its_redis(port: int, tmp_path: Path) -> None:
    url = f"redis://:{WRONG}@127.0.0.1:{port}/0"
    stack = Stack(Settings(home=tmp_path, redis_url=url, storage_url=""), ["tone"])
    with pytest.raises(QueueRefused), stack:
        pass
    assert not stack.logs.exists()


@pytest.mark.parametrize(
    "url",
    [
        *(f"redis://:{WRONG}/x@host:6379/0", f"redis://:{WRONG}#x@host:6379/0"),
        *(
            "redis://host:0/0",
            "redis://host:port/0",
            "redis://host:6379/first",
            "redis://host:99999",
        ),
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBBING_REDIS_URL", url)
    with pytest.raises(
        BadInput, match=r"DUBBING_REDIS_URL.*redis://user:password@host:6379/0"
    ) as caught:
        Settings()
    assert WRONG not in str(caught.value)

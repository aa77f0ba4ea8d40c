"""Media from the web: a real server with TLS, which the guard is told to let pass."""

from __future__ import annotations

import hashlib
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tls import certificate

from dubbing.errors import BadInput
from dubbing.gateway import fetching as module
from dubbing.gateway.callers import ANYBODY
from dubbing.gateway.fetching import Fetching
from dubbing.gateway.guard import is_public
from dubbing.gateway.manifests import Manifests, Reading
from dubbing.gateway.refusals import LimitReached
from dubbing.storage import Keys, Storage
from dubbing.submission.uploads import Uploads

FILM = b"a film" * 1000
SECRET = "?signature=secret"
LOOPBACK = [ip_network("127.0.0.1/32"), ip_network("::1/128")]


@dataclass
class Site:
    """A site on the web, with its certificate."""

    port: int
    authority: Path
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """The path and the headers of each request."""

    def url(self, path: str, host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/film.mp4":
            self._send(200, FILM, {"Content-Length": str(len(FILM))})
        elif parts.path == "/to":
            self._send(302, b"", {"Location": query["url"]})
        elif parts.path == "/round":
            self._send(302, b"", {"Location": "/round"})
        elif parts.path == "/cut":
            self._send(200, FILM, {"Content-Length": str(len(FILM) + 1)})
        elif parts.path == "/huge":
            self._send(200, FILM, {"Content-Length": str(17 << 30)})
        elif parts.path == "/endless":
            self._send(200, FILM, {})
        elif parts.path == "/empty":
            self._send(200, b"", {"Content-Length": "0"})
        elif parts.path == "/slow":
            self._send(200, b"", {"Content-Length": "40"})
            for _ in range(40):
                time.sleep(float(query["pause"]))
                self.wfile.write(b".")
        else:
            self._send(404, b"", {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Print nothing of a caller who went away."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    authority = certificate(tmp_path_factory.mktemp("site"), "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Handler.site = Site(server.server_port, authority)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield Handler.site
        server.shutdown()
        thread.join()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


@pytest.fixture
def fetching(site: Site, storage: Storage) -> Iterator[Fetching]:
    before = sorted(Path(tempfile.gettempdir()).iterdir())
    yield Fetching(storage, site.authority, allowed=LOOPBACK)
    assert sorted(Path(tempfile.gettempdir()).iterdir()) == before


def refusal(fetching: Fetching, url: str) -> str:
    """Return the words of a refusal, which tell no secret."""
    with pytest.raises(BadInput) as refused:
        fetching.fetch(url)
    assert "secret" not in str(refused.value)
    return str(refused.value)


def test_a_file_is_stored_under_its_digest(
    site: Site, fetching: Fetching, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Proxies of the machine are not asked.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    key = fetching.fetch(site.url("/film.mp4" + SECRET))
    assert key == Keys.media(hashlib.sha256(FILM).hexdigest())
    assert storage.get(key) == FILM
    path, headers = site.asked[-1]
    assert path == "/film.mp4" + SECRET
    assert headers["host"] == f"localhost:{site.port}"
    assert not {"authorization", "cookie"} & set(headers)


def test_redirects_are_followed_a_few_times(site: Site, fetching: Fetching) -> None:
    target = site.url("/film.mp4", "127.0.0.1")
    assert fetching.fetch(site.url(f"/to?url={target}")) == fetching.fetch(target)
    assert "redirected more than 5 times" in refusal(fetching, site.url("/round"))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("http://localhost/film.mp4", "only https://"),
        ("https://10.0.0.1/film.mp4", "not public"),
        ("https://[fd00::1]/film.mp4", "not public"),
        ("https://169.254.169.254/latest", "not public"),
        ("https://me:secret@localhost/", "leave the user"),
        ("file:///etc/passwd", "only https://"),
    ],
)
def test_every_redirect_is_checked(site: Site, fetching: Fetching, target: str, words: str) -> None:
    assert words in refusal(fetching, site.url(f"/to?url={target}"))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere", "answers with status 404"),
        ("/cut", "cannot be fetched"),
        ("/huge", "more than 16 GiB"),
        ("/empty", "it is empty"),
    ],
)
def test_what_is_no_whole_file_is_refused(
    site: Site, fetching: Fetching, storage: Storage, path: str, words: str
) -> None:
    told = refusal(fetching, site.url(path + SECRET))
    assert told.startswith(f"https://localhost:{site.port}{path}: ")
    assert words in told
    assert not [*storage.keys("media/")]


def test_a_file_that_does_not_tell_its_size_is_measured(
    site: Site, fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", len(FILM))
    assert fetching.fetch(site.url("/endless")) == fetching.fetch(site.url("/film.mp4"))
    monkeypatch.setattr(module, "LARGEST", len(FILM) - 1)
    assert "more than" in refusal(fetching, site.url("/endless"))


@pytest.mark.parametrize(
    ("limit", "pause", "words"),
    [("SILENCE_SECONDS", 0.6, "is silent for"), ("TOTAL_SECONDS", 0.05, "takes longer than")],
)
def test_slow_servers_are_not_waited_for(
    site: Site,
    fetching: Fetching,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    pause: float,
    words: str,
) -> None:
    monkeypatch.setattr(module, limit, 0.3)
    began = time.monotonic()
    assert words in refusal(fetching, site.url(f"/slow?pause={pause}&key=secret"))
    assert time.monotonic() - began < 1.5


def test_the_address_that_was_checked_is_the_one_that_is_asked(
    site: Site, fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["127.0.0.1", "10.0.0.1"]
    looked_up: list[str] = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        # The owner of a name gives another address when it is asked again.
        looked_up.append(host)
        place = (answers[min(len(looked_up), 2) - 1], port)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    fetching.fetch(site.url("/film.mp4"))
    assert looked_up == ["localhost"]
    assert "not public" in refusal(fetching, site.url("/film.mp4"))


def test_a_host_with_one_private_address_is_refused(
    site: Site, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        places = [("127.0.0.1", port), ("192.168.0.1", port)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    fetching = Fetching(storage, site.authority, allowed=LOOPBACK)
    assert "not public" in refusal(fetching, site.url("/film.mp4"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://127.0.0.1/", "not public"),
        ("https://127.1/", "not public"),
        ("https://2130706433/", "not public"),
        ("https://[::ffff:127.0.0.1]/", "not public"),
        ("https://localhost./", ""),
        ("https://no-such-host.invalid/", "there is no such host"),
        ("https://me:secret@8.8.8.8/", "leave the user"),
        (f"https://{'x' * 300}/", ""),
        ("https://[::1/", ""),
        ("https://host:port/", ""),
        ("https:///film.mp4", ""),
        ("https://\x00/", ""),
    ],
)
def test_without_leave_nothing_of_this_machine_is_asked(
    storage: Storage, url: str, words: str
) -> None:
    assert words in refusal(Fetching(storage), url)


def test_a_certificate_of_nobody_is_refused(site: Site, storage: Storage) -> None:
    words = refusal(Fetching(storage, allowed=LOOPBACK), site.url("/film.mp4"))
    assert "certificate verify failed" in words


def test_no_more_than_some_are_fetched_at_once(
    site: Site, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 0)
    with pytest.raises(LimitReached, match="try again later"):
        Fetching(storage, site.authority).fetch(site.url("/film.mp4"))


def test_a_job_names_media_on_the_web_and_errors_name_it(
    site: Site, fetching: Fetching, storage: Storage
) -> None:
    manifests = Manifests(storage, Uploads(storage), fetching)
    segments = [{"start": 0, "end": 1, "speaker": "A", "text": "Hello."}]
    film = site.url("/film.mp4" + SECRET)
    fields = {
        "language": "en",
        "segments": segments,
        "media": film,
        "background": {"mode": "track", "track": film},
        "cast": {"A": {"reference": film}},
    }
    before = len(site.asked)
    asked = manifests.of(ANYBODY, fields, Reading())
    key = Keys.media(hashlib.sha256(FILM).hexdigest())
    found = asked.manifest
    assert (found.media, found.background.track, found.cast["A"].reference) == (key, key, key)
    assert len(site.asked) == before + 1
    with (
        pytest.raises(BadInput, match=r"^https://localhost:\d+/film.mp4: not a film$"),
        asked.named(),
    ):
        raise BadInput("not a film", where=str(storage.path(key)))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
        *("255.255.255.255", "::", "::1", "fe80::1", "fe80::1%1", "fc00::1", "fd12::1", "ff02::1"),
        *("fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1"),
        *("2001::1", "100::1", "5f00::1"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ip_address(address))

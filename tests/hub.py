"""A stand-in for the Hugging Face hub over real HTTP, for the requests that fetch a model.

Like the real hub, it keeps large files elsewhere: it answers with another host's address, and with
the file's size and digest.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from services import unavailable

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 1000
"""Files of at least so many bytes are kept elsewhere."""
API = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)/(?P<what>revision|tree)/(?P<revision>[^/?]+)$")
FILE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)$")


class Hub(ThreadingHTTPServer):
    """Serves repositories of files, and fails as a test tells it to."""

    daemon_threads = True

    def __init__(self, repositories: Mapping[str, Mapping[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.repositories = {name: dict(files) for name, files in repositories.items()}
        self.commit = COMMIT
        self.gated = False
        self.breaks_off: set[str] = set()
        """Files that are half sent once, and then not at all."""
        self.withheld: set[str] = set()
        """Files that are listed but refused."""
        self.mistaken: set[str] = set()
        """Files that are sent with a wrong first byte."""
        self.asked: list[str] = []
        """Requests so far, as method and path, in order."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def elsewhere(self) -> str:
        return f"http://localhost:{self.server_port}"

    def sent(self, name: str) -> int:
        """Return how often a file was requested."""
        return sum(path.startswith("GET ") and path.endswith(name) for path in self.asked)


@contextmanager
def serving(repositories: Mapping[str, Mapping[str, bytes]]) -> Iterator[Hub]:
    """Run a hub during the block; without the hub's library the test is skipped."""
    if find_spec("huggingface_hub") is None:
        unavailable("huggingface_hub")
    with Hub(repositories) as hub:
        thread = threading.Thread(target=hub.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        if match := API.match(path):
            self._api(**match.groupdict())
        elif match := FILE.match(path):
            self._resolve(**match.groupdict())
        elif path.startswith("/elsewhere/"):
            repo, name = path.removeprefix("/elsewhere/").split("//")
            self._content(repo, name, {})
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def _api(self, repo: str, what: str, revision: str) -> None:
        if self.server.gated:
            self._refuse(HTTPStatus.FORBIDDEN, "GatedRepo")
        elif repo not in self.server.repositories:
            self._refuse(HTTPStatus.NOT_FOUND, "RepoNotFound")
        elif revision not in {"main", self.server.commit}:
            self._refuse(HTTPStatus.NOT_FOUND, "RevisionNotFound")
        elif what == "revision":
            self._json({"id": repo, "sha": self.server.commit, "siblings": []})
        else:
            files = self.server.repositories[repo]
            folders = {name.rpartition("/")[0] for name in files} - {""}
            entries = [{"type": "directory", "oid": "0" * 40, "path": name} for name in folders]
            self._json([*entries, *(_entry(name, data) for name, data in files.items())])

    def _resolve(self, repo: str, revision: str, path: str) -> None:
        data = self.server.repositories[repo][path]
        if path in self.server.withheld:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        headers = {"X-Repo-Commit": self.server.commit, "ETag": f'"{_blob(data)}"'}
        if len(data) < LARGE:
            self._content(repo, path, headers)
            return
        self.send_response(HTTPStatus.FOUND)
        headers["X-Linked-ETag"] = f'"{_sha256(data)}"'
        headers["X-Linked-Size"] = str(len(data))
        headers["Location"] = f"{self.server.elsewhere}/elsewhere/{repo}//{path}"
        self._end(headers)

    def _content(self, repo: str, path: str, headers: dict[str, str]) -> None:
        data = self.server.repositories[repo][path]
        if path in self.server.mistaken:
            data = bytes([data[0] ^ 1]) + data[1:]
        if path in self.server.breaks_off and self.server.sent(path) > 1:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self.send_response(HTTPStatus.OK)
        self._end({**headers, "Content-Length": str(len(data))})
        if self.command == "GET":
            self.wfile.write(data[: len(data) // 2] if path in self.server.breaks_off else data)

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(HTTPStatus.OK)
        self._end({"Content-Type": "application/json", "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus, code: str = "") -> None:
        self.send_response(status)
        self._end({"X-Error-Code": code, "Content-Length": "0"})

    def _end(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _entry(name: str, data: bytes) -> dict[str, object]:
    entry = {"type": "file", "oid": _blob(data), "size": len(data), "path": name}
    if len(data) >= LARGE:
        entry["lfs"] = {"oid": _sha256(data), "size": len(data), "pointerSize": 130}
    return entry


def _blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

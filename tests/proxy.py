"""A failing storage: an HTTP proxy before an S3 server that answers as a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding"}


class Answer(Enum):
    """How a request is answered."""

    PASS = "pass"
    UNAVAILABLE = "503"
    FORBIDDEN = "403"
    SILENCE = "it is taken in and never answered"
    FORGED = "it is passed on as if it were signed with a wrong secret"


class Proxy:
    """The target of requests, and how they are answered."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.answer: Callable[[str, str], Answer] = lambda method, path: Answer.PASS
        """Called with the method and path of each request."""
        self.failed = 0
        """Requests that were not passed on."""
        self.over = threading.Event()
        self.url = ""


@contextmanager
def proxy_before(target: str) -> Iterator[Proxy]:
    """Run a proxy before the server at ``target`` during the block."""
    proxy = Proxy(target)

    class Handler(_Handler):
        through = proxy

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # Hanging threads are joined at the end.
        server.daemon_threads = False
        proxy.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.over.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Handles one request per connection, the default of `http.server`."""

    through: Proxy
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.through.answer(self.command, self.path)
        if answer is Answer.PASS:
            self._pass_on(body)
            return
        self.through.failed += 1
        if answer is Answer.FORGED:
            signed = self.headers["Authorization"]
            self.headers.replace_header("Authorization", signed[:-4] + "0000")
            self._pass_on(body)
        elif answer is Answer.SILENCE:
            self.through.over.wait()
        elif answer is Answer.FORBIDDEN:
            self.send_error(403, "Access Denied")
        else:
            self.send_error(503, "Slow Down")

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the names that it looks for

    def _pass_on(self, body: bytes) -> None:
        target = self.through.target
        connection = HTTPConnection(target.hostname or "", target.port, timeout=60)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            # The client's own Host header is passed on, as the client signed it.
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            self._give_back(connection.getresponse())
        finally:
            connection.close()

    def _give_back(self, response: HTTPResponse) -> None:
        body = response.read()
        length = response.headers["Content-Length"] if self.command == "HEAD" else len(body)
        self.send_response_only(response.status, response.reason)
        for name, value in response.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

"""AutoDL's API as its documentation and its users describe it, for instances that do not exist.

    python autodl_server.py

It serves 127.0.0.1, prints its port, and ends when its standard input does. Every answer has status
200, GET reads the query string alone, and a snapshot holds secrets. ``PUT /control`` takes
``{"instances": {UUID: {…}}, "containers": {UUID: URL}, "faults": {ROUTE: [CODE, …]},
"lost_answers": N}``: each fault answers one request, and of so many instances that are created only
the list tells. ``GET /seen`` returns what was asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "the-account's-token"
SECRETS = ("root-password-9f2", "jupyter-token-77c")
PREFIX = "/api/v1/dev/"
STOPPED_AT = "2026-11-20T10:00:00+08:00"
NEVER = {"Time": "0001-01-01T00:00:00Z", "Valid": False}
NEXT = {"starting": "running", "shutting_down": "shutdown"}
"""What becomes of an instance once its state was asked for."""
WORDS = {
    "BadRequest": "您没有权限",
    "TORealName": "请先完成实名认证",
    "InternalError": "库存不足",
    "RecordNotFoundError": "record not found",
}


class RefusedError(Exception):
    """The code of an answer."""


class Service:
    """The account that it is asked about."""

    def __init__(self) -> None:
        self.instances: dict[str, dict[str, Any]] = {}
        self.containers: dict[str, dict[str, Any]] = {}
        self.faults: dict[str, list[str]] = {}
        self.lost_answers = 0
        self.seen: list[dict[str, Any]] = []

    def answer(self, method: str, route: str, token: str, content: dict[str, Any]) -> Any:
        """Return the data of an answer; raises RefusedError."""
        self.seen.append({"method": method, "route": route, "token": token, "content": content})
        if token != TOKEN:
            raise RefusedError("AuthorizeFailed")
        if faults := self.faults.get(route):
            raise RefusedError(faults.pop(0))
        return ROUTES[method, route](self, content)

    def _list(self, content: dict[str, Any]) -> dict[str, Any]:
        page, size = content["page_index"], content["page_size"]
        rows = [
            {"uuid": uuid, "stopped_at": NEVER, "gpu_spec_uuid": "v-48g", **one}
            for uuid, one in self.instances.items()
        ]
        shown = rows[(page - 1) * size : page * size] or None
        return {"list": shown, "page_index": page, "max_page": -(-len(rows) // size)}

    def _status(self, content: dict[str, Any]) -> str:
        one = self._found(content)
        status: str = one["status"]
        one["status"] = NEXT.get(status, status)
        return status

    def _snapshot(self, content: dict[str, Any]) -> dict[str, Any]:
        one = self._found(content)
        return {
            "root_password": SECRETS[0],
            "jupyter_token": SECRETS[1],
            "payg_price": 1970,
            "service_6006_domain": one["domain"],
        }

    def _create(self, content: dict[str, Any]) -> str:
        uuid = f"pro-{len(self.instances):012}"
        domain = next((one["domain"] for one in self.instances.values()), "")
        name = content["instance_name"]
        self.instances[uuid] = {"name": name, "status": "starting", "domain": domain}
        if self.lost_answers:
            self.lost_answers -= 1
            raise RefusedError("InternalError")
        return uuid

    def _power_on(self, content: dict[str, Any]) -> None:
        assert content["payload"] == "gpu"
        self._found(content).update(status="starting", stopped_at=NEVER)

    def _power_off(self, content: dict[str, Any]) -> None:
        stopped_at = {"Time": STOPPED_AT, "Valid": True}
        self._found(content).update(status="shutting_down", stopped_at=stopped_at)

    def _found(self, content: dict[str, Any]) -> dict[str, Any]:
        if content.get("instance_uuid") not in self.instances:
            raise RefusedError("RecordNotFoundError")
        return self.instances[content["instance_uuid"]]

    def _containers(self, content: dict[str, Any]) -> dict[str, Any]:
        rows = [
            {
                "uuid": uuid,
                "status": "running",
                "info": {"root_password": SECRETS[0], "service_6006_port_url": url},
            }
            for uuid, url in self.containers.items()
        ]
        return {"list": rows, "max_page": 1}

    def _replicas(self, content: dict[str, Any]) -> None:
        spare = self.instances["spare"]["domains"]
        while len(self.containers) < content["replica_num"]:
            self.containers[f"container-{len(self.containers)}"] = spare.pop(0)

    def _stop(self, content: dict[str, Any]) -> None:
        assert content["decrease_one_replica_num"]
        del self.containers[content["deployment_container_uuid"]]


ROUTES = {
    ("POST", "instance/pro/list"): Service._list,
    ("GET", "instance/pro/status"): Service._status,
    ("GET", "instance/pro/snapshot"): Service._snapshot,
    ("POST", "instance/pro/create"): Service._create,
    ("POST", "instance/pro/power_on"): Service._power_on,
    ("POST", "instance/pro/power_off"): Service._power_off,
    ("POST", "deployment/container/list"): Service._containers,
    ("PUT", "deployment/replica_num"): Service._replicas,
    ("PUT", "deployment/container/stop"): Service._stop,
}


class _Handler(BaseHTTPRequestHandler):
    service: Service

    def do_GET(self) -> None:
        if self.path == "/seen":
            self._send(self.service.seen)
            return
        parts = urlsplit(self.path)
        self._body()
        self._answer(parts.path, dict(parse_qsl(parts.query)))

    def do_PUT(self) -> None:
        content = json.loads(self._body())
        if self.path == "/control":
            vars(self.service).update(content)
            self._send(None)
        else:
            self._answer(self.path, content)

    def do_POST(self) -> None:
        self._answer(self.path, json.loads(self._body()))

    def log_message(self, *_: object) -> None:
        """Write nothing."""

    def _answer(self, path: str, content: dict[str, Any]) -> None:
        route, token = path.removeprefix(PREFIX), self.headers.get("Authorization", "")
        try:
            data = self.service.answer(self.command, route, token, content)
            self._send({"code": "Success", "msg": "", "data": data})
        except RefusedError as exc:
            code = str(exc)
            self._send({"code": code, "msg": WORDS.get(code, code), "data": None})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _send(self, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Account:
    """The service, seen by a test."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def set(self, **state: Any) -> None:
        """Replace instances, containers, faults or what was seen."""
        self._asked("PUT", "control", state)

    def asked(self, route: str) -> list[dict[str, Any]]:
        """Return the requests to a route, in order."""
        return [one for one in self._asked("GET", "seen") if one["route"] == route]

    def _asked(self, method: str, route: str, content: Any = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.url}/{route}", method=method, data=data)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())


@contextmanager
def running() -> Iterator[Account]:
    """Run the service during the block."""
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield Account(int(process.stdout.readline()))
    finally:
        process.communicate()


def serve() -> None:
    """Serve until standard input ends."""
    _Handler.service = Service()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    serve()

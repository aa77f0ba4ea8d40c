"""Real processes of `dubbing serve`, as a user starts them, beside a system of real workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from engine_servers import address_of

from dubbing.embedded.stack import dubbing_command, environment
from dubbing.settings import Settings

SECONDS = 90.0
"""How long an answer may take; some wait a minute for the end of a job."""


@dataclass
class Gateway:
    """A gateway that listens."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    http: httpx2.Client
    clients: ExitStack
    """Closes the clients of callers with keys."""

    def kill(self) -> None:
        """Kill it as a power failure does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as a supervisor does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=SECONDS)

    def as_(self, key: str) -> httpx2.Client:
        """Return a client that sends a key."""
        client = httpx2.Client(base_url=self.url, headers={"X-Api-Key": key}, timeout=SECONDS)
        return self.clients.enter_context(client)

    @contextmanager
    def events(self, job: str, after: str | None = None) -> Iterator[Iterator[Mapping[str, Any]]]:
        """Follow a job: yield its events, each with its name, id and data."""
        headers = {} if after is None else {"Last-Event-ID": after}
        with self.http.stream("GET", f"/v1/jobs/{job}/events", headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            yield _events(answer.iter_lines())


@contextmanager
def running(settings: Settings, *arguments: str, **variables: str) -> Iterator[Gateway]:
    """Run a gateway of a system during the block, on a free port."""
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        log = Path(folder) / "log"
        known = {key: value for key, value in os.environ.items() if "DUBBING" not in key}
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*dubbing_command(), "serve", "--port", "0", *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**known, **environment(settings), "PYTHONUNBUFFERED": "1", **variables},
                cwd=folder,
            )
        try:
            url = address_of(process, log)
            with httpx2.Client(base_url=url, timeout=SECONDS) as http, ExitStack() as clients:
                yield Gateway(url, process, log, http, clients)
        finally:
            process.kill()
            process.wait()


def _events(lines: Iterator[str]) -> Iterator[Mapping[str, Any]]:
    event: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and event:
            yield event
            event = {}
        elif name in {"event", "id"}:
            event[name] = value
        elif name == "data":
            event["data"] = json.loads(value)

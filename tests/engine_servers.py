"""Real processes of `dubbing engine-server`, as a user starts them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from services import PLUGINS

from dubbing.embedded.stack import dubbing_command

SECONDS = 30.0
LOOK_SECONDS = 0.05
"""Pause between two looks at a server that starts."""
KEY = "DUBBING_ENGINE_SERVER_KEY"
URL = re.compile(r"https?://\S+")


@dataclass
class EngineServer:
    """A server whose engines are loaded."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    http: httpx2.Client
    folder: Path = Path()
    """Of the files that a test's engine reads and writes."""

    def post(self, route: str, **content: Any) -> httpx2.Response:
        """Send JSON to a route."""
        return self.http.post(route, json=content)

    def speak(self, *lines: dict[str, Any], **fields: Any) -> httpx2.Response:
        """Have lines spoken, by default in a voice of the tone engine."""
        plain = {"text": "A line.", "language": "en", "voice": "low"}
        return self.post("/v1/synthesize", lines=[plain | line for line in lines], **fields)

    def stop(self) -> int:
        """End the server as a supervisor does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=SECONDS)


def begin(*arguments: str, log: Path, **variables: str) -> subprocess.Popen[bytes]:
    """Start a server on a free port, with the engines of the tests' plugins; do not wait for it."""
    environment = {key: value for key, value in os.environ.items() if "DUBBING" not in key}
    with log.open("wb") as file:
        return subprocess.Popen(
            [*dubbing_command(), "engine-server", "--port", "0", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**environment, "PYTHONPATH": str(PLUGINS), "PYTHONUNBUFFERED": "1", **variables},
            cwd=log.parent,
        )


@contextmanager
def running(*arguments: str, verify: Any = True, **variables: str) -> Iterator[EngineServer]:
    """Run a server during the block; yields it when its engines are loaded.

    verify: as in httpx2, for a server with a certificate.
    """
    with tempfile.TemporaryDirectory(prefix="engine-server-") as folder:
        log = Path(folder) / "log"
        home = {"DUBBING_HOME": folder}
        process = begin(*arguments, log=log, **{**home, **variables})
        try:
            url = address_of(process, log)
            keys = {"X-Api-Key": variables[KEY]} if KEY in variables else {}
            with httpx2.Client(base_url=url, headers=keys, timeout=SECONDS, verify=verify) as http:
                while http.get("/health").status_code == 503:
                    assert process.poll() is None, log.read_text()
                    time.sleep(LOOK_SECONDS)
                yield EngineServer(url, process, log, http)
        finally:
            process.kill()
            process.wait()


def address_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address that a server prints once it listens."""
    while not (found := URL.search(log.read_text())):
        assert process.poll() is None, log.read_text()
        time.sleep(LOOK_SECONDS)
    return found[0]


_shared = ExitStack()


@cache
def shared() -> EngineServer:
    """Return a server of the tone engine that all tests of this process share."""
    return _shared.enter_context(running("tone"))


def close_shared() -> None:
    """End that server, if it was started."""
    shared.cache_clear()
    _shared.close()

"""Piper's own HTTP server, of the piper-tts that is installed."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from redis_server import free_port
from services import unavailable

from dubbing.embedded.child import start_child

SECONDS = 60.0
"""How long it may take to start."""


@contextmanager
def running(folder: Path, voice: str) -> Iterator[str]:
    """Run the server of a folder's voices, started with one of them; provide its address."""
    if missing := [name for name in ("piper", "flask", "onnx") if not find_spec(name)]:
        unavailable(" and ".join(missing))
    port = free_port()
    log = folder / "log"
    options = ["--host", "127.0.0.1", "--port", str(port), "--data-dir", str(folder)]
    model = str(folder / f"{voice}.onnx")
    with log.open("wb") as file:
        process = start_child(
            [sys.executable, "-m", "piper.http_server", "--model", model, *options], file
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/voices", process, log)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url, timeout=10).close()
        except urllib.error.URLError:  # not there yet
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"Piper's server does not answer: {log.read_text()}")

"""A server with OpenAI's route for speech: it hums, a tone for each voice, and fails when told to.

    python openai_server.py

It serves 127.0.0.1, prints its port, and ends when its standard input does. ``PUT /faults`` takes
``{"faults": {NAME: SHARE}, "seed": N, "seconds": S, "model": M, "key": K}``: each fault of `FAULTS`
strikes that share of the lines. ``GET /seen`` returns what was asked.
"""

from __future__ import annotations

import io
import json
import random
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VOICES = {"low": 100.0, "high": 240.0, "mid": 150.0, "deep": 70.0}
MODEL = "hum-1"
FAULTS = ("zeros", "short", "json", "error", "traceback", "reset", "busy", "sizes", "gone", "drip")
"""Faults that strike a line and go away."""
ODDITIES = ("huge", "long", "elsewhere", "html", "text")
"""Answers of servers that are none, or mean ill."""


@contextmanager
def running() -> Iterator[Server]:
    """Run a server during the block."""
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Server:
    """One server, seen by a test."""

    def __init__(self, port: int = 0) -> None:
        """Know the port, if it is to be a certain one."""
        self.port = port
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The base of its routes."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Start it, at the same port as before."""
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        """Kill it, with all that it has begun."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def set(self, **behaviour: Any) -> None:
        """Change how it behaves."""
        self._asked("PUT", "faults", behaviour)

    def reset(self) -> None:
        """Make it behave, and forget what it was asked."""
        self.set(forget=True)

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The lines that it was asked for, in order."""
        seen: list[dict[str, Any]] = self._asked("GET", "seen")
        return seen

    def _asked(self, method: str, route: str, content: Any = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{route}", method=method, data=data
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())


class _Hum(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.behaviour: dict[str, Any] = {}
        self.seen: list[dict[str, Any]] = []
        self.random = random.Random(0)
        self.lock = threading.Lock()
        self.in_flight = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients leave."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Hum

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_PUT(self) -> None:
        self.server.behaviour = self._content()
        if self.server.behaviour.pop("forget", False):
            self.server.seen.clear()
        self.server.random = random.Random(self.server.behaviour.get("seed", 0))
        self._json({})

    def do_GET(self) -> None:
        model = self.server.behaviour.get("model", MODEL)
        if self.path == "/seen":
            self._json(self.server.seen)
        elif self.path == "/v1/models":
            self._json({"object": "list", "data": [{"id": model, "object": "model"}]})
        elif self.path == "/v1/audio/voices":
            self._json({"voices": list(VOICES)})
        else:
            self._json({"detail": "Not Found"}, 404)

    def do_POST(self) -> None:
        content = self._content()
        if self.path != "/v1/audio/speech":
            self._json({"detail": "Not Found"}, 404)
            return
        server = self.server
        with server.lock:
            server.in_flight += 1
            asked = {**content, "in_flight": server.in_flight, "at": time.time()}
            asked["key"] = self.headers.get("Authorization", "")
            server.seen.append(asked)
            shares = server.behaviour.get("faults", {})
            struck = [
                name for name in FAULTS + ODDITIES if server.random.random() < shares.get(name, 0)
            ]
        try:
            time.sleep(server.behaviour.get("seconds", 0))
            self._answer(content, struck[0] if struck else "")
        finally:
            with server.lock:
                server.in_flight -= 1

    def _answer(self, content: dict[str, Any], fault: str) -> None:
        key = self.server.behaviour.get("key")
        voice = VOICES.get(str(content.get("voice")))
        if key and self.headers.get("Authorization") != f"Bearer {key}":
            self._json({"error": {"message": "Incorrect API key provided"}}, 401)
        elif voice is None or "unspeakable" in content["input"]:
            message = f"cannot speak {content['input']!r} as {content.get('voice')!r}"
            self._json({"error": {"message": message, "type": "invalid_request_error"}}, 400)
        elif fault == "busy":
            self._json({"detail": "queue is full"}, 429, {"Retry-After": "1"})
        elif fault == "error":
            self._json({"error": {"message": "CUDA out of memory"}}, 500)
        elif fault == "traceback":
            trace = 'Traceback (most recent call last):\n  File "/srv/secret.py"\nKeyError: 7'
            self._json({"status": "error", "error": trace}, 500)
        elif fault == "json":
            self._json({"error": "no sound was made"})
        elif fault == "elsewhere":
            self._json({}, 307, {"Location": "http://127.0.0.1:9/v1/audio/speech"})
        elif fault == "html":
            self._json("<html><h1>Internal Server Error</h1></html>", 500)
        elif fault == "gone":
            self.close_connection = True
            self.connection.close()
        else:
            self._sound(_wav(_hum(content, voice, fault), fault), fault)

    def _sound(self, data: bytes, fault: str) -> None:
        if fault == "huge":
            data += bytes(60_000_000)
        self.send_response(200)
        self.send_header("Content-Type", "audio/wav")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if fault == "reset":
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
        elif fault == "drip":
            for start in range(0, len(data), len(data) // 5):
                self.wfile.write(data[start : start + len(data) // 5])
                time.sleep(0.1)
        else:
            self.wfile.write(data)

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}"
        )
        return content

    def _json(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _hum(content: dict[str, Any], voice: float, fault: str) -> Any:
    """Return a line's sound in samples at 24 kHz."""
    import numpy as np

    from dubbing.engines.adapters.tone import Tone
    from dubbing.engines.engine import Line
    from dubbing.media.samples import Audio

    form = {"f0": np.array([voice])}
    line = Line(text=content["input"], language="en", voice=form, speed=content.get("speed", 1.0))
    (sound,) = Tone().synthesize([line])
    assert isinstance(sound, Audio)
    if fault == "long":
        return np.resize(sound.samples, 8000 * 660)
    if fault == "zeros":
        return np.zeros(16_000, np.float32)
    return sound.samples[:100] if fault == "short" else sound.samples


def _wav(samples: Any, fault: str) -> bytes:
    """Return a WAV file, whose header may claim another length."""
    import soundfile

    if fault == "text":
        return b"this is no sound"
    file = io.BytesIO()
    rate = 16_000 if fault == "zeros" else 24_000
    if fault == "long":
        soundfile.write(file, samples, 8000, "PCM_16", format="FLAC")
        return file.getvalue()
    soundfile.write(file, samples, rate, "PCM_16", format="WAV")
    data = bytearray(file.getvalue())
    if fault == "sizes":
        # What servers write that stream, and do not know the length yet.
        data[4:8] = struct.pack("<I", 0xFFFFFFFF)
        at = data.index(b"data") + 4
        data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    return bytes(data)


def main(port: int) -> None:
    """Serve until standard input ends."""
    server = _Hum(port)
    # The first line must not wait for the imports.
    _wav(_hum({"input": "warm"}, 100.0, ""), "")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))

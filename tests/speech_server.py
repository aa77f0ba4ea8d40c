"""A server that hums, a tone for each voice, by a contract of others; it fails when told to.

    python speech_server.py PORT KIND

Of the kinds of `KINDS`, ``openai`` and ``piper`` (as Piper's own before 1.5) have voices of their
own, ``cloning`` has them too and clones a reference, and the others have only that of a reference,
which comes with each line (``omni``), is uploaded (``tts_url``, ``yourtts``), or lies in a folder
(``sovits``). It serves 127.0.0.1, prints its port, and ends when its standard input does.
``GET /seen`` returns what was asked. ``PUT /faults`` takes ``{"faults": {NAME: SHARE}, "seed": N,
"seconds": S, "held": true, "model": M, "key": K, "default": VOICE, "transcripts": true}``: each
fault of `FAULTS` strikes that share of the lines, lines are held until that is taken back, a line
without a voice gets the default one, and a reference without its words is refused.
"""

from __future__ import annotations

import base64
import email
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
from pathlib import Path
from typing import Any

KINDS = ("openai", "cloning", "piper", "omni", "tts_url", "sovits", "yourtts")
STOCK = ("openai", "cloning")
"""Kinds with OpenAI's route and voices of their own."""
VOICES = {"low": 100.0, "high": 240.0, "mid": 150.0, "deep": 70.0}
PIPER_VOICES = {f"en_US-{name}-medium": pitch for name, pitch in VOICES.items()}
"""The first one speaks for all that are not found."""
YOURTTS_LANGUAGES = ("en", "fr-fr", "pt-br")
MODEL = "hum-1"
INDEX_MODEL = "IndexTeam/IndexTTS-2.5"
RATES = {
    "openai": 24_000,
    "cloning": 24_000,
    "piper": 22_050,
    "omni": 22_050,
    "tts_url": 22_050,
    "sovits": 32_000,
    "yourtts": 16_000,
}
FAULTS = ("zeros", "short", "json", "error", "traceback", "reset", "busy", "sizes", "gone", "drip")
"""Faults that strike a line and go away."""
ROUTES = {
    "openai": {"/v1/audio/speech"},
    "cloning": {"/v1/audio/speech"},
    "piper": {"/"},
    "omni": {"/v1/audio/speech"},
    "tts_url": {"/tts_url", "/upload_audio"},
    "sovits": {"/tts"},
    "yourtts": {"/synthesize", "/register_speaker"},
}
"""What takes POST."""
MOODS = (4, 6, -4, 5, -3, -6, 7, -2)
"""Semitones by which each feeling of an emotion's vector moves the pitch."""
MOOD = 5
"""Semitones by which an emotion moves it that a text describes."""
ODDITIES = ("huge", "long", "elsewhere", "html", "text", "16khz", "unapplied", "nan")
"""Answers of servers that are none, or mean ill."""


@contextmanager
def running(kind: str = "openai") -> Iterator[Server]:
    """Run a server of a kind during the block."""
    server = Server(kind)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Server:
    """One server, seen by a test."""

    def __init__(self, kind: str) -> None:
        """Be a server of a kind, which has no port yet."""
        self._kind = kind
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address that an endpoint has."""
        root = f"http://127.0.0.1:{self.port}"
        return f"{root}/v1" if self._kind in STOCK else root

    def start(self) -> None:
        """Start it, at the same port as before."""
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.port), self._kind],
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

    def __init__(self, port: int, kind: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.kind = kind
        self.uploads: dict[str, bytes] = {}
        self.speaker = 0.0
        self.behaviour: dict[str, Any] = {}
        self.seen: list[dict[str, Any]] = []
        self.random = random.Random(0)
        self.lock = threading.Lock()
        self.changed = threading.Condition()
        """Notified when the behaviour changes."""
        self.in_flight: set[_Handler] = set()
        """Those whose line is not answered yet, of the lines since it forgot."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients leave."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Hum
    due = 0.0
    """Moment of `time.monotonic` before which a line is not answered, however fast it was made."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_PUT(self) -> None:
        self.server.behaviour = self._content()
        if self.server.behaviour.pop("forget", False):
            with self.server.lock:
                self.server.seen.clear()
                # A client that was killed may have left a line behind.
                self.server.in_flight.clear()
        if self.server.behaviour.pop("lose", False):
            self.server.uploads.clear()
        self.server.random = random.Random(self.server.behaviour.get("seed", 0))
        with self.server.changed:
            self.server.changed.notify_all()
        self._json({})

    def do_GET(self) -> None:
        kind = self.server.kind
        model = self.server.behaviour.get("model", MODEL if kind in STOCK else INDEX_MODEL)
        found: dict[str, Any] = {"/seen": self.server.seen}
        if kind == "sovits":
            # What the real one answers to a request without text.
            if self.path == "/tts":
                self._json({"message": "text is required"}, 400)
                return
        elif kind == "tts_url":
            found["/health"] = {"status": "healthy", "message": "", "timestamp": time.time()}
        elif kind == "yourtts":
            loaded = self.server.behaviour.get("loaded", True)
            found["/health"] = {"status": "ok", "model_loaded": loaded}
        elif kind == "piper":
            config = {"espeak": {"voice": "en-us"}, "num_speakers": 1}
            found["/voices"] = dict.fromkeys(PIPER_VOICES, config)
        else:
            found["/v1/models"] = {"object": "list", "data": [{"id": model, "object": "model"}]}
        if kind in STOCK:
            found["/v1/audio/voices"] = {"voices": list(VOICES)}
        if self.path in found:
            self._json(found[self.path])
        elif self.path in ROUTES[kind]:
            self._json({"detail": "Method Not Allowed"}, 405)
        else:
            self._json({"detail": "Not Found"}, 404)

    def do_POST(self) -> None:
        server = self.server
        if self.path not in ROUTES[server.kind]:
            self._json({"detail": "Not Found"}, 404)
            return
        if self.path == "/upload_audio":
            self._uploaded()
            return
        content = self._content()
        if self.path == "/register_speaker":
            self._registered(content)
            return
        with server.lock:
            server.in_flight.add(self)
            asked = {**content, "in_flight": len(server.in_flight), "at": time.time()}
            asked["key"] = self.headers.get("Authorization", "")
            server.seen.append(asked)
            shares = server.behaviour.get("faults", {})
            struck = [
                name for name in FAULTS + ODDITIES if server.random.random() < shares.get(name, 0)
            ]
        self.due = time.monotonic() + server.behaviour.get("seconds", 0)
        try:
            self._answer(content, struck[0] if struck else "")
        finally:
            self._left()

    def send_response(self, code: int, message: str | None = None) -> None:
        if self in self.server.in_flight:
            with self.server.changed:
                self.server.changed.wait_for(lambda: not self.server.behaviour.get("held"))
        time.sleep(max(0.0, self.due - time.monotonic()))
        # Who hears the answer may send the next line before this thread goes on.
        self._left()
        super().send_response(code, message)

    def _left(self) -> None:
        """Note that a line is in flight no more."""
        with self.server.lock:
            self.server.in_flight.discard(self)

    def _answer(self, content: dict[str, Any], fault: str) -> None:
        key = self.server.behaviour.get("key")
        try:
            voice = self._voice(content)
        except ValueError as exc:
            status = 500 if self.server.kind == "tts_url" else 400
            self._json({"message": "tts failed", "Exception": str(exc)}, status)
            return
        except FileNotFoundError as exc:
            trace = f"Traceback (most recent call last):\n  …\nFileNotFoundError: {exc}"
            self._json({"status": "error", "error": trace}, 500)
            return
        if key and self.headers.get("Authorization") != f"Bearer {key}":
            self._json({"error": {"message": "Incorrect API key provided"}}, 401)
        elif voice is None or "unspeakable" in _text(content):
            message = f"cannot speak {_text(content)!r} as {content.get('voice')!r}"
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
        elif fault == "html" or self._lacks_phonemes(content):
            self._json("<html><h1>Internal Server Error</h1></html>", 500)
        elif fault == "gone":
            self.close_connection = True
            self.connection.close()
        else:
            self._spoken(content, voice, fault)

    def _lacks_phonemes(self, content: dict[str, Any]) -> bool:
        """Whether Piper fails at a line, without a word of why."""
        return self.server.kind == "piper" and not any(map(str.isalnum, _text(content)))

    def _voice(self, content: dict[str, Any]) -> float | None:
        """Return the pitch of a line's voice in Hz; None when it has none."""
        kind = self.server.kind
        behaviour = self.server.behaviour
        if kind == "cloning" and "ref_audio" in content:
            if behaviour.get("transcripts") and not content.get("ref_text"):
                raise ValueError("ref_text is required")
            return _pitch(_of_uri(content["ref_audio"]))
        if kind in STOCK:
            return VOICES.get(content.get("voice", behaviour.get("default")))
        if kind == "piper":
            first, *_ = PIPER_VOICES.values()
            return PIPER_VOICES.get(str(content.get("voice")), first)
        return self._cloned(content)

    def _cloned(self, content: dict[str, Any]) -> float | None:
        """Return the pitch of the reference of a line; None when it has none."""
        match self.server.kind:
            case "omni":
                audio = _of_uri(content.get("ref_audio"))
                mood = _omni_mood(content.get("extra_params", {}))
                return _pitch(audio) * mood if audio else None
            case "yourtts":
                # A speaker that it does not know is spoken by one of its own.
                known = self.server.uploads.get(content["speaker_id"])
                return _pitch(known) if known else VOICES["deep"]
            case "sovits":
                return self._mixed(_of_file(content["ref_audio_path"]))
        return _pitch(self._upload(content["spk_audio_path"])) * self._mood(content)

    def _mood(self, content: dict[str, Any]) -> float:
        """Return what the emotion of a line at ``/tts_url`` does to its pitch."""
        method = content.get("emo_control_method", 0)
        if method == 1:
            shown = self._upload(content["emo_ref_path"])
            return _shown(shown, content.get("emo_weight", 1.0))
        if method == 2:
            if sum(content["emo_vec"]) > 1.5:
                raise ValueError("emo_vec must sum up to 1.5 at most")
            return _mixed(content["emo_vec"])
        return 2 ** (MOOD / 12) if method == 3 and content["emo_text"] else 1.0

    def _upload(self, path: str) -> bytes:
        """Return what was uploaded to a path."""
        if path not in self.server.uploads:
            raise FileNotFoundError(f"[Errno 2] No such file or directory: {path!r}")
        return self.server.uploads[path]

    def _mixed(self, pitch: float) -> float:
        """Return the pitch that a line gets: that of the line that came last."""
        server = self.server
        with server.lock:
            server.speaker = pitch
        time.sleep(0.05)
        return server.speaker

    def _uploaded(self) -> None:
        """Keep the file of a form."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        (part,) = email.message_from_bytes(head + body).get_payload()
        path = f"/root/autodl-tmp/uploads/{part.get_filename()}"
        data = part.get_payload(decode=True)
        self.server.uploads[path] = data
        self.server.seen.append({"uploaded": path})
        self._json({"server_path": path, "size": len(data), "status": "success"})

    def _registered(self, content: dict[str, Any]) -> None:
        """Keep a speaker."""
        import numpy as np
        import soundfile

        file = io.BytesIO()
        samples = np.array(content["reference_audio"], np.float32)
        soundfile.write(file, samples, content["reference_sample_rate"], format="WAV")
        self.server.uploads[content["speaker_id"]] = file.getvalue()
        self.server.seen.append({"uploaded": content["speaker_id"]})
        self._json({"status": "ok", "cache_size": len(self.server.uploads)})

    def _spoken(self, content: dict[str, Any], voice: float, fault: str) -> None:
        """Answer a line's sound."""
        kind, samples = self.server.kind, _hum(content, voice, fault)
        if kind == "yourtts":
            self._numbers(content, samples, fault)
        else:
            self._sound(_wav(samples, fault, RATES[kind]), fault)

    def _numbers(self, content: dict[str, Any], samples: Any, fault: str) -> None:
        """Answer samples at 24 kHz as numbers, with the rate that YourTTS always tells."""
        import soxr

        if content.get("language", "zh") not in YOURTTS_LANGUAGES:
            self._json({"error": "no such language", "type": "KeyError"}, 500)
            return
        numbers = soxr.resample(samples, 24_000, RATES["yourtts"]).astype(float).round(6).tolist()
        applied = content["speaker_id"] in self.server.uploads and fault != "unapplied"
        audio = [float("nan"), *numbers] if fault == "nan" else numbers
        told = {"used_reference": applied, "speaker_applied": applied, "text": content["text"]}
        self._json({"audio": audio, "sample_rate": 22_050, **told})

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


def _text(content: dict[str, Any]) -> str:
    return str(content["input"] if "input" in content else content["text"])


def _of_uri(uri: Any) -> bytes:
    """Return the content of a ``data:`` URI."""
    _, _, data = str(uri or "").partition("base64,")
    return base64.b64decode(data)


def _omni_mood(extra: dict[str, Any]) -> float:
    """Return what an emotion in vLLM-Omni's extra parameters does to the pitch of a line."""
    alpha = extra.get("emo_alpha", 1.0)
    if vector := extra.get("emo_vector"):
        if not all(0 <= share <= 1.2 for share in vector):
            raise ValueError("emo_vector: each value is 0 to 1.2")
        return _mixed(vector)
    if extra.get("use_emo_text") and extra.get("emo_text"):
        return float(2 ** (MOOD * alpha / 12))
    return _shown(_of_uri(extra["emo_audio"]), alpha) if "emo_audio" in extra else 1.0


def _mixed(vector: list[float]) -> float:
    return float(2 ** (sum(s * share for s, share in zip(MOODS, vector, strict=True)) / 12))


def _shown(recording: bytes, strength: float) -> float:
    """Return what the emotion of a recording does to a pitch: the higher it is, the more."""
    return float((_pitch(recording) / 100) ** (strength / 2))


def _pitch(data: bytes) -> float:
    """Return the pitch of a reference in Hz."""
    import soundfile

    from dubbing.engines.adapters.tone import Tone
    from dubbing.media.samples import Audio

    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    except soundfile.LibsndfileError as exc:
        raise ValueError("ref_audio is no sound") from exc
    return float(Tone().extract(Audio(samples=samples, rate=rate), "")["f0"][0])


def _of_file(path: str) -> float:
    """Return the pitch of a reference; raises ValueError as the real server does."""
    if not Path(path).is_file():
        raise ValueError(f"{path} not exists")
    data = Path(path).read_bytes()
    import soundfile

    if not 3 <= soundfile.info(path).duration <= 10:
        raise ValueError("参考音频在3~10秒范围外，请更换！")
    return _pitch(data)


def _hum(content: dict[str, Any], voice: float, fault: str) -> Any:
    """Return a line's sound in samples at 24 kHz."""
    import numpy as np

    from dubbing.engines.adapters.tone import Tone
    from dubbing.engines.engine import Line
    from dubbing.media.samples import Audio

    form = {"f0": np.array([voice])}
    line = Line(
        text=_text(content),
        language="en",
        voice=form,
        speed=content.get("speed", content.get("speed_factor", 1 / content.get("length_scale", 1))),
    )
    (sound,) = Tone().synthesize([line])
    assert isinstance(sound, Audio)
    if fault == "long":
        return np.resize(sound.samples, 8000 * 660)
    if fault == "zeros":
        return np.zeros(16_000, np.float32)
    return sound.samples[:100] if fault == "short" else sound.samples


def _wav(samples: Any, fault: str, rate: int) -> bytes:
    """Return 24 kHz as a WAV file of a rate, whose header may claim another length."""
    import soundfile
    import soxr

    if fault == "text":
        return b"this is no sound"
    file = io.BytesIO()
    if fault in {"zeros", "16khz"}:
        rate = 16_000
    elif rate != 24_000 and fault != "long":
        samples = soxr.resample(samples, 24_000, rate)
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


def main(port: int, kind: str) -> None:
    """Serve until standard input ends."""
    server = _Hum(port, kind)
    # The first line must not wait for the imports.
    _wav(_hum({"input": "warm"}, 100.0, ""), "", 22_050)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

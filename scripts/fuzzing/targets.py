"""The targets of the fuzzer: a table of readers by name, each called as in production.

A reader takes bytes and returns the messages that a user would see, which are cautions. It raises a
`DubbingError` for input that it refuses.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dubbing.assembly.report import Report
from dubbing.client import Client
from dubbing.documents import received, stored, together
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.holding import Holding
from dubbing.errors import ErrorRecord
from dubbing.job.job import DEFAULT_TENANT
from dubbing.jobs.store import load_end, load_job, load_round
from dubbing.ledger import Address
from dubbing.ledger.records import WorkerRecord
from dubbing.planning.outcome import gather
from dubbing.planning.plan import read_plan, read_refs
from dubbing.queue.fleet import WorkerCommand
from dubbing.queue.say import SayRequest
from dubbing.script.entries import expand, read
from dubbing.settings import Settings
from dubbing.storage.keys import Keys
from dubbing.submission import preview, submit
from dubbing.system import System
from dubbing.text.wording import spoken
from dubbing.voices.names import pointer
from dubbing.voices.store import load_voice

JOB = "job-1"
VOICE = "0" * 64
LANGUAGES = ("en", "de", "fr", "es", "ru", "pl", "tr", "hi", "th", "ar", "zh", "pt-BR", "el", "sv")
SCRIPT = "1\n00:00:01,000 --> 00:00:03,000\nANN: Hello, NASA.\n"
ROUND = b'{"reason":"submit","asked":1}\n'
PLAN = (
    b'{"number":0,"kind":"synthesis","engine":"tone","voice":{"stock":"low"},"language":"en",'
    b'"lines":[{"id":"1","spoken":"Hello","speed":1,"seed":0,"room":2,"max_rate":1.2}],'
    b'"deadline":60}\n'
)


@dataclass
class Scene:
    """A folder with the storage and the files that readers find beside the fuzzed one."""

    folder: Path

    @cached_property
    def client(self) -> Client:
        """A client of the folder's storage; it has no Redis."""
        return Client(System(Settings(home=self.folder, engine="tone")))

    def file(self, name: str, data: bytes) -> Path:
        """Write a file, and return its path."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def stored(self, key: str, data: bytes) -> None:
        """Write an object of storage."""
        self.client.storage.replace(key, data)


Reader = Callable[[Scene, bytes], Iterable[str]]


@dataclass(frozen=True)
class Target:
    """A kind of input and its reader."""

    read: Reader
    suffix: str
    place: tuple[str, ...]
    """A message has to contain one of these; empty for input without a name."""
    handled: tuple[type[Exception], ...] = ()
    """Exceptions other than ours that every caller of the reader handles."""


def _submitted(scene: Scene, path: Path, **overrides: Any) -> list[str]:
    """Read a file as ``dubbing submit --dry-run`` does."""
    salt = zlib.crc32(path.read_bytes())
    reading = read([path], overrides, speaker_prefix=bool(salt % 2))
    if reading.faults:
        raise together(reading.faults)
    return [
        caution.message
        for preview in scene.client.preview_all(reading.jobs)
        for caution in preview.cautions
    ]


def _script(suffix: str) -> Reader:
    def reader(scene: Scene, data: bytes) -> list[str]:
        language = LANGUAGES[zlib.crc32(data) // 2 % len(LANGUAGES)]
        return _submitted(scene, scene.file(f"fuzzed{suffix}", data), language=language)

    return reader


def _manifest(scene: Scene, data: bytes) -> list[str]:
    return _submitted(scene, scene.file("fuzzed.json", data))


def _list(scene: Scene, data: bytes) -> list[str]:
    scene.file("a.srt", SCRIPT.encode())
    entries = expand([scene.file("fuzzed.csv", data)])
    scene.client.preview_all(read([entry.path for entry in entries[:3]], {"language": "en"}).jobs)
    return [entry.where for entry in entries]


def _beside(field: str) -> Reader:
    def reader(scene: Scene, data: bytes) -> list[str]:
        fields = {"language": "de", field: str(scene.file("fuzzed.json", data))}
        return _submitted(scene, scene.file("a.srt", SCRIPT.encode()), **fields)

    return reader


def _job(scene: Scene, data: bytes) -> tuple[()]:
    scene.stored(Keys.job(JOB), data)
    load_job(scene.client.storage, JOB)
    return ()


def _plan(scene: Scene, data: bytes) -> tuple[()]:
    scene.stored(Keys.plan(JOB, 1), data)
    load_round(scene.client.storage, JOB, 1)
    read_refs(data, Keys.plan(JOB, 1))
    read_plan(data, Keys.plan(JOB, 1))
    return ()


def _result(scene: Scene, data: bytes) -> tuple[()]:
    scene.stored(Keys.plan(JOB, 1), ROUND + PLAN)
    scene.stored(Keys.result(JOB, 1, 0), data)
    gather(scene.client.storage, JOB, 1)
    return ()


def _end(scene: Scene, data: bytes) -> tuple[()]:
    scene.stored(Keys.end(JOB, 1), data)
    load_end(scene.client.storage, JOB, 1)
    return ()


def _voice(scene: Scene, data: bytes) -> tuple[()]:
    scene.stored(Keys.voice(VOICE), data)
    load_voice(scene.client.storage, VOICE)
    return ()


def _voice_name(scene: Scene, data: bytes) -> tuple[()]:
    scene.stored(Keys.voice_name("ann"), data)
    pointer(scene.client.storage, DEFAULT_TENANT, "ann")
    return ()


def _engine(scene: Scene, data: bytes) -> tuple[()]:
    scene.stored(Keys.engine("tone"), data)
    scene.client.specs()
    return ()


class NotSentError(Exception):
    """A message that Celery itself refuses, because its arguments are not JSON."""


def _kwargs(data: bytes) -> dict[str, Any]:
    try:
        kwargs = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise NotSentError from exc
    if not isinstance(kwargs, dict):
        raise NotSentError
    return kwargs


def _address(_: Scene, data: bytes) -> tuple[()]:
    at = received(Address, _kwargs(data))
    _ = at.number, at.deadline, at.work, at.number is None or at.span
    return ()


def _message(kind: type[BaseModel]) -> Reader:
    def reader(_: Scene, data: bytes) -> tuple[()]:
        received(kind, _kwargs(data))
        return ()

    return reader


def _record(kind: type[BaseModel]) -> Reader:
    def reader(_: Scene, data: bytes) -> tuple[()]:
        stored(kind, data, "dubbing:fuzzed")
        return ()

    return reader


def _reply(_: Scene, data: bytes) -> tuple[()]:
    reply = _kwargs(data)
    if error := reply.get("error"):
        received(ErrorRecord, error)
    else:
        received(Holding, reply.get("holding"))
    return ()


def load() -> None:
    """Load the data that readers load at their first use, so that forked processes share it."""
    assert preview and submit
    import_module("dubbing.submission.preview")
    Catalogue().specs()
    for language in LANGUAGES:
        spoken("1 2", language)


FILE = ("fuzzed",)
SENT = (NotSentError,)
TARGETS = {
    "manifest": Target(_manifest, ".json", FILE),
    "srt": Target(_script(".srt"), ".srt", FILE),
    "vtt": Target(_script(".vtt"), ".vtt", FILE),
    "ass": Target(_script(".ass"), ".ass", FILE),
    "dapt": Target(_script(".ttml"), ".ttml", FILE),
    "transcript": Target(_script(".json"), ".json", FILE),
    "list": Target(_list, ".csv", (*FILE, "a.srt")),
    "cast": Target(_beside("cast"), ".json", (*FILE, "speaker ")),
    "pronunciations": Target(_beside("pronunciations"), ".json", (*FILE, "cue ")),
    "job": Target(_job, ".json", (JOB,)),
    "plan": Target(_plan, ".jsonl", (JOB,)),
    "result": Target(_result, ".json", (JOB,)),
    "end": Target(_end, ".json", (JOB,)),
    "voice": Target(_voice, ".json", (VOICE,)),
    "voice-name": Target(_voice_name, ".txt", ("ann",)),
    "engine": Target(_engine, ".json", ("tone",)),
    "address": Target(_address, ".json", (), SENT),
    "say": Target(_message(SayRequest), ".json", (), SENT),
    "order": Target(_message(WorkerCommand), ".json", (), SENT),
    "heartbeat": Target(_record(WorkerRecord), ".json", FILE),
    "holding": Target(_record(Holding), ".json", FILE),
    "report": Target(_record(Report), ".json", FILE),
    "reply": Target(_reply, ".json", (), SENT),
}

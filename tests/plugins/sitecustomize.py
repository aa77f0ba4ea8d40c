"""Kills a process between two writes; Python runs this at start when this folder is on its path.

STOP_AT names a folder in which each file is a *point* in four parts; without it nothing is killed:

    process|group before|after <call> <subject of the call, as a shell pattern>

A process that reaches a point removes its file and dies by SIGKILL, alone or with its process
group. So each point is met once, and another process has to go on. All calls are the real ones.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import wraps
from pathlib import Path
from typing import Any

SHARED = ("clips/", "voices/")
"""Keys below these name no job, so the job is added for which the thread works."""
READER = "audit"
"""A script that only reads."""


def install(points: Path) -> None:
    """Make every step that writes check for points in ``points``."""
    # Imported here, so that a process without points starts as usual.
    from dubbing.ledger import Ledger
    from dubbing.ledger.server import Server
    from dubbing.queue import Publisher
    from dubbing.storage import Storage

    stopper = _Stopper(points)
    for method in ("create", "replace", "upload", "delete"):
        stopper.watch(Storage, method, lambda key, *_, **__: key, method)
    stopper.watch(Server, "run", _script)
    stopper.watch(Server, "run_all", _scripts)
    stopper.watch(Ledger, "deliver_again", lambda job, id_: f"{job} {id_}", "deliver_again")
    stopper.watch(Publisher, "send", _messages, "publish")


def _script(name: str, *arguments: object) -> str:
    """Return a script's name and its first four arguments, mostly job, round, token and queue."""
    return " ".join([name, *map(str, arguments[:4])])


def _scripts(calls: Sequence[tuple[str, Sequence[object]]]) -> str:
    """Return the first of several scripts that writes; those that follow it write less."""
    name, arguments = next((call for call in calls if call[0] != READER), calls[0])
    return _script(name, *arguments)


def _messages(batches: Sequence[Any]) -> str:
    """Return the job and the queue of the first message."""
    return f"{batches[0].job} {batches[0].queue}" if batches else "nothing"


def _job() -> object:
    """Return the job that the lines of a log would name here."""
    from dubbing.telemetry.context import context

    return context().get("job", "nobody")


class _Stopper:
    def __init__(self, points: Path) -> None:
        self._points = points

    def watch(self, owner: type, method: str, about: Callable[..., str], name: str = "") -> None:
        real = getattr(owner, method)

        @wraps(real)
        def watched(instance: object, *args: Any, **kwargs: Any) -> Any:
            call = self._call(name, about(*args, **kwargs))
            self._stop("before", call)
            result = real(instance, *args, **kwargs)
            self._stop("after", call)
            return result

        setattr(owner, method, watched)

    def _call(self, name: str, about: str) -> str:
        call = f"{name} {about}".strip()
        return f"{call} for {_job()}" if about.startswith(SHARED) else call

    def _stop(self, when: str, call: str) -> None:
        for point in self._points.iterdir():
            try:
                whom, moment, pattern = point.read_text().split(" ", 2)
                if moment == when and fnmatchcase(call, pattern):
                    point.unlink()
                    self._die(whom)
            except FileNotFoundError:
                # Another process reached this point first and is dead.
                continue

    @staticmethod
    def _die(whom: str) -> None:
        if whom == "group":
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


# billiard's process that looks after semaphores writes nothing.
if "STOP_AT" in os.environ and "semaphore_tracker" not in sys.orig_argv[-1]:
    install(Path(os.environ["STOP_AT"]))

if "SMALL_DECODER" in os.environ:
    import small_decoder

    small_decoder.install()

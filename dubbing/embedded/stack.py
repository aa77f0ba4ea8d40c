"""The embedded stack behind `dubbing run` and `dubbing up`: a Redis, workers and a gateway.

They are the same processes as in production, started as children and ended with their parent. Redis
keeps nothing on disk; its state is rebuilt from storage.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from dubbing.embedded.child import start_child
from dubbing.embedded.gateway import Gateway
from dubbing.embedded.home import make_home, open_private, take_lock
from dubbing.embedded.redis import is_up, redis_command
from dubbing.engines.engine import require
from dubbing.errors import EngineFailed, EngineMissing, QueueUnavailable
from dubbing.planning.plan import Kind
from dubbing.settings import Settings, temporary_folder
from dubbing.system import System

START_SECONDS = 10.0
STOP_SECONDS = 20.0
"""Seconds for a worker to finish its batch before it is killed; the lease restores the batch."""
ERROR = "error: "
"""Prefix of the last line of a command that fails."""


class Stack:
    """A Redis, unless one is configured or already up, and one worker for each engine."""

    def __init__(self, settings: Settings, engines: Sequence[str]) -> None:
        """Check the engines, with ``assembly``; raises EngineMissing before anything is started."""
        catalogue = System(settings).catalogue
        for engine in engines:
            if engine != Kind.ASSEMBLY:
                require(catalogue.create(engine))
        self._settings = settings
        self._engines = list(engines)
        self._redis: subprocess.Popen[bytes] | None = None
        self._joined = False
        """Whether another stack's Redis is shared."""
        self._lock: IO[bytes] | None = None
        """Held while this stack owns Redis, so that two stacks do not both start one."""
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._gateway: Gateway | None = None

    def __enter__(self) -> Stack:
        system = System(self._settings)
        system.storage.greet()
        if self._settings.redis_url:
            system.ledger.greet()
            # Before folders are made, because the storage may belong to another installation.
            system.installation.enter()
        make_home(self._settings)
        temporary_folder()
        system.storage.check_writable()
        try:
            if not self._settings.redis_url:
                self._redis = self._start_redis() if self._first_here() else None
                self._joined = self._redis is None
            for engine in self._engines:
                self.start(engine)
            self._wait_for_redis()
            # The shared Redis may belong to a stack with another storage.
            system.installation.enter()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _first_here(self) -> bool:
        """Whether this stack has to start Redis, because no other stack of this home runs one."""
        self._lock = take_lock(self._settings.home)
        return self._lock is not None and not is_up(self._settings)

    def start(self, engine: str) -> None:
        """Start the worker of an engine, or of ``assembly``."""
        # Killed with its parent: without Redis, a worker's graceful shutdown would take a minute.
        command = [*dubbing_command(), "worker", engine]
        # Only one process can serve metrics at a port: the gateway.
        self._workers[engine] = self._start(
            engine, command, signal.SIGKILL, DUBBING_METRICS_PORT="0"
        )

    def serve(self, port: int) -> Gateway:
        """Start a gateway on the loopback address, and return it; its process may fail later.

        port: 0 for any free one.
        """
        path = self.log_path("gateway")
        begins = path.stat().st_size if path.exists() else 0
        command = [*dubbing_command(), "serve", "--port", str(port)]
        self._gateway = Gateway(self._start("gateway", command, signal.SIGKILL), path, begins)
        return self._gateway

    def check(self) -> None:
        """Raise EngineFailed or QueueUnavailable when a process of the stack has ended.

        The gateway is not checked, because the stack works without it.
        """
        for engine, worker in self._workers.items():
            if worker.poll() is not None:
                why = self.why_ended(engine, worker)
                raise EngineFailed(f"the worker of {engine!r} ended: {why}")
        if self._redis and self._redis.poll() is not None:
            raise QueueUnavailable(f"Redis has ended; see {self.log_path('redis')}")
        if self._joined and not is_up(self._settings):
            raise QueueUnavailable(
                "the `dubbing run` or `up` whose Redis this one shared has ended: "
                "run the same command again to continue"
            )

    def why_ended(self, name: str, process: subprocess.Popen[bytes]) -> str:
        """Return why a process of the stack has ended, and where its log is."""
        path = self.log_path(name)
        return f"{_last_error(path) or f'exit code {process.returncode}'}; see {path}"

    @property
    def logs(self) -> Path:
        """Folder of the processes' logs."""
        return self._settings.logs

    def log_path(self, name: str) -> Path:
        """Return the path of a process's log."""
        return self.logs / f"{name}.log"

    def stop(self) -> None:
        """End the gateway and the workers, which may finish their work, and then Redis."""
        processes = [*self._workers.values(), *([self._gateway.process] if self._gateway else [])]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            _end(process, deadline)
        if self._redis:
            self._redis.terminate()
            _end(self._redis, time.monotonic() + STOP_SECONDS)
            with suppress(OSError):
                self._settings.socket.parent.rmdir()
        if self._lock:
            self._lock.close()

    def _start_redis(self) -> subprocess.Popen[bytes]:
        socket = self._settings.socket
        socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._settings.check_socket()
        socket.unlink(missing_ok=True)
        return self._start("redis", redis_command(socket), signal.SIGTERM)

    def _start(
        self,
        name: str,
        command: Sequence[str],
        orphaned: signal.Signals,
        **variables: str,
    ) -> subprocess.Popen[bytes]:
        """Start a process that gets the signal ``orphaned`` when this process is killed."""
        path = self.log_path(name)
        with open_private(path) as file:
            env = {**os.environ, **environment(self._settings), **variables}
            return start_child(command, file, env=env, orphaned=orphaned)

    def _wait_for_redis(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_up(self._settings):
            self.check()
            if time.monotonic() > deadline:
                raise QueueUnavailable(f"Redis did not start; see {self.log_path('redis')}")
            time.sleep(0.02)


def dubbing_command() -> list[str]:
    """Return the console script beside this Python, which a user's `tasks.py` cannot shadow."""
    script = Path(sys.executable).with_name("dubbing")
    if script.exists():
        return [str(script)]
    found = shutil.which("dubbing")
    if found is None:
        raise EngineMissing(f"there is no `dubbing` command beside {sys.executable} nor on PATH")
    return [found]


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables that give a child process the same settings."""
    values = settings.model_dump(mode="python", exclude_none=True)
    shown = {
        name: _as_variable(value)
        for name, value in values.items()
        if value or isinstance(value, bool)
    }
    return {f"DUBBING_{name.upper()}": value for name, value in shown.items()}


def _as_variable(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value, default=str) if isinstance(value, dict | tuple) else str(value)


def _last_error(log: Path) -> str:
    """Return the error on the last line of a log, ``""`` when there is none."""
    *_, last = ["", *log.read_text(errors="replace").splitlines()]
    return last.removeprefix(ERROR) if last.startswith(ERROR) else ""


def _end(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

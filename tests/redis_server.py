"""A test's own redis-server, which the test may kill and restart."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import redis

from dubbing.embedded.child import start_child
from dubbing.embedded.redis import redis_command

SECONDS = 20.0
"""How long Redis may take to start or to end."""


def free_port() -> int:
    """Return a port on 127.0.0.1 that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class RedisServer:
    """A Redis on a socket that runs during its block, unless a test kills it.

    append_only: whether its data survives a restart.
    maxmemory: limit of its memory, such as ``2mb``; ``0`` for none.
    port: an additional port on 127.0.0.1; 0 for none.
    password: password of the default user; empty for none.
    cluster: whether it is a cluster of this one server; it then needs a port below 55536.
    """

    def __init__(
        self,
        *,
        append_only: bool = False,
        maxmemory: str = "0",
        port: int = 0,
        password: str = "",
        cluster: bool = False,
    ) -> None:
        # A socket's path may not exceed some 100 characters, and pytest's folders may.
        self._folder = Path(tempfile.gettempdir()) / f"redis-{secrets.token_hex(4)}"
        self._options = {
            "appendonly": "yes" if append_only else "no",
            "appendfsync": "everysec",
            "maxmemory": maxmemory,
            "port": str(port),
            "bind": "127.0.0.1",
            "requirepass": password,
            "cluster-enabled": "yes" if cluster else "no",
        }
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL for redis-py; the same after every start."""
        password = f"?password={self._password}" if self._password else ""
        return f"unix://{self._folder / 'socket'}{password}"

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start Redis and wait until it answers; raises QueueUnavailable if it is not installed."""
        command = redis_command(self._folder / "socket", **self._options)
        self._folder.mkdir(exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = start_child(command, log)
        self._wait(self._process)

    def kill(self) -> None:
        """Kill Redis, as a power failure does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Shut Redis down, if it runs."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Shut Redis down and start it again."""
        self.stop()
        self.start()

    def log(self) -> str:
        """Return the content of Redis's log."""
        return (self._folder / "log").read_text()

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait(timeout=SECONDS)
            self._process = None

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + SECONDS
        with redis.from_url(self.url, retry=None) as client:
            while time.monotonic() < deadline:
                assert process.poll() is None, self.log()
                try:
                    client.ping()
                except redis.ConnectionError:  # not there yet, or still reading what it held
                    time.sleep(0.01)
                else:
                    return
        raise AssertionError(f"Redis does not answer: {self.log()}")

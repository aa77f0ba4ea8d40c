"""A test's own redis-server, which the test may kill and restart."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import redis

from dubbing.embedded.child import start_child
from dubbing.embedded.redis import redis_command

PORTS = range(16_000, 32_000)
"""Those below the ones that Linux gives to connections and to servers without a wish."""
SECONDS = 20.0
"""How long Redis may take to start or to end."""


def free_port() -> int:
    """Return a port on 127.0.0.1 that nothing listens on.

    It is none of those that the system gives to whoever asks for any: they may be taken again
    before it is used, or while its server is away.
    """
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def follow(replica: redis.Redis, port: int) -> None:
    """Make a server the replica of the one on a port, and wait until it has learned all."""
    # The newer releases wait five seconds for more replicas.
    with redis.from_url(f"redis://127.0.0.1:{port}") as master:
        master.config_set("repl-diskless-sync-delay", 0)
    replica.replicaof("127.0.0.1", str(port))
    deadline = time.monotonic() + SECONDS
    while replica.info("replication")["master_link_status"] != "up":
        assert time.monotonic() < deadline, "no replica"
        time.sleep(0.02)


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
        self._replica: subprocess.Popen[bytes] | None = None
        self._data = self._folder
        """Folder of its data: its own, or that of a replica that took its place."""

    @property
    def url(self) -> str:
        """The URL for redis-py; the same after every start."""
        return self._at(self._folder / "socket")

    def _at(self, socket_: Path) -> str:
        return f"unix://{socket_}" + (f"?password={self._password}" if self._password else "")

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
            self._give_up()
        finally:
            shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start Redis and wait until it answers; raises QueueUnavailable if it is not installed."""
        self._folder.mkdir(exist_ok=True)
        self._process = self._launch(self._folder / "socket", self._data, self._options)

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

    def replicate(self) -> None:
        """Start a replica that learns all there is now, and nothing of what comes after."""
        self._give_up()
        data = self._folder / secrets.token_hex(2)
        data.mkdir()
        own = int(self._options["port"])
        with redis.from_url(self.url) as master:
            master.config_set("port", port := own or free_port())
            socket_ = data / "socket"
            self._replica = self._launch(socket_, data, {**self._options, "port": "0"})
            with redis.from_url(f"unix://{socket_}") as replica:
                follow(replica, port)
                replica.replicaof("NO", "ONE")
            master.config_set("port", own)

    def promote(self) -> None:
        """Kill Redis, as a power failure does, and put the replica in its place."""
        assert self._replica
        self.kill()
        (data,) = (path for path in self._folder.iterdir() if (path / "socket").exists())
        self._process, self._replica, self._data = self._replica, None, data
        (data / "socket").replace(self._folder / "socket")
        with redis.from_url(self.url) as client:
            client.config_set("port", self._options["port"])

    def log(self) -> str:
        """Return the content of Redis's log."""
        return (self._folder / "log").read_text()

    def _launch(
        self, socket_: Path, data: Path, options: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        command = redis_command(socket_, **options, dir=str(data))
        with (self._folder / "log").open("ab") as log:
            process = start_child(command, log)
        self._wait(process, socket_)
        return process

    def _give_up(self) -> None:
        """End a replica that was not promoted."""
        if self._replica:
            self._replica.kill()
            self._replica.wait(timeout=SECONDS)
            self._replica = None

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait(timeout=SECONDS)
            self._process = None

    def _wait(self, process: subprocess.Popen[bytes], socket_: Path) -> None:
        deadline = time.monotonic() + SECONDS
        with redis.from_url(self._at(socket_), retry=None) as client:
            while time.monotonic() < deadline:
                assert process.poll() is None, self.log()
                try:
                    client.ping()
                except redis.ConnectionError:  # not there yet, or still reading what it held
                    time.sleep(0.01)
                else:
                    return
        raise AssertionError(f"Redis does not answer: {self.log()}")

"""A Redis with a replica, and a Sentinel that promotes the replica when the Redis is gone."""

from __future__ import annotations

import subprocess
import time

import redis
from redis_server import SECONDS, RedisServer, follow, free_port

from dubbing.embedded.child import start_child
from dubbing.embedded.redis import find_redis_server

MASTER = "dubs"
"""The name under which the Sentinel watches it."""
PASSWORD = "watch-out"
"""Password of the Sentinel."""
GONE_MS = 500
"""Milliseconds without an answer after which it promotes the replica."""


class GuardedRedis(RedisServer):
    """A master, its replica and a Sentinel with a password; `kill` ends the master alone."""

    def __init__(self) -> None:
        self.port, self.sentinel_port = free_port(), free_port()
        super().__init__(port=self.port)
        self._second = RedisServer(port=free_port())
        self._sentinel: subprocess.Popen[bytes] | None = None

    @property
    def seen_at(self) -> str:
        """The URL for the system; one Sentinel that it names is not there."""
        places = f"127.0.0.1:{free_port()},127.0.0.1:{self.sentinel_port}"
        return f"sentinel://{places}/{MASTER}/0?sentinel_password={PASSWORD}"

    def start(self) -> None:
        """Start all three; return when the Sentinel knows the replica."""
        super().start()
        self._second.start()
        with redis.from_url(self._second.url) as replica:
            follow(replica, self.port)
        self._sentinel = self._watch()

    def _watch(self) -> subprocess.Popen[bytes]:
        # It writes into its file what it learns.
        settings = self._folder / "sentinel.conf"
        settings.write_text(
            f"port {self.sentinel_port}\n"
            "bind 127.0.0.1\n"
            f"dir {self._folder}\n"
            f"requirepass {PASSWORD}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {self.port} 1\n"
            f"sentinel down-after-milliseconds {MASTER} {GONE_MS}\n"
        )
        with (self._folder / "sentinel.log").open("ab") as log:
            process = start_child([find_redis_server(), str(settings), "--sentinel"], log)
        deadline = time.monotonic() + SECONDS
        with redis.Redis(port=self.sentinel_port, password=PASSWORD, retry=None) as sentinel:
            while True:
                try:
                    if sentinel.sentinel_slaves(MASTER):
                        return process
                except redis.RedisError:
                    pass
                assert time.monotonic() < deadline, (self._folder / "sentinel.log").read_text()
                time.sleep(0.05)

    def __exit__(self, *exc: object) -> None:
        try:
            if self._sentinel:
                self._sentinel.terminate()
                self._sentinel.wait(timeout=SECONDS)
            self._second.__exit__(*exc)
        finally:
            super().__exit__(*exc)

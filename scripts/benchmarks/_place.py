"""A Redis and a real S3 server, which some processes reach with a delay."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from distance import far

from benchmarks._system import from_tests, settings
from dubbing.settings import Settings


class Place:
    """A Redis and an S3 server, and proxies before them that make them seem far away."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        """Start the servers; the stack ends them and the proxies."""
        redis_server, s3_server = from_tests("redis_server"), from_tests("s3_server")
        self._redis_port = redis_server.free_port()
        stack.enter_context(redis_server.RedisServer(port=self._redis_port))
        s3 = stack.enter_context(s3_server.running(home / "s3", s3_server.AMAZON_PAGE))
        self._s3_port = urlsplit(s3.endpoint).port or 0
        self._storage: dict[str, Any] = s3_server.settings(s3)
        self._home, self._stack = home, stack

    def settings(self, engine: str, slots: int, delay: float = 0.0) -> Settings:
        """Return the settings of a client or worker.

        delay: seconds of the round trip to both servers.
        """
        redis_port = self._stack.enter_context(far(self._redis_port, delay))
        s3_port = self._stack.enter_context(far(self._s3_port, delay))
        addresses = {
            "redis_url": f"redis://127.0.0.1:{redis_port}",
            "s3_endpoint": f"http://127.0.0.1:{s3_port}",
        }
        return settings(self._home, engine, slots, **(self._storage | addresses))

"""The Redis server itself: its scripts, and its errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from dubbing.errors import QueueUnavailable


class Server:
    """A connection pool to one Redis. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_connect_timeout=5,
            socket_timeout=30,
            # A Redis that restarts is back within seconds; work that waits for it is not lost.
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=2), 8),
        )

    @contextmanager
    def commands(self) -> Iterator[redis.Redis]:
        """Yield what sends commands; raises QueueUnavailable for what they raise."""
        try:
            yield self._redis
        except redis.ConnectionError as exc:
            raise QueueUnavailable(f"Redis does not answer at {redact(self._url)}: {exc}") from exc
        except redis.RedisError as exc:
            raise QueueUnavailable(f"Redis refused at {redact(self._url)}: {exc}") from exc

    def run(self, name: str, *arguments: object) -> Any:
        """Run the script ``<name>.lua`` and return its answer."""
        with self.commands() as commands:
            script = commands.register_script(_source(name))
            return script(args=[str(argument) for argument in arguments])


@cache
def _source(name: str) -> str:
    folder = files("dubbing.ledger")
    return "\n".join((folder / f"{part}.lua").read_text() for part in ("common", name))


def redact(url: str) -> str:
    """Return ``url`` without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

"""The Redis server itself: its scripts, and its errors as ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import AuthorizationError, InvalidResponse, NoPermissionError
from redis.retry import Retry

from dubbing.errors import QueueRefused, QueueUnavailable

GREETING_SECONDS = 3.0
"""How long a Redis that never answered yet may take to answer, and how long to start."""
SETTING = "DUBBING_REDIS_URL"
NO_DATABASE = "DB index"
"""In Redis's words about a database that it has not; they have no class of their own."""
SCHEMES = {"redis": "rediss", "rediss": "redis"}
"""Without TLS and with it."""


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

    def greet(self) -> None:
        """Meet a Redis for the first time: it answers within seconds, or has to be set right.

        Raises QueueRefused when it answers, and wants another password, database or TLS, and
        QueueUnavailable when it does not answer.
        """
        deadline = time.monotonic() + GREETING_SECONDS
        while error := _asked(self._url):
            # One that was just started is there in a moment.
            starting = isinstance(error, redis.ConnectionError) and not _is_refusal(error)
            if not starting or time.monotonic() > deadline:
                raise _without_tls(self._url, error) or _ours(self._url, error) from error
            time.sleep(0.1)

    @contextmanager
    def commands(self) -> Iterator[redis.Redis]:
        """Yield what sends commands; raises QueueUnavailable for what they raise."""
        try:
            yield self._redis
        except redis.RedisError as exc:
            raise _ours(self._url, exc) from exc

    def run(self, name: str, *arguments: object) -> Any:
        """Run the script ``<name>.lua`` and return its answer."""
        with self.commands() as commands:
            script = commands.register_script(_source(name))
            return script(args=[str(argument) for argument in arguments])


@cache
def _source(name: str) -> str:
    folder = files("dubbing.ledger")
    return "\n".join((folder / f"{part}.lua").read_text() for part in ("common", name))


def _asked(url: str, **options: str) -> redis.RedisError | None:
    """Return what Redis has against a PING, or None when it answers."""
    connection = redis.Redis.from_url(
        url,
        socket_connect_timeout=GREETING_SECONDS,
        socket_timeout=GREETING_SECONDS,
        retry=None,
        # In the newer protocol Redis words a missing password as if the protocol were at fault.
        protocol=2,
        **options,
    )
    try:
        connection.ping()
    except redis.RedisError as exc:
        return exc
    finally:
        connection.close()
    return None


def _is_refusal(exc: redis.RedisError) -> bool:
    """Whether Redis answers, but not to these credentials or this database."""
    unauthorised = redis.AuthenticationError | AuthorizationError | NoPermissionError
    return isinstance(exc, unauthorised) or NO_DATABASE in str(exc)


def _ours(url: str, exc: redis.RedisError) -> QueueUnavailable:
    """Return our error, with Redis's own words and what to check."""
    where, words = redact(url), str(exc).rstrip(".")
    if isinstance(exc, NoPermissionError):
        return QueueRefused(f"Redis refused at {where}: {words}: check the rights of its user")
    if _is_refusal(exc):
        what = "the database" if NO_DATABASE in words else "the user and the password"
        return QueueRefused(f"Redis refused at {where}: {words}: check {what} in {SETTING}")
    if not isinstance(exc, redis.ConnectionError | redis.TimeoutError | InvalidResponse):
        return QueueUnavailable(f"Redis refused at {where}: {words}")
    return QueueUnavailable(
        f"Redis does not answer at {where}: {words}: is it up, and are host and port in {SETTING} "
        "right?"
    )


def _without_tls(url: str, exc: redis.RedisError) -> QueueRefused | None:
    """Return our error when TLS alone, asked for or left out, keeps a Redis from answering."""
    parts = urlsplit(url)
    other = SCHEMES.get(parts.scheme)
    if other is None or _is_refusal(exc):
        return None
    # It is asked without the password, which nobody else should hear.
    place = f"{other}://{parts.netloc.rpartition('@')[2]}"
    error = _asked(place, **({"ssl_cert_reqs": "none"} if other == "rediss" else {}))
    if error is not None and not _is_refusal(error):
        return None
    return QueueRefused(
        f"Redis does not answer at {redact(url)}: {str(exc).rstrip('.')}: it does at {place}, so "
        f"begin {SETTING} with {other}://"
    )


def redact(url: str) -> str:
    """Return ``url`` without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

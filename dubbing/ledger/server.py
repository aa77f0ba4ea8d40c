"""The Redis server: its scripts, and the mapping of its errors to ours."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha1
from importlib.resources import files
from socket import gaierror
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    AuthorizationError,
    InvalidResponse,
    NoPermissionError,
    NoScriptError,
)
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError

from dubbing.errors import QueueRefused, QueueUnavailable
from dubbing.ledger.connect import connect
from dubbing.redis_url import redact

log = logging.getLogger(__name__)

GREETING_SECONDS = 3.0
"""Time in which Redis has to answer for the first time, or to start."""
NOBODY = (ConnectionRefusedError, FileNotFoundError, gaierror)
"""Errors of the system if nobody listens at an address, or the address does not exist."""
GLANCE_SECONDS = 1.0
"""Time in which Redis has to answer a caller that can work without it."""
RETRIES = 8
"""Number of retries of a call, which take some seven seconds."""
SETTING = "DUBBING_REDIS_URL"
UNTRUSTED = re.compile(r"certificate verify failed: (.+?) \(_ssl")
"""The reason why a certificate is not trusted, in the client's message."""
SENTINEL = re.compile(r"<redis\.client\.Redis\(.*?host=([^,]+),port=(\d+),.*?\)>\)>\)>")
"""A Sentinel in the client's message, with all of its options; the first two identify it."""
SENTINELS_WITH_TLS = "sentinels"
NO_DATABASE = "DB index"
"""Part of Redis's message about a missing database; that error has no class of its own."""
SCHEMES = {"redis": "rediss", "rediss": "redis"}
"""The URL scheme with TLS for the one without, and the reverse."""
QUICK: Mapping[str, Any] = {"protocol": 2, "driver_info": None}
"""Options without which each new connection takes four round trips to introduce itself. With the
newer protocol, the error for a missing password blames the protocol, too."""
TURNING = frozenset({"snapshots", "foresee"})
"""The scripts that share ``turns.lua``; all scripts share ``common.lua``."""
Call: TypeAlias = "tuple[str, Sequence[object]]"
"""The name of a script, and its arguments."""


class Server:
    """A connection pool to one Redis. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loaded: set[str] = set()
        """The scripts that were loaded into Redis, which knows them until it is restarted."""
        self._redis = connect(
            url,
            **QUICK,
            decode_responses=True,
            socket_connect_timeout=5,
            socket_timeout=30,
            # A restart of Redis takes seconds, and waiting for it loses no work.
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=2), RETRIES),
        )

    @property
    def place(self) -> str:
        """The URL of this Redis, without its password."""
        return redact(self._url)

    @property
    def user(self) -> str:
        """The user of the URL."""
        return urlsplit(self._url).username or "default"

    def greet(self, *, patient: bool = True) -> None:
        """Connect to Redis; it has to answer within seconds.

        patient: whether to wait if nobody listens, because Redis may just be starting; the log
        says so, and the supervisor of the process starts it again if Redis takes longer. Raises
        QueueRefused if it requires another password, database or TLS setting, and QueueUnavailable
        if it does not answer.
        """
        deadline, told = time.monotonic() + GREETING_SECONDS, False
        while error := _asked(self._url):
            # A Redis that was just started answers in a moment.
            starting = isinstance(error, redis.ConnectionError) and not _is_refusal(error)
            if isinstance(error.__context__, NOBODY):
                starting = patient
            if not starting or time.monotonic() > deadline:
                raise _without_tls(self._url, error) or _ours(self._url, error) from error
            if not told:
                log.warning("waiting %g s for Redis at %s", GREETING_SECONDS, self.place)
                told = True
            time.sleep(0.1)

    def answers(self) -> bool:
        """Whether Redis answers within a second, without retries."""
        return _asked(self._url, GLANCE_SECONDS) is None

    @contextmanager
    def commands(self) -> Iterator[redis.Redis]:
        """Yield the Redis client; errors of its commands become QueueUnavailable."""
        try:
            yield self._redis
        except redis.RedisError as exc:
            raise _ours(self._url, exc) from exc

    def run(self, name: str, *arguments: object) -> Any:
        """Run the script ``<name>.lua`` and return its answer."""
        (answer,) = self.run_all([(name, arguments)])
        return answer

    def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """Run scripts in one round trip, in order; return their answers."""
        with self.commands() as commands:
            answers = self._send(commands, calls)
            unknown = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if unknown:
                # Redis was restarted.
                self._loaded.clear()
                again = self._send(commands, [calls[n] for n in unknown])
                for n, answer in zip(unknown, again, strict=True):
                    answers[n] = answer
            for answer in answers:
                if isinstance(answer, redis.RedisError):
                    raise answer
        return answers

    def _send(self, commands: redis.Redis, calls: Sequence[Call]) -> list[Any]:
        """Return the answer or the error of each call; raises the error of loading a script."""
        # redis-py's own scripts cost one more round trip, to ask whether Redis knows them.
        new = {name for name, _ in calls} - self._loaded
        with commands.pipeline(transaction=False) as pipe:
            for name in new:
                pipe.script_load(source(name))
            for name, arguments in calls:
                pipe.evalsha(digest(name), 0, *map(str, arguments))
            answers = pipe.execute(raise_on_error=False)
        for loaded in answers[: len(new)]:
            if isinstance(loaded, redis.RedisError):
                raise loaded
        self._loaded |= new
        return answers[len(new) :]


@cache
def source(name: str) -> str:
    """Return a script, preceded by the parts that it shares with others."""
    folder = files("dubbing.ledger")
    parts = ["common", *(["turns"] if name in TURNING else []), name]
    return "\n".join((folder / f"{part}.lua").read_text() for part in parts)


@cache
def digest(name: str) -> str:
    """Return the name of a script in Redis."""
    return sha1(source(name).encode(), usedforsecurity=False).hexdigest()


def _asked(
    url: str, seconds: float = GREETING_SECONDS, /, **options: str
) -> redis.RedisError | None:
    """Return Redis's error to a PING, or None when it answers."""
    connection = connect(
        url,
        socket_connect_timeout=seconds,
        socket_timeout=seconds,
        retry=None,
        **QUICK,
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
    """Whether Redis refuses credentials or database, or its certificate is not trusted."""
    unauthorised = redis.AuthenticationError | AuthorizationError | NoPermissionError
    words = str(exc)
    if isinstance(exc, MasterNotFoundError) and "AuthenticationError" in words:
        return True
    return isinstance(exc, unauthorised) or NO_DATABASE in words or bool(UNTRUSTED.search(words))


def _ours(url: str, exc: redis.RedisError) -> QueueUnavailable:
    """Return our error, with Redis's message and what to check."""
    where, words = redact(url), SENTINEL.sub(r"\1:\2", str(exc)).rstrip(".")
    if isinstance(exc, NoPermissionError):
        return QueueRefused(f"Redis refused at {where}: {words}: check the rights of its user")
    if untrusted := UNTRUSTED.search(words):
        return QueueRefused(
            f"Redis at {where}: its certificate is not trusted: {untrusted[1].rstrip('.')}: check "
            f"DUBBING_CA_FILE, and the host in {SETTING}"
        )
    if _is_refusal(exc):
        part = "the database" if NO_DATABASE in words else "the user and the password"
        if isinstance(exc, MasterNotFoundError):
            part = "sentinel_username and sentinel_password"
        return QueueRefused(f"Redis refused at {where}: {words}: check {part} in {SETTING}")
    if not isinstance(exc, redis.ConnectionError | redis.TimeoutError | InvalidResponse):
        return QueueUnavailable(f"Redis refused at {where}: {words}")
    check = "is it up, and are host and port"
    if isinstance(exc, MasterNotFoundError):
        check = "are the Sentinels up, and are their hosts and the name of the master"
        if urlsplit(url).scheme == SENTINELS_WITH_TLS:
            # The client does not say why a Sentinel did not answer.
            check = f"does DUBBING_CA_FILE name who signed their certificates, {check}"
    return QueueUnavailable(
        f"Redis does not answer at {where}: {words}: {check} in {SETTING} right?"
    )


def _without_tls(url: str, exc: redis.RedisError) -> QueueRefused | None:
    """Return our error if Redis answers with TLS switched on, or off; else None."""
    parts = urlsplit(url)
    other = SCHEMES.get(parts.scheme)
    if other is None or _is_refusal(exc):
        return None
    # Without the password, which no other server should see.
    place = f"{other}://{parts.netloc.rpartition('@')[2]}"
    error = _asked(place, **({"ssl_cert_reqs": "none"} if other == "rediss" else {}))
    if error is not None and not _is_refusal(error):
        return None
    return QueueRefused(
        f"Redis does not answer at {redact(url)}: {str(exc).rstrip('.')}: it does at {place}, so "
        f"begin {SETTING} with {other}://"
    )

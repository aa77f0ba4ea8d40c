"""A test whether Redis can hold the ledger and the queues: all commands, in one round trip."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha1
from typing import Any

import redis
from redis.exceptions import ClusterCrossSlotError, ClusterDownError, MovedError

from dubbing.errors import QueueRefused, QueueUnavailable
from dubbing.ledger.server import Server, source

OLDEST = "6.2"
"""The first release of Redis with all commands of the ledger and Celery."""
KEYS = ("dubbing:probe:list", "dubbing:probe:hash")
"""Keys that a cluster keeps apart, as it does the ledger's."""
WAIT = 0.01
"""Seconds of a blocking pop; the list is not empty."""
ANSWER = 5.0
"""Longest time of a subscription."""
KEEPING = "noeviction"
"""The policy of a Redis that keeps its data, and refuses writes when its memory is full."""
RIGHTS = re.compile(r"permission|user executing the script can't|ACL failure")
"""Words of a refusal for lack of rights; the refusal of a script has no error class of its own."""
UNKNOWN = re.compile(r"unknown .*command", re.IGNORECASE)
PREAMBLE = re.compile(r"^(@user_script: ?\d+: )?-?([A-Z]+ )?")
"""The place in the script and the code that may precede Redis's words."""

Errors = dict[str, str]
"""Redis's words on each failed command, by its name."""


def probe(server: Server, *, consume: bool) -> str:
    """Return a caution about the settings of Redis, or ``""``; nothing is left behind.

    consume: whether to try the commands of workers, too.

    Raises QueueRefused for a Redis that cannot be used (a cluster, an old release, or a user
    without the right to a command), and QueueUnavailable for one that takes no writes now.
    """
    about, failed = _ask(server, consume=consume)
    if about.get("redis_mode") == "cluster":
        raise QueueRefused(
            f"Redis at {server.place} is a cluster, which keeps keys apart that are written "
            "together: a single server is needed, with cluster-enabled no"
        )
    if failed:
        raise _error(server, failed, version=about.get("redis_version", ""))
    policy = about.get("maxmemory_policy", KEEPING)
    if policy == KEEPING or not about.get("maxmemory"):
        return ""
    return (
        f"Redis at {server.place} throws work away when its memory is full (maxmemory-policy is "
        f"{policy}): set maxmemory-policy {KEEPING}"
    )


def _ask(server: Server, *, consume: bool) -> tuple[dict[str, Any], Errors]:
    """Return Redis's INFO, which is empty if refused, and the failed commands."""
    script = source("probe")
    digest = sha1(script.encode(), usedforsecurity=False).hexdigest()
    commands: list[tuple[Any, ...]] = [
        ("INFO",),
        ("SCRIPT LOAD", script),
        ("EVALSHA", digest, len(KEYS), *KEYS),
        ("MULTI",),
        ("EXEC",),
    ]
    if consume:
        commands += [("RPUSH", KEYS[0], "", ""), ("BRPOP", KEYS[0], WAIT), ("BLPOP", KEYS[0], WAIT)]
    with server.commands() as client, client.pipeline(transaction=False) as pipe:
        for command in commands:
            pipe.execute_command(*command)
        about, *answers = pipe.execute(raise_on_error=False)
        if consume:
            commands.append(("PSUBSCRIBE",))
            answers.append(_listened(client))
    # A refused INFO is no fault.
    about = {} if isinstance(about, Exception) else about
    failed: Errors = {}
    for (name, *_), answer in zip(commands[1:], answers, strict=True):
        if isinstance(answer, ClusterCrossSlotError | ClusterDownError | MovedError):
            about["redis_mode"] = "cluster"
        elif isinstance(answer, Exception):
            failed[name] = str(answer)
        elif name == "EVALSHA":
            words = (PREAMBLE.sub("", text).strip() for text in answer[1::2])
            failed |= dict(zip(answer[::2], words, strict=True))
    return about, failed


def _listened(client: redis.Redis) -> redis.ResponseError | None:
    """Return the error of a subscription, if any."""
    # A user needs the right to the pattern itself, so this is the channel of Celery's orders.
    channel = f"dubbing:queue:/{client.get_connection_kwargs().get('db', 0)}.celery.pidbox"
    with client.pubsub() as pubsub:
        try:
            pubsub.psubscribe(channel)
            pubsub.get_message(timeout=ANSWER)
        except redis.ResponseError as exc:
            return exc
    return None


def _error(server: Server, failed: Errors, version: str) -> QueueUnavailable:
    """Return the error for commands that failed."""
    refused = {name for name, words in failed.items() if RIGHTS.search(words)}
    unknown = {name for name, words in failed.items() if UNKNOWN.search(words)}
    for name, words in failed.items():
        if name not in refused | unknown:
            # Redis takes no writes now, and gives the reason.
            return QueueUnavailable(f"Redis refused at {server.place}: {words.rstrip('.')}")
    if unknown:
        return QueueRefused(
            f"Redis {version} at {server.place} does not know {_listed(unknown)}: Redis {OLDEST} "
            "or later is needed"
        )
    return QueueRefused(
        f"Redis at {server.place} does not let its user {server.user} use {_listed(refused)}: "
        f"allow these commands, the keys dubbing:* and all channels (ACL SETUSER {server.user})"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))

"""Losses of Redis: the kinds of its keys, and how to remove a share of a kind's keys or entries."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import redis

from dubbing.ledger.records import PREFIX
from dubbing.queue import broker_lists

SHARE = 0.3
"""Share of a kind that is lost at once."""
MESSAGES = "messages"
PATTERNS: Mapping[str, str] = {
    "jobs": "job:[^:]+",
    "todo": "job:[^:]+:todo:.+",
    "held": "job:[^:]+:held:.+",
    "closed": "job:[^:]+:closed",
    "deliveries": "job:[^:]+:deliveries",
    "events": "job:[^:]+:events",
    "queues": "job:[^:]+:(queues|held)",
    "rings": "ring:.+",
    "new": "new:.+",
    "published": "published:.+",
    "leases": "leases:.+",
    "owners": "owners",
    "pace": "(pace|express):.+",
    "hour": "hour",
    "spent": "spent:.+",
    "backlog": "backlog",
    "totals": "totals(:.+)?",
    "workers": "workers|worker:.+",
    "counts": "counts:.+",
    "slots": "slots:.+",
    "holding": "holding:.+",
    "work": "work:.+",
    "servers": "servers",
    "shares": "shares:.+",
    "began": "began",
    "turns": "turn:.+",
    "installation": "installation",
}
"""A pattern of the keys of each kind in the ledger, without their prefix."""
BROKER = broker_lists("")[0]
"""Prefix of the broker's keys; may be empty."""
BINDING = "_kombu.binding"
BINDINGS = "bindings"
KINDS = (*PATTERNS, MESSAGES, BINDINGS)
Keys = Mapping[str, list[str]]
"""Sorted keys by their kind."""


def keys_by_kind(server: redis.Redis, queues: Iterable[str]) -> Keys:
    """Return the keys of each kind that Redis holds now; ``queues``: those whose lists count."""
    lists = {name for queue in queues for name in broker_lists(queue)}
    found: dict[str, list[str]] = {}
    for key in sorted(server.scan_iter(count=1000)):
        if kind := kind_of(key, lists):
            found.setdefault(kind, []).append(key)
    return found


def kind_of(key: str, lists: Collection[str] = ()) -> str | None:
    """Return the kind of a key; None for a key that the system does not know.

    lists: keys that hold messages.
    """
    if BINDING in key:
        return BINDINGS
    if key in lists or (BROKER and key.startswith(BROKER)):
        return MESSAGES
    name = key.removeprefix(PREFIX)
    return next((kind for kind, pattern in PATTERNS.items() if re.fullmatch(pattern, name)), None)


def lose_keys(server: redis.Redis, keys: Iterable[str], source: random.Random) -> int:
    """Delete a share of the keys; return the number of keys that existed and were deleted."""
    chosen = _share(sorted(keys), source)
    return int(server.delete(*chosen)) if chosen else 0


def lose_entries(server: redis.Redis, keys: Iterable[str], source: random.Random) -> int:
    """Remove a share of the entries of all these keys together; return the number removed."""
    entries = [(key, entry) for key in sorted(keys) for entry in _entries(server, key)]
    return sum(_remove(server, key, entry) for key, entry in _share(entries, source))


def _share(all_: list[Any], source: random.Random) -> list[Any]:
    return source.sample(all_, max(1, round(SHARE * len(all_)))) if all_ else []


def _entries(server: redis.Redis, key: str) -> list[Any]:
    """Return the entries of a key; for a bitmap, the positions of the set bits."""
    ways: Mapping[str, Callable[[], Any]] = {
        "list": lambda: server.lrange(key, 0, -1),
        "set": lambda: sorted(server.smembers(key)),
        "zset": lambda: server.zrange(key, 0, -1),
        "hash": lambda: sorted(server.hkeys(key)),
        "stream": lambda: [id_ for id_, _ in server.xrange(key)],
        "string": lambda: _bits(server, key) if key.endswith(":closed") else [None],
    }
    kind = server.type(key)
    # The key may have been deleted meanwhile.
    return list(ways[kind]()) if kind in ways else []


def _bits(server: redis.Redis, key: str) -> list[int]:
    length: Any = server.strlen(key)
    return [bit for bit in range(8 * length) if server.getbit(key, bit)]


def _remove(server: redis.Redis, key: str, entry: Any) -> int:
    ways: Mapping[str, Callable[[], Any]] = {
        "list": lambda: server.lrem(key, 1, entry),
        "set": lambda: server.srem(key, entry),
        "zset": lambda: server.zrem(key, entry),
        "hash": lambda: server.hdel(key, entry),
        "stream": lambda: server.xdel(key, entry),
        "string": lambda: server.delete(key) if entry is None else server.setbit(key, entry, 0),
    }
    kind = server.type(key)
    return int(ways[kind]()) if kind in ways else 0

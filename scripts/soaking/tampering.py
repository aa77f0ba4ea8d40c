"""Strikes on the data in Redis: losses, evictions, duplicate messages, malformed entries."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import redis
from soaking.losses import MESSAGES, Keys, keys_by_kind, lose_entries, lose_keys
from soaking.strikes import WORKERS, Blow, Strike

from dubbing.ledger import Address
from dubbing.ledger.records import PREFIX
from dubbing.queue import TASKS, broker_lists, make_app, queues_of

LEASES = f"{PREFIX}leases:"
DEEP = 100_000
MALFORMED = ("garbage", "null", "[]", "{}", "[" * DEEP + "]" * DEEP)
"""Entries that no process of this system writes."""
PUSHED = 3
"""Entries that a strike pushes, one of them among the messages."""
ADD = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call(unpack(ARGV))
return 1
"""
"""Adds to an existing key only, so that a job that has just ended gets no keys back."""


class Tampering:
    """Tampers with the Redis of a system."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._app = make_app(url)
        queues = {queue for engine in WORKERS.values() for queue in queues_of(engine)}
        self._queues = sorted(queues)
        self._lists = [name for queue in self._queues for name in broker_lists(queue)]

    def close(self) -> None:
        """Close the connection to the broker."""
        self._app.close()

    def do(self, strike: Strike) -> str:
        """Make a strike; return its target in words, ``""`` for none."""
        ways: Mapping[Blow, Callable[[redis.Redis, Strike], str]] = {
            Blow.FORGET: self._forget,
            Blow.DOUBLE: self._double,
            Blow.DROP: self._drop,
            Blow.EVICT: self._evict,
            Blow.LOSE: self._lose,
            Blow.MALFORM: self._malform,
        }
        with redis.from_url(self._url, decode_responses=True) as server:
            return ways[strike.blow](server, strike)

    def _forget(self, server: redis.Redis, strike: Strike) -> str:
        server.flushall()
        return "everything"

    def _double(self, server: redis.Redis, strike: Strike) -> str:
        keys = sorted(server.scan_iter(f"{LEASES}*"))
        claimed = [(key.removeprefix(LEASES), m) for key in keys for m in server.zrange(key, 0, -1)]
        # Malformed entries name no batch.
        claimed = [(queue, m) for queue, m in claimed if m.count("|") == 2]
        if not claimed:
            return ""
        queue, member = claimed[strike.pick % len(claimed)]
        job, round_, token = member.split("|")
        at = Address(job=job, round=int(round_), token=token, queue=queue)
        for _ in range(2):
            self._app.send_task(TASKS[at.kind], kwargs=asdict(at), queue=at.queue)
        return str(member)

    def _drop(self, server: redis.Redis, strike: Strike) -> str:
        if filled := [name for name in self._lists if server.llen(name)]:
            name = filled[strike.pick % len(filled)]
            return name if server.lpop(name) else ""
        return ""

    def _evict(self, server: redis.Redis, strike: Strike) -> str:
        every = [key for keys in self._found(server).values() for key in keys]
        return f"{lose_keys(server, every, random.Random(strike.pick))} of {len(every)} keys"

    def _lose(self, server: redis.Redis, strike: Strike) -> str:
        source, found = random.Random(strike.pick), self._found(server)
        if not found:
            return ""
        kind, whole = source.choice(sorted(found)), source.random() < 0.5
        lost = (lose_keys if whole else lose_entries)(server, found[kind], source)
        return f"{lost} {'keys' if whole else 'entries'} of {kind}"

    def _malform(self, server: redis.Redis, strike: Strike) -> str:
        source, found = random.Random(strike.pick), self._found(server)
        said = [self._push(server, source.choice(self._lists), source)]
        keys = sorted(key for kind, of in found.items() if kind != MESSAGES for key in of)
        keys = [key for key in keys if key.startswith(PREFIX)]
        for key in source.sample(keys, min(len(keys), PUSHED - 1)):
            said.append(self._add(server, key, source))
        return ", ".join(said)

    def _push(self, server: redis.Redis, name: str, source: random.Random) -> str:
        """Push a malformed message to the front or the end of a queue."""
        entry = source.choice(MALFORMED)
        (server.rpush if source.random() < 0.5 else server.lpush)(name, entry)
        return f"{entry[:10]!r} into {name!r}"

    def _add(self, server: redis.Redis, key: str, source: random.Random) -> str:
        """Add a malformed entry to a key of the ledger; a plain value is replaced."""
        entry, now = source.choice(MALFORMED), server.time()[0]
        ways: Mapping[str, list[Any]] = {
            "list": [source.choice(("RPUSH", "LPUSH")), key, entry],
            "set": ["SADD", key, entry],
            "zset": ["ZADD", key, now, entry],
            "hash": ["HSET", key, entry, entry],
            "string": ["SET", key, f"{now}|{entry}", "KEEPTTL"],
        }
        kind = str(server.type(key))
        # A changed bitmap or installation id would still be well-formed but false, which no reader
        # could detect.
        if kind not in ways or (kind == "string" and not key.startswith(f"{PREFIX}worker:")):
            return f"nothing into {key}"
        server.eval(ADD, 1, key, *ways[kind])
        return f"{entry[:10]!r} into {key}"

    def _found(self, server: redis.Redis) -> Keys:
        return keys_by_kind(server, self._queues)

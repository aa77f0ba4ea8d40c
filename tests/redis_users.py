"""The users of Redis, as docs/redis.md has them."""

from __future__ import annotations

import re
from pathlib import Path

import redis

PAGE = Path(__file__).parents[1] / "docs" / "redis.md"
BLOCK = re.compile(r"^```acl\n(.*?)^```", re.MULTILINE | re.DOTALL)
PASSWORD = "of-this-user"


def make_users(server: redis.Redis, engine: str) -> None:
    """Make the users of the page, one of which is that of an engine's worker."""
    (block,) = BLOCK.findall(PAGE.read_text())
    text = block.replace("ENGINE", engine).replace("PASSWORD", PASSWORD)
    for command in text.strip().split("\n\n"):
        server.execute_command(*command.split())


def url_of(user: str, port: int) -> str:
    """Return the URL with which a user reaches the Redis on a port."""
    return f"redis://{user}:{PASSWORD}@127.0.0.1:{port}/0"

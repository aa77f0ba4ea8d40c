"""The number of simultaneous requests of all gateways.

Each gateway writes its number to Redis once a second, and reads the sum of the others. So a request
does not wait for Redis, and the number of a dead gateway disappears in seconds. For up to a second,
two gateways may serve more than they should.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress

from redis.exceptions import RedisError

from dubbing.ledger.connect import connect_async

log = logging.getLogger(__name__)

KEY = "dubbing:limits:served"
PAUSE_SECONDS = 1.0
ANSWER_SECONDS = 1.0
"""Timeout of Redis; a silent connection would keep an old sum for ever."""
SCRIPT = """
local now, others = tonumber(redis.call('TIME')[1]), 0
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. now)
local told = redis.call('HGETALL', KEYS[1])
for n = 1, #told, 2 do
  local count, at = string.match(told[n + 1], '(%d+) (%d+)')
  if now - at > 3 then
    redis.call('HDEL', KEYS[1], told[n])
  elseif told[n] ~= ARGV[1] then
    others = others + count
  end
end
return others
"""
"""Takes a gateway's id and number, and returns the sum of the others. A gateway without a report
for more than three seconds is gone."""


class Crowd:
    """The requests in progress, in this gateway and in the others."""

    def __init__(self, redis_url: str) -> None:
        """Take the Redis of the installation."""
        self.here = 0
        """Requests that this gateway serves."""
        self._others = 0
        self._id = secrets.token_hex(4)
        self._redis = connect_async(
            redis_url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        )
        self._tell = self._redis.register_script(SCRIPT)

    @property
    def size(self) -> int:
        """Requests that all gateways serve."""
        return self.here + self._others

    async def end(self) -> None:
        """Leave nothing in Redis."""
        with suppress(RedisError):
            await self._redis.hdel(KEY, self._id)
        await self._redis.aclose()

    async def step(self) -> None:
        """Report and read once. While Redis is away, this gateway counts for itself."""
        try:
            self._others = int(await self._tell(keys=[KEY], args=[self._id, self.here]))
        except RedisError as exc:
            self._others = 0
            log.debug("the requests of other gateways are not known: %s", exc)

"""The limits that gateways share in one Redis."""

from __future__ import annotations

import asyncio
import time

import pytest
import redis

from dubbing.gateway.crowd import ANSWER_SECONDS, KEY, Crowd
from dubbing.gateway.limits import Counter, Limits
from dubbing.gateway.refusals import LimitReached
from dubbing.settings import Settings


def test_gateways_together_serve_no_more_at_once_than_one(redis_url: str) -> None:
    async def go() -> None:
        one, other = Crowd(redis_url), Crowd(redis_url)
        limits = Limits(Settings(requests_at_once=2), Counter(redis_url), other)
        one.here = 2
        await one.step()
        await other.step()
        with pytest.raises(LimitReached, match="2 requests are being served"):
            limits.enter()
        # A gateway that ends serves nothing.
        await one.end()
        await other.step()
        limits.enter()
        limits.enter()
        with pytest.raises(LimitReached):
            limits.enter()
        await other.end()

    asyncio.run(go())
    with redis.from_url(redis_url) as server:
        assert not server.exists(KEY)


def test_a_gateway_that_died_serves_nothing(redis_url: str) -> None:
    with redis.from_url(redis_url) as server:
        server.hset(KEY, mapping={"dead": f"9 {int(time.time()) - 10}", "alive": f"3 {2**40}"})

    async def size() -> int:
        gateway = Crowd(redis_url)
        await gateway.step()
        await gateway.end()
        return gateway.size

    assert asyncio.run(size()) == 3
    with redis.from_url(redis_url) as server:
        assert server.hkeys(KEY) == [b"alive"]


def test_while_redis_is_silent_a_gateway_counts_for_itself(redis_url: str) -> None:
    async def go() -> None:
        one, other = Crowd(redis_url), Crowd(redis_url)
        one.here = 2
        await one.step()
        await other.step()
        assert other.size == 2
        with redis.from_url(redis_url) as server:
            server.client_pause(int(1500 * ANSWER_SECONDS))
            await other.step()
            assert other.size == 0
        await one.end()
        await other.end()

    asyncio.run(go())


def test_without_redis_a_gateway_counts_for_itself() -> None:
    async def size() -> int:
        gateway = Crowd("redis://127.0.0.1:1")
        gateway.here = 1
        await gateway.step()
        await gateway.end()
        return gateway.size

    assert asyncio.run(size()) == 1

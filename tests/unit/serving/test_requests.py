"""How long a server waits for the body of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from dubbing.serving import requests
from dubbing.serving.requests import STRIDE, Requests

WAIT = 1.0
"""In place of a minute."""


def came(chunks: Sequence[bytes], pause: float) -> list[str]:
    """Send a body in chunks, with a pause before each; return the messages that the app gets."""
    waiting, got = list(chunks), []

    async def receive() -> Message:
        await asyncio.sleep(pause)
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            got.append(message["type"])
            more = message.get("more_body", False)

    async def send(message: Message) -> None:
        """Answer nobody."""

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(Requests(app)(scope, receive, send))
    return got


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", WAIT)


def test_a_long_body_may_come_slowly() -> None:
    assert came([bytes(STRIDE)] * 6, WAIT / 5) == ["http.request"] * 6


def test_a_silent_caller_is_gone() -> None:
    assert came([bytes(STRIDE)], WAIT * 2) == ["http.disconnect"]


def test_a_caller_who_trickles_bytes_is_gone() -> None:
    got = came([b"1"] * 40, WAIT / 10)
    assert got[-1] == "http.disconnect"
    assert len(got) <= 11

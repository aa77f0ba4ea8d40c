"""The body of a request, piece by piece: large files are never whole in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from dubbing.gateway.refusals import BrokenOff

LARGEST = 64 << 30
"""Bytes of the largest accepted file."""
PIECE = 1 << 20
"""Bytes of a body that are read at once."""


async def pieces(request: Request, size: int = PIECE) -> AsyncIterator[bytes]:
    """Yield the body of a request in pieces of ``size`` bytes or somewhat more, but for the last.

    If a body ends early, all received bytes are yielded, and then BrokenOff is raised.
    """
    held, broken = bytearray(), False
    try:
        async for chunk in request.stream():
            held += chunk
            if len(held) >= size:
                yield bytes(held)
                held.clear()
    except ClientDisconnect:
        broken = True
    if held:
        yield bytes(held)
    if broken:
        raise BrokenOff("the body of the request ended early, or paused for a minute")


def length_of(request: Request) -> int:
    """Return the announced size of a body; 0 if it is unknown."""
    told = request.headers.get("content-length", "")
    return int(told) if told.isdecimal() else 0


def has_body(request: Request) -> bool:
    """Whether a request comes with a body."""
    return length_of(request) > 0 or "transfer-encoding" in request.headers

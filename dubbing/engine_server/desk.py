"""The common part of the routes: the served engines, and the wait for results."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from fastapi import Request

from dubbing.documents import nearest
from dubbing.engine_server.booth import Booth
from dubbing.engine_server.forms import Forms
from dubbing.errors import BadInput, EngineMissing

Result = TypeVar("Result")


class Gone(Exception):  # noqa: N818 - nothing is wrong
    """The caller closed the connection."""


class Desk:
    """The common part of the routes: the served engines, and the forms that callers sent."""

    def __init__(self, booths: Sequence[Booth], language: str = "") -> None:
        """Serve these engines. language: language of texts that name none."""
        self.booths: Mapping[str, Booth] = {booth.name: booth for booth in booths}
        self.language = language
        self.forms = Forms()

    def booth(self, name: str) -> Booth:
        """Return the booth of an engine, or the only one; raises EngineMissing and BadInput."""
        if not name and len(self.booths) == 1:
            return next(iter(self.booths.values()))
        if not name:
            raise BadInput(f"name one of {', '.join(self.booths)}", where="engine")
        if name not in self.booths:
            hint = nearest(name, [*self.booths])
            raise EngineMissing(f"engine {name!r} is not served here; {hint}")
        return self.booths[name]


async def answered(request: Request, future: Future[Result]) -> Result:
    """Return a result; if the caller leaves earlier, drop the request and raise Gone."""
    done = asyncio.wrap_future(future)
    gone = asyncio.ensure_future(_gone(request))
    both: set[asyncio.Future[Any]] = {done, gone}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if not done.done():
        done.cancel()
        raise Gone
    return done.result()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def desk_of(request: Request) -> Desk:
    """Return the desk of the app that serves a request."""
    desk: Desk = request.app.state.desk
    return desk

"""The pulse: reads the system every two seconds while there are listeners at `/ws`.

So the calls to Redis and storage do not grow with the listeners.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool

from dubbing.errors import DubbingError
from dubbing.gateway.callers import Caller
from dubbing.gateway.overview import Look
from dubbing.serving.faults import fault_of

BEAT_SECONDS = 2.0
BEHIND = 100
"""Most messages that wait for a listener; a slower one is disconnected, and may reconnect."""
GOING_AWAY, UNKNOWN, FAILED, TRY_AGAIN_LATER = 1001, 1008, 1011, 1013
"""Codes with which a WebSocket is closed."""
LEAVE_SECONDS = 2.0
"""Time for listeners to disconnect when the gateway ends."""


def message(type_: str, data: Any = None, **more: Any) -> str:
    """Return a message in JSON: its type, its data, and now."""
    said = {"type": type_, "data": data, "timestamp": datetime.now(UTC).isoformat(), **more}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


class Listener:
    """A listener, whose messages wait here until they are sent. For the gateway's event loop."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Done when the listener has to leave, with the code of the WebSocket's end."""
        self._outbox: asyncio.Queue[str] = asyncio.Queue(BEHIND)

    def tell(self, text: str) -> None:
        """Add a message; a listener that is too slow is disconnected."""
        try:
            self._outbox.put_nowait(text)
        except asyncio.QueueFull:
            self.leave(TRY_AGAIN_LATER)

    async def tell_in_time(self, text: str) -> None:
        """Add a message as soon as there is room, for a task that serves only this listener."""
        await self._outbox.put(text)

    async def next(self) -> str:
        """Return the oldest message, once there is one."""
        return await self._outbox.get()

    def leave(self, code: int) -> None:
        """Make the listener leave."""
        if not self.gone.done():
            self.gone.set_result(code)


class Pulse:
    """Sends the state of the system and its changes to listeners. For the gateway's event loop."""

    def __init__(self, look: Callable[[], Look]) -> None:
        """Look at nothing yet; `step` does."""
        self._look = look
        self._listeners: set[Listener] = set()
        self._wanted = asyncio.Event()
        self._empty = asyncio.Event()
        self._last: Look | None = None
        """The last reading; None without listeners."""
        self._texts: dict[str, str] = {}
        """The last status for each tenant; ``""`` stands for admins."""
        self._over = False

    async def end(self) -> None:
        """Send all listeners away: they come back to another gateway."""
        self._over = True
        for listener in self._listeners:
            listener.leave(GOING_AWAY)
        if self._listeners:
            self._empty.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), LEAVE_SECONDS)

    @contextmanager
    def heard_by(self, listener: Listener) -> Iterator[None]:
        """Send a listener the present status, and the changes during the block."""
        self._listeners.add(listener)
        self._wanted.set()
        if self._over:
            listener.leave(GOING_AWAY)
        self.tell_status(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._empty.set()

    def tell_status(self, listener: Listener) -> None:
        """Send a listener the last status; without one, it comes soon."""
        if self._last:
            listener.tell(self._status(self._last, listener.caller))

    async def step(self) -> None:
        """Send the state of the system to the listeners; wait while there are none."""
        if not self._listeners:
            self._last = None
            self._wanted.clear()
            await self._wanted.wait()
        try:
            await self._beat()
        except DubbingError as exc:
            self._tell_all(message("error", fault_of(exc).model_dump(exclude_none=True)))
            raise

    async def _beat(self) -> None:
        look = await run_in_threadpool(self._look)
        news = list(_news(self._last, look)) if self._last else []
        self._last, self._texts = look, {}
        for listener in self._listeners:
            self.tell_status(listener)
        for text in news:
            self._tell_all(text)

    def _tell_all(self, text: str) -> None:
        for listener in self._listeners:
            listener.tell(text)

    def _status(self, look: Look, caller: Caller) -> str:
        tenant = "" if caller.is_admin else caller.tenant
        if tenant not in self._texts:
            self._texts[tenant] = message(
                "system_status",
                look.as_seen_by(caller).model_dump(mode="json"),
                nodes=[node.model_dump(mode="json") for node in look.nodes],
            )
        return self._texts[tenant]


def _news(before: Look, now: Look) -> Iterator[str]:
    """Yield a message for each change between two readings."""
    then = {node.node_id: node for node in before.nodes}
    for node in now.nodes:
        was = then.pop(node.node_id, None)
        if was is not None and was.status is node.status:
            continue
        data = node.model_dump(mode="json")
        if node.online and not (was and was.online):
            yield message("node_online", data)
        elif was and was.online and not node.online:
            yield message("node_offline", data)
        elif was:
            yield message("node_status_changed", {**data, "previous_status": was.status.value})
    for node in then.values():
        if node.online:
            yield message("node_offline", {**node.model_dump(mode="json"), "status": "offline"})
    known = {one.id for one in before.announcements}
    for one in now.announcements:
        if one.id not in known:
            yield message("announcement", one.model_dump(mode="json"))

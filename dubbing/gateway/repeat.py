"""Steps that a gateway repeats beside its requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from dubbing.telemetry.attempts import Attempts

log = logging.getLogger(__name__)


@asynccontextmanager
async def repeated(
    name: str, step: Callable[[], Awaitable[object]], seconds: float
) -> AsyncIterator[None]:
    """Repeat a step on the event loop during the block, whatever it raises.

    name: of what takes the step, for logs. seconds: pause between two steps.
    """
    task = asyncio.create_task(_repeat(name, step, seconds))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _repeat(name: str, step: Callable[[], Awaitable[object]], seconds: float) -> None:
    attempts = Attempts(log, f"the {name} tries again")
    while True:
        with attempts.one():
            await step()
        await asyncio.sleep(seconds)

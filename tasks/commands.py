"""The task on a worker's own queue: it loads or unloads engines, or ends the worker."""

from __future__ import annotations

import os
import signal
from dataclasses import asdict
from typing import Any

from celery import shared_task

from dubbing.engines.holding import Holding
from dubbing.errors import DubbingError
from dubbing.queue import STEER
from dubbing.queue.fleet import Order, WorkerCommand
from tasks.base import WorkerTask, asked
from tasks.context import Context, current

DRAIN = signal.SIGURG
"""Signal to the parent to drain the worker."""


@shared_task(base=WorkerTask, name=STEER, throws=(DubbingError,))
def steer(**request: Any) -> str:
    """Carry out a command, and answer with the engines in memory."""
    command, context = asked(WorkerCommand, request), current()
    try:
        reply = {"holding": _carry_out(context, command).model_dump(mode="json")}
    except DubbingError as exc:
        reply = {"error": asdict(exc.to_record())}
    context.runner.ledger.requests.set_reply(command.ticket, reply)
    if command.order is Order.DRAIN:
        os.kill(os.getppid(), DRAIN)
    return f"{command.order.value} {' '.join(command.engines)}"


def _carry_out(context: Context, command: WorkerCommand) -> Holding:
    if command.order is Order.DRAIN:
        return Holding()
    for engine in command.engines:
        if command.order is Order.LOAD:
            context.residency.wake(engine)
        else:
            context.residency.rest(engine)
    return context.residency.holding

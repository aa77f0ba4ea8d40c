"""The task of a worker's own queue: orders about what it holds in memory, and its end."""

from __future__ import annotations

import os
import signal
from typing import Any

from celery import shared_task

from dubbing.errors import DubbingError
from dubbing.ledger import Holding
from dubbing.queue import STEER
from dubbing.queue.fleet import Order, WorkerCommand
from tasks.base import WorkerTask
from tasks.context import Context, current

DRAIN = signal.SIGURG
"""Sent to the parent by a process that was told that the worker is to end."""


@shared_task(base=WorkerTask, name=STEER)
def steer(**request: Any) -> str:
    """Carry out an order, and answer what is in memory then."""
    steering, context = WorkerCommand.model_validate(request), current()
    try:
        reply = {"holding": _carry_out(context, steering).model_dump(mode="json")}
    except DubbingError as exc:
        reply = {"error": exc.to_record()}
    context.runner.ledger.set_reply(steering.ticket, reply)
    if steering.order is Order.DRAIN:
        os.kill(os.getppid(), DRAIN)
    return f"{steering.order.value} {' '.join(steering.engines)}"


def _carry_out(context: Context, steering: WorkerCommand) -> Holding:
    if steering.order is Order.DRAIN:
        return Holding()
    for engine in steering.engines:
        if steering.order is Order.LOAD:
            context.residency.wake(engine)
        else:
            context.residency.rest(engine)
    return context.residency.holding

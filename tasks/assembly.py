"""The task of assembly workers: make a dubbed film of clips."""

from __future__ import annotations

import time
from typing import Any

from celery import shared_task

from dubbing.documents import received
from dubbing.errors import DubbingError
from dubbing.job import JobState
from dubbing.jobs.counting import count_assembly
from dubbing.ledger import Address
from dubbing.planning.plan import Kind
from dubbing.queue import TASKS
from tasks.base import BatchTask
from tasks.context import current


@shared_task(base=BatchTask, name=TASKS[Kind.ASSEMBLY], throws=(DubbingError,))
def assemble(**address: Any) -> str:
    """Assemble a job whose last batch is closed, and end its round."""
    # The parent of a worker imports the tasks for their names, and must stay small.
    from dubbing.jobs.finish import finish  # noqa: PLC0415

    context, at = current(), received(Address, address)
    with context.stoppable() as check, context.runner.claimed(at) as lease:
        if lease is None:
            return "nothing to do"
        began = time.monotonic()
        words = finish(context.runner, lease, check, context.separator)
        took = time.monotonic() - began
        failed = words == JobState.FAILED.value
        context.runner.tally.add(int(not failed), int(failed), took)
        count_assembly(took, failed=failed)
        return words if lease.at == at else f"{lease.at.job}: {words}"

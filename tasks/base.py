"""What all tasks do alike: they say in the log what they work for, and once how it ended."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task

from dubbing.ledger import Address
from dubbing.planning.plan import Kind
from dubbing.telemetry.logs import bound

log = logging.getLogger(__name__)


class WorkerTask(Task):  # type: ignore[misc]
    """A task whose lines in the log name the worker, and the last one its outcome and seconds.

    ``run`` returns the outcome in words. What it raises is logged by who handles it.
    """

    abstract = True

    def __call__(self, **message: Any) -> str:
        """Do the task that a message asks for."""
        with bound(**self.subject(message), worker=self.request.hostname or "-"):
            began = time.monotonic()
            outcome: str = self.run(**message)
            log.info("%s: %s, in %.2f s", self.name, outcome, time.monotonic() - began)
        return outcome

    def subject(self, message: dict[str, Any]) -> dict[str, object]:
        """Return what the lines in the log name beside the worker."""
        return {}


class BatchTask(WorkerTask):
    """A task whose message is the address of a batch, which its lines in the log name, too."""

    abstract = True

    def subject(self, message: dict[str, Any]) -> dict[str, object]:
        """Return job, round and batch."""
        at = Address(**message)
        batch = Kind.ASSEMBLY.value if at.number is None else at.number
        return {"job": at.job, "round": at.round, "batch": batch}

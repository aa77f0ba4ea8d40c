"""The base of all tasks: it binds the context of log lines, and logs outcome and seconds."""

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
    """A task whose log lines name the worker; the last line gives its outcome and seconds.

    ``run`` returns the outcome in words. An error is logged where it is handled.
    """

    abstract = True

    def __call__(self, **message: Any) -> str:
        """Run the task for a message."""
        with bound(**self.subject(message), worker=self.request.hostname or "-"):
            began = time.monotonic()
            outcome: str = self.run(**message)
            log.info("%s: %s, in %.2f s", self.name, outcome, time.monotonic() - began)
        return outcome

    def subject(self, message: dict[str, Any]) -> dict[str, object]:
        """Return the names and values for the log lines, beside the worker."""
        return {}


class BatchTask(WorkerTask):
    """A task whose message is the address of a batch; its log lines name job, round and batch."""

    abstract = True

    def subject(self, message: dict[str, Any]) -> dict[str, object]:
        """Return job, round and batch."""
        at = Address(**message)
        batch = Kind.ASSEMBLY.value if at.number is None else at.number
        return {"job": at.job, "round": at.round, "batch": batch}

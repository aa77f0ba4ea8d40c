"""The base of all tasks: it binds the context of log lines, and logs outcome and seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, TypeVar

from celery import Task
from celery.exceptions import Ignore

from dubbing.documents import received
from dubbing.errors import Damaged, ErrorRecord, NewerRelease
from dubbing.ledger import Address
from dubbing.queue import REQUEST_ID
from dubbing.telemetry.context import bound
from dubbing.telemetry.tracing import span
from tasks.context import current

log = logging.getLogger(__name__)

Request = TypeVar("Request")

DROPPED = "%s: dropped a message: %s: %.80a"


class WorkerTask(Task):  # type: ignore[misc]
    """A task whose log lines name the worker; its last line gives the outcome and seconds.

    ``run`` returns the outcome in words. An error is logged where it is handled.
    """

    abstract = True

    def __call__(self, **message: Any) -> str:
        """Run the task for a message; drop a message without a readable subject."""
        try:
            subject = self.subject(message)
        except Damaged as exc:
            log.warning(DROPPED, self.name, exc, message)
            return "nothing to do"
        with bound(**subject, worker=self.request.hostname or "-"), span(self.name):
            began = time.monotonic()
            outcome: str = self.run(**message)
            log.info("%s: %s, in %.2f s", self.name, outcome, time.monotonic() - began)
        return outcome

    def subject(self, message: dict[str, Any]) -> dict[str, object]:
        """Return the names and values for the log lines, beside the worker."""
        return {"request": message.get(REQUEST_ID), "tenant": message.get("tenant")}


class BatchTask(WorkerTask):
    """A task whose message is the address of a batch; its log lines name job, round, batch,
    request and tenant."""

    abstract = True

    def __call__(self, **message: Any) -> str:
        """Run the task; leave work that only a newer release can read to other workers.

        Such a batch was returned, and this worker takes no more work for the same engine.
        """
        try:
            return super().__call__(**message)
        except NewerRelease:
            work = received(Address, message).work
            why = f"work for {work} was written by a newer release of dubbing: upgrade this worker"
            current().leave(work, why)
            raise

    def subject(self, message: dict[str, Any]) -> dict[str, object]:
        """Return job, round, batch, request and tenant."""
        return received(Address, message).context


def asked(kind: type[Request], message: Mapping[str, Any]) -> Request:
    """Return the request of a message.

    A request that only a newer release can read is refused: its caller, who waits for an answer,
    gets an error, and NewerRelease is raised. A damaged request is dropped.
    """
    try:
        return received(kind, message)
    except NewerRelease as exc:
        words = f"the worker runs release {version('dubbing')}, which cannot do this: upgrade it"
        reply = {"error": asdict(ErrorRecord(exc.code, words))}
        current().runner.ledger.requests.set_reply(str(message.get("ticket")), reply)
        raise
    except Damaged as exc:
        log.warning(DROPPED, kind.__name__, exc, message)
        raise Ignore from exc

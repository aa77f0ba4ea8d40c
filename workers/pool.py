"""The pool of a worker's processes: Celery's, in which loading keeps no worker from its end."""

from __future__ import annotations

import os
import signal

from billiard import active_children
from celery.concurrency.prefork import TaskPool

from workers.heartbeat import Heartbeat


def pool_of(heartbeat: Heartbeat) -> type[TaskPool]:
    """Return the class of the pool of a worker."""

    class Pool(TaskPool):  # type: ignore[misc]
        def did_start_ok(self) -> bool:
            """Whether the worker may go on: one that has died already is followed by another."""
            return True

        def on_close(self) -> None:
            """Begin to end; nothing is lost with a process that still loads."""
            super().on_close()
            for process in active_children():
                if not heartbeat.begun(process.index):
                    os.kill(process.pid, signal.SIGKILL)

    return Pool

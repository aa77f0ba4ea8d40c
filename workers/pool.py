"""The pool of a worker's processes: Celery's prefork pool, which also ends while engines load."""

from __future__ import annotations

import os
import signal

from billiard import active_children
from celery.concurrency.prefork import TaskPool

from tasks.context import ENDING
from workers.heartbeat import Heartbeat


def pool_of(heartbeat: Heartbeat) -> type[TaskPool]:
    """Return the class of the pool of a worker."""

    class Pool(TaskPool):  # type: ignore[misc]
        def did_start_ok(self) -> bool:
            """Whether the worker may go on; a process that has died already is replaced."""
            return True

        def on_close(self) -> None:
            """Begin to end: have long work handed back, and kill processes that still load."""
            super().on_close()
            for process in active_children():
                # A process that loads holds no work.
                begun = heartbeat.begun(process.index)
                os.kill(process.pid, ENDING if begun else signal.SIGKILL)

    return Pool

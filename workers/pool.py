"""The pool of a worker's processes: Celery's prefork pool, which also starts and ends while they
load."""

from __future__ import annotations

import os
import signal
from typing import Any

from billiard import active_children
from billiard.process import Process
from celery.concurrency.asynpool import AsynPool
from celery.concurrency.prefork import TaskPool

from tasks.context import ENDING
from workers.heartbeat import Heartbeat


class Processes(AsynPool):  # type: ignore[misc]
    """Celery's processes, which are also replaced before Celery's loop runs for the first time.

    Celery looks for dead processes when its connection to Redis breaks, but frees their pipes only
    if the loop has set ``on_process_down``. A worker whose first connection broke as one of its
    processes died found no pipe for the next one, and ended.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, on_process_up=self._begun, on_process_down=self._ended, **options)

    def _begun(self, process: Process) -> None:
        self._fileno_to_outq[process.outqR_fd] = process

    def _ended(self, process: Process) -> None:
        """Forget what a process told, so that the next one may tell it with the same pipes."""
        self._fileno_to_inq.pop(process.inqW_fd, None)
        self._all_inqueues.discard(process.inqW_fd)


def pool_of(heartbeat: Heartbeat) -> type[TaskPool]:
    """Return the class of the pool of a worker."""

    class Pool(TaskPool):  # type: ignore[misc]
        Pool = Processes

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

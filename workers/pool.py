"""The pool of a worker: Celery's prefork pool, which can also end while processes load."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from billiard import active_children
from billiard.context import ForkProcess
from billiard.process import BaseProcess, Process
from celery.concurrency.asynpool import AsynPool
from celery.concurrency.prefork import TaskPool

from dubbing.errors import DubbingError
from tasks.context import ENDING
from workers import process
from workers.gate import Gate
from workers.heartbeat import Heartbeat


class NotBegun(BaseException):
    """The worker cannot begin; the cause says why."""


class Processes(AsynPool):  # type: ignore[misc]
    """Celery's pool, which also replaces processes before Celery's loop first runs.

    Celery looks for dead processes when its connection to Redis breaks, but frees their pipes only
    if the loop has set ``on_process_down``. Without this class, a worker whose first connection
    broke while one of its processes died would find no pipe for the next process, and end.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        # Otherwise a new process logs in Celery's form until it is set up.
        os.environ.pop("_MP_FORK_LOGLEVEL_", None)
        super().__init__(*args, on_process_up=self._begun, on_process_down=self._ended, **options)

    def _begun(self, process: Process) -> None:
        self._fileno_to_outq[process.outqR_fd] = process

    def _ended(self, process: Process) -> None:
        """Forget the reports of a process, so that the next one may use the same pipes."""
        self._fileno_to_inq.pop(process.inqW_fd, None)
        self._all_inqueues.discard(process.inqW_fd)


class ForkedProcesses(Processes):
    """The same pool, whose first processes are forked and repeat no imports.

    Their replacements are spawned, because the parent then has threads and connections.
    """

    _first = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._first = False

    def Process(self, *args: Any, **options: Any) -> BaseProcess:  # noqa: N802 - billiard's name
        """Return a process that is not started yet."""
        return (ForkProcess if self._first else self._Process)(*args, **options)


def pool_of(heartbeat: Heartbeat, begin: Callable[[], str], *, fork: bool) -> type[TaskPool]:
    """Return the class of the pool of a worker.

    begin: connects to Redis and storage, records the initial state of each process, and returns the
    id of the installation. fork: whether the first processes are forked, before that; NotBegun is
    raised when it fails.
    """

    class Pool(TaskPool):  # type: ignore[misc]
        Pool = ForkedProcesses if fork else Processes

        def on_start(self) -> None:
            """Start the processes; they begin once the worker has begun."""
            if not fork:
                _begun(begin)
                super().on_start()
                return
            process.gate = Gate()
            super().on_start()
            process.gate.open(_begun(begin), self.limit)

        def did_start_ok(self) -> bool:
            """Whether the worker may continue; a process that has already died is replaced."""
            return True

        def on_close(self) -> None:
            """Start the shutdown: interrupt long work, and kill processes that still load."""
            super().on_close()
            # Only one call: while Redis is away, each takes seconds.
            begun = heartbeat.begun()
            for child in active_children():
                # A loading process holds no work.
                os.kill(child.pid, ENDING if child.index in begun else signal.SIGKILL)

    return Pool


def _begun(begin: Callable[[], str]) -> str:
    try:
        return begin()
    except DubbingError as exc:
        for child in active_children():
            os.kill(child.pid, signal.SIGKILL)
        raise NotBegun from exc

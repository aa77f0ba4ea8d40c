"""The log lines of Celery and its pool, in the form and the place of all other log lines."""

from __future__ import annotations

import logging
from threading import Thread
from typing import Any

import celery.apps.worker
from billiard.exceptions import WorkerLostError
from celery.utils.log import get_multiprocessing_logger

log = logging.getLogger(__name__)

STOPS = {
    "worker: Warm shutdown (MainProcess)": "the worker is told to stop",
    "worker: Cold shutdown (MainProcess)": "the worker is told to stop at once",
}
"""Our messages for Celery's messages about signals."""


def adopt(**_: Any) -> None:
    """Give the messages of the pool to our handlers, instead of Celery's own handler.

    Messages of Celery's signal handlers become log lines, too; Celery writes them to the terminal.
    Connect this to the signal that Celery sends after it has set up its loggers.
    """
    pool = get_multiprocessing_logger()
    pool.handlers.clear()
    pool.propagate = True
    celery.apps.worker.safe_say = say
    logging.getLogger("celery.worker.request").addFilter(in_words)
    logging.getLogger("py.warnings").addFilter(is_of_use)


def say(message: str, _: Any = None) -> None:
    """Log a message of a signal handler, in a thread: it may have interrupted another log call."""
    Thread(target=log.info, args=(STOPS.get(message, message),), name="say").start()


def is_of_use(record: logging.LogRecord) -> bool:
    """Drop Celery's advice to cancel all work when Redis breaks a connection.

    Leases survive such a break, and a cancelled process would have to load its engines again.
    """
    return "worker_cancel_long_running_tasks_on_connection_loss" not in record.getMessage()


def in_words(record: logging.LogRecord) -> bool:
    """Report the death of a process in words: the traceback is only that of the pool."""
    for error in record.args or ():
        if isinstance(error, WorkerLostError):
            record.msg, record.args = "%s: another process does its batch again", (error,)
            record.exc_info = None
    return True

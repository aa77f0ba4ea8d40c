"""The log lines of Celery and of its pool: in the form and the place of all others, as events."""

from __future__ import annotations

import logging
from typing import Any

from billiard.exceptions import WorkerLostError
from celery.utils.log import get_multiprocessing_logger


def adopt(**_: Any) -> None:
    """Hand on the messages of the pool, which has a handler and a form of its own from Celery.

    Connect it to the signal that Celery sends once it has set its loggers up.
    """
    pool = get_multiprocessing_logger()
    pool.handlers.clear()
    pool.propagate = True
    logging.getLogger("celery.worker.request").addFilter(in_words)


def in_words(record: logging.LogRecord) -> bool:
    """Tell in words that a process died, where the traceback is of the pool that noticed it."""
    for error in record.args or ():
        if isinstance(error, WorkerLostError):
            record.msg, record.args = "%s: another process does its batch again", (error,)
            record.exc_info = None
    return True

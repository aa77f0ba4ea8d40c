"""What Celery and its pool log: in the form of all other lines."""

from __future__ import annotations

import logging
import os
import signal
import threading
from types import SimpleNamespace

import celery.apps.worker
import celery.worker.state
import pytest
from billiard.einfo import ExceptionInfo
from billiard.exceptions import WorkerLostError
from celery.utils.log import get_multiprocessing_logger

from workers.library_logs import adopt


def test_a_process_that_died_is_told_in_words_through_the_handlers_of_all_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pool = get_multiprocessing_logger()
    pool.addHandler(logging.StreamHandler())
    adopt()
    pool.error("Process %r exited", "ForkPoolWorker-1")
    try:
        raise WorkerLostError("it was killed")
    except WorkerLostError as exc:
        logging.getLogger("celery.worker.request").error(
            "Task handler raised error: %r", exc, exc_info=ExceptionInfo().exc_info
        )
    assert pool.handlers == []
    assert caplog.messages == [
        "Process 'ForkPoolWorker-1' exited",
        "it was killed: another process does its batch again",
    ]
    assert not any(record.exc_info for record in caplog.records)


def test_a_signal_to_stop_is_a_log_line_and_no_print(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    adopt()
    caplog.set_level("INFO")
    before = signal.getsignal(signal.SIGTERM)
    celery.apps.worker.install_worker_term_handler(SimpleNamespace(hostname="w"))
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
        celery.worker.state.should_stop = None
    for thread in threading.enumerate():
        if thread.name == "say":
            thread.join()
    assert caplog.messages == ["the worker is told to stop"]
    # Other tests may have left handlers of closed files, which complain.
    assert "Warm shutdown" not in "".join(capfd.readouterr())

"""Requests that are spoken at once: what an interrupt does to one that is being sent."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from dubbing.queue.say import uninterrupted


def test_an_interrupt_that_an_import_would_drop_comes_after_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted(), suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        done.append("the rest of the import")
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_thread_to_which_no_interrupt_comes_sends_as_it_is() -> None:
    def send() -> str:
        with uninterrupted():
            return "sent"

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(send).result() == "sent"

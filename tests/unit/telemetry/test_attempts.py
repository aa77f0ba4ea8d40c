"""Steps that are repeated, whatever they raise."""

from __future__ import annotations

import logging

import pytest

from dubbing.errors import QueueUnavailable
from dubbing.telemetry.attempts import Attempts

log = logging.getLogger(__name__)


def test_of_errors_in_a_row_the_first_one_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    attempts = Attempts(log, "the step is tried again")
    for fails in (True, True, False, True):
        with attempts.one():
            if fails:
                raise QueueUnavailable("no answer")
        assert attempts.failing is fails
    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG", "WARNING"]
    assert caplog.messages[0].startswith("the step is tried again: ")


def test_an_error_that_nobody_foresaw_ends_no_repetition(caplog: pytest.LogCaptureFixture) -> None:
    attempts = Attempts(log, "the step is tried again")
    with attempts.one():
        raise ZeroDivisionError
    (record,) = caplog.records
    assert record.exc_info
    assert attempts.failing

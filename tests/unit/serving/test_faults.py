"""The status of an error in an answer."""

from __future__ import annotations

import pytest

from dubbing.errors import (
    Damaged,
    DubbingError,
    EngineAway,
    EngineFailed,
    ErrorRecord,
    NotFound,
    QueueRefused,
    ReportedError,
    SpeechRejected,
)
from dubbing.serving.faults import Faults, own_form

FAULTS = Faults(own_form, {QueueRefused: 500}, {})
EXPECTED = [
    (SpeechRejected("silence"), 422),
    (NotFound("nothing"), 404),
    (EngineAway("not now"), 503),
    (EngineFailed("it broke"), 500),
    (QueueRefused("a password"), 500),
    (Damaged("a document"), 500),
]


@pytest.mark.parametrize(("exc", "status"), EXPECTED)
def test_an_error_has_the_status_of_its_kind_also_when_a_worker_reported_it(
    exc: DubbingError, status: int
) -> None:
    assert FAULTS.status(exc) == FAULTS.status(ReportedError(exc.to_record())) == status


def test_an_error_of_another_release_is_one_of_the_server() -> None:
    assert FAULTS.status(ReportedError(ErrorRecord("from_tomorrow", "it is new"))) == 500

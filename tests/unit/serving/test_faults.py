"""The status of an error in an answer."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import field_validator

from dubbing.documents import Model
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


class Asked(Model):
    """The body of a request."""

    lines: int

    @field_validator("lines")
    @classmethod
    def _begins(cls, lines: int) -> int:
        if lines < 0:
            raise ValueError("begin with 0")
        return lines


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


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/", b"{x", "body.1: this is not JSON: "),
        ("POST", "/", b"[]", "body: it should be an object"),
        ("POST", "/", b"{}", "body.lines: it is missing: add it"),
        ("POST", "/", b'{"lines": 1, "line": 2}', "body.line: it is not known: leave it out"),
        ("POST", "/", b'{"lines": "two"}', "body.lines: it should be a whole number"),
        ("POST", "/", b'{"lines": -1}', "body.lines: begin with 0"),
        ("GET", "/nowhere", b"", "GET /nowhere: not found"),
        ("GET", "/", b"", "GET /: method not allowed"),
    ],
)
def test_a_request_that_no_route_takes_is_told_why_in_plain_words(
    method: str, path: str, body: bytes, message: str
) -> None:
    app = FastAPI()
    FAULTS.install(app)
    app.post("/")(_take)
    headers = {"Content-Type": "application/json"}
    answer = TestClient(app).request(method, path, content=body, headers=headers)
    assert answer.json()["message"].startswith(message)
    form = TestClient(app).post("/", data={"lines": "1"})
    assert (
        form.json()["message"] == "body: send JSON, with the header Content-Type: application/json"
    )


def _take(body: Asked) -> None:
    """Take what is asked."""

"""Error responses: the only table of HTTP statuses, and the form of the bodies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from dubbing.documents import Model, in_plain_words
from dubbing.errors import (
    BadInput,
    Conflict,
    DubbingError,
    EngineFailed,
    EngineMissing,
    NotFound,
    ReportedError,
    SpeechRejected,
    Transient,
    kind_of,
)
from dubbing.visible import readable_line


class DetailBody(Model):
    """One fault of a request."""

    where: str
    """The place in the request."""
    message: str


class FaultBody(Model):
    """The body of every error."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "bad_input",
                    "message": "lines.0.voice: there is no voice 'enn'; did you mean 'en'?",
                    "details": [],
                    "request_id": "5f1c9a",
                }
            ]
        }
    )

    code: str
    """For machines, stable."""
    message: str
    """For people: the fault and the remedy."""
    details: list[DetailBody] = Field(default=[])
    """Each fault of the request, if there are several."""
    request_id: str = ""
    """As in the header ``X-Request-Id``, and in the server's log."""
    retry_after: int | None = None
    """Seconds until a retry, as in the header ``Retry-After``."""


STATUSES: Mapping[type[DubbingError], int] = {
    BadInput: 422,
    SpeechRejected: 422,
    NotFound: 404,
    EngineMissing: 404,
    Conflict: 409,
    EngineFailed: 500,
    Transient: 503,
    DubbingError: 500,
}
"""An error has the status of its nearest base class in this table, or in the server's own table."""
RETRY_SECONDS = 5
"""Default seconds until a retry after a 503."""
NO_JSON = "send JSON, with the header Content-Type: application/json"
CODES = {400: "bad_input", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
"""Codes of faults without an error class, by status."""

Form: TypeAlias = Callable[[int, FaultBody], tuple[int, Mapping[str, Any]]]
"""Converts a status and a fault to the status and JSON body of an API contract."""


def own_form(status: int, fault: FaultBody) -> tuple[int, Mapping[str, Any]]:
    """Return a fault in the form of our own routes."""
    return status, fault.model_dump(exclude_none=True)


def fault_of(exc: DubbingError, request_id: str = "") -> FaultBody:
    """Return an error as callers see it."""
    return FaultBody(code=exc.code, message=str(exc), request_id=request_id)


def _words(fault: Mapping[str, Any], sent: str) -> str:
    """Return the message for one of pydantic's errors about a request.

    sent: the content type of the request.
    """
    if fault["loc"] == ("body",) and "json" not in sent:
        return NO_JSON
    match fault["type"]:
        case "missing":
            return "it is missing: add it"
        case "extra_forbidden":
            return "it is not known: leave it out"
        case "json_invalid":
            return f"this is not JSON: {fault['ctx']['error']}"
        case "value_error":
            return str(fault["ctx"]["error"])
    return f"it {in_plain_words(fault)}"


class Faults:
    """Answers all errors of an app in one form."""

    def __init__(
        self,
        form: Form,
        statuses: Mapping[type[DubbingError], int],
        retry_after: Mapping[int, int],
    ) -> None:
        """Take the form of bodies, and additions to the tables.

        statuses: statuses by error class, which override the table.
        retry_after: value of the header ``Retry-After`` in seconds, by status.
        """
        self._form = form
        self._statuses = {**STATUSES, **statuses}
        self._retry_after = {503: RETRY_SECONDS, **retry_after}

    def install(self, app: FastAPI) -> None:
        """Install the handlers of errors in an app."""
        app.add_exception_handler(DubbingError, self._ours)
        app.add_exception_handler(RequestValidationError, self._invalid)
        app.add_exception_handler(HTTPException, self._http)
        app.add_exception_handler(Exception, self._unforeseen)

    def status(self, exc: DubbingError) -> int:
        """Return the status of an error; for a reported error, that of the worker's error."""
        known = kind_of(exc.record.code) if isinstance(exc, ReportedError) else type(exc)
        return next(self._statuses[kind] for kind in known.__mro__ if kind in self._statuses)

    def answer(self, request: HTTPConnection, exc: DubbingError) -> JSONResponse:
        """Return the answer to a failed request, or to a WebSocket's."""
        record, wait = exc.to_record(), getattr(exc, "retry_after", None)
        return self._answer(request, self.status(exc), record.code, record.message, wait=wait)

    async def _ours(self, request: Request, exc: Exception) -> JSONResponse:
        return self.answer(request, cast(DubbingError, exc))

    async def _invalid(self, request: Request, exc: Exception) -> JSONResponse:
        exc = cast(RequestValidationError, exc)
        sent = request.headers.get("Content-Type", "")
        details = [
            DetailBody(
                where=".".join(map(str, fault["loc"])), message=readable_line(_words(fault, sent))
            )
            for fault in exc.errors()[:10]
        ]
        words = "; ".join(f"{one.where}: {one.message}" for one in details)
        return self._answer(request, 422, BadInput.code, words, details)

    async def _http(self, request: Request, exc: Exception) -> JSONResponse:
        exc = cast(HTTPException, exc)
        code = CODES.get(exc.status_code, "error")
        words = str(exc.detail)
        if words == HTTPStatus(exc.status_code).phrase:
            # Raised by Starlette itself: no such route, or no such method of a route.
            words = f"{request.method} {readable_line(request.url.path)}: {words.lower()}"
        return self._answer(request, exc.status_code, code, words, headers=exc.headers)

    async def _unforeseen(self, request: Request, exc: Exception) -> JSONResponse:
        # The error's text and traceback are only for the log.
        words = "unexpected error: see the server's log"
        return self._answer(request, 500, "unforeseen", words)

    def _answer(
        self,
        request: HTTPConnection,
        status: int,
        code: str,
        message: str,
        details: Sequence[DetailBody] = (),
        headers: Mapping[str, str] | None = None,
        wait: float | None = None,
    ) -> JSONResponse:
        told = dict(headers or {})
        wait = self._retry_after.get(status) if wait is None else max(1, math.ceil(wait))
        if wait is not None:
            told["Retry-After"] = str(wait)
        fault = FaultBody(
            code=code,
            message=message,
            details=list(details),
            request_id=getattr(request.state, "request_id", ""),
            retry_after=wait,
        )
        status, body = self._form(status, fault)
        return JSONResponse(body, status, told)

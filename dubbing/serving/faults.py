"""How a request fails: the one table of statuses, and the form of errors."""

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
    """An error, in every answer that is one."""

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
    """For people: what is wrong, and what to do."""
    details: list[DetailBody] = Field(default=[])
    """Each fault of the request, where there are several."""
    request_id: str = ""
    """As in the header ``X-Request-Id``, and in the server's log."""
    retry_after: int | None = None
    """Seconds after which the request may be sent again, as in the header ``Retry-After``."""


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
"""An error has the status of its nearest base class in this table, or in that of its server."""
RETRY_SECONDS = 5
"""After which a server that says 503 may be asked again, unless it says otherwise."""
NO_JSON = "send JSON, with the header Content-Type: application/json"
CODES = {400: "bad_input", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
"""Codes of faults that no error of ours stands for, by status."""

Form: TypeAlias = Callable[[int, FaultBody], tuple[int, Mapping[str, Any]]]
"""Gives a status and a fault the status and the body that callers of a contract know."""


def own_form(status: int, fault: FaultBody) -> tuple[int, Mapping[str, Any]]:
    """Return a fault as our own routes answer it."""
    return status, fault.model_dump(exclude_none=True)


def fault_of(exc: DubbingError, request_id: str = "") -> FaultBody:
    """Return an error as callers see it."""
    return FaultBody(code=exc.code, message=str(exc), request_id=request_id)


def _words(fault: Mapping[str, Any], sent: str) -> str:
    """Return what is wrong with a part of a request, by one of pydantic's faults.

    sent: the type of its body.
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
    """Answers every error of an app in one form."""

    def __init__(
        self,
        form: Form,
        statuses: Mapping[type[DubbingError], int],
        retry_after: Mapping[int, int],
    ) -> None:
        """Take the form, and what differs in the tables.

        statuses: of errors that only this server knows, or answers otherwise. retry_after: seconds,
        by status.
        """
        self._form = form
        self._statuses = {**STATUSES, **statuses}
        self._retry_after = {503: RETRY_SECONDS, **retry_after}

    def install(self, app: FastAPI) -> None:
        """Have the errors of an app answered."""
        app.add_exception_handler(DubbingError, self._ours)
        app.add_exception_handler(RequestValidationError, self._invalid)
        app.add_exception_handler(HTTPException, self._http)
        app.add_exception_handler(Exception, self._unforeseen)

    def status(self, exc: DubbingError) -> int:
        """Return the status of an error; of one that a worker reported, that of the worker's."""
        known = kind_of(exc.record.code) if isinstance(exc, ReportedError) else type(exc)
        return next(self._statuses[kind] for kind in known.__mro__ if kind in self._statuses)

    def answer(self, request: HTTPConnection, exc: DubbingError) -> JSONResponse:
        """Return the answer to a request, or to a WebSocket's, that fails with an error."""
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
            # Starlette's own: it knows no such route, or no such method of it.
            words = f"{request.method} {readable_line(request.url.path)}: {words.lower()}"
        return self._answer(request, exc.status_code, code, words, headers=exc.headers)

    async def _unforeseen(self, request: Request, exc: Exception) -> JSONResponse:
        # Its words and its traceback are for the log alone.
        words = "nobody foresaw this; the server's log tells more"
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

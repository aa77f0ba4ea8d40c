"""How a request fails: the one table of statuses, and the form that a contract gives to errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from dubbing.engine_server.booth import BUSY_SECONDS, LOADING_SECONDS, Busy
from dubbing.engine_server.forms import UnknownForm
from dubbing.engine_server.schema import DetailBody, FaultBody
from dubbing.errors import (
    BadInput,
    DubbingError,
    EngineAway,
    EngineMissing,
    NotFound,
    SpeechRejected,
)
from dubbing.visible import readable_line

STATUSES: Mapping[type[DubbingError], int] = {
    UnknownForm: 409,
    Busy: 429,
    EngineAway: 503,
    EngineMissing: 404,
    NotFound: 404,
    BadInput: 422,
    SpeechRejected: 422,
    DubbingError: 500,
}
"""An error has the status of its nearest base class in this table."""
RETRY_AFTER = {429: BUSY_SECONDS, 503: LOADING_SECONDS}
"""Seconds, by status."""
CODES = {400: "bad_input", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    400: {"model": FaultBody, "description": "The body is not JSON, or no form."},
    401: {"model": FaultBody, "description": "The API key is missing or wrong."},
    403: {"model": FaultBody, "description": "The caller's network is not served."},
    404: {"model": FaultBody, "description": "There is no such engine."},
    409: {"model": FaultBody, "description": "A form is not known here: send it again."},
    413: {"model": FaultBody, "description": "The body is too large."},
    422: {"model": FaultBody, "description": "The request, or the line, is refused."},
    429: {"model": FaultBody, "description": "Too many lines wait: come again."},
    500: {"model": FaultBody, "description": "The engine failed."},
    503: {"model": FaultBody, "description": "The engine loads, or the server ends."},
}
"""What any route may answer instead of its result."""

Form: TypeAlias = Callable[[int, FaultBody], tuple[int, Mapping[str, Any]]]
"""Gives a status and a fault the status and the body that callers of a contract know."""


def own_form(status: int, fault: FaultBody) -> tuple[int, Mapping[str, Any]]:
    """Return a fault as the server's own routes answer it."""
    return status, fault.model_dump()


def fault_of(exc: DubbingError, request_id: str = "") -> FaultBody:
    """Return an error as callers see it."""
    return FaultBody(code=exc.code, message=str(exc), request_id=request_id)


def install(app: FastAPI, form: Form) -> None:
    """Have every error of an app answered in one form."""
    app.state.form = form
    app.add_exception_handler(DubbingError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(request: Request, exc: Exception) -> JSONResponse:
    exc = cast(DubbingError, exc)
    status = next(STATUSES[kind] for kind in type(exc).__mro__ if kind in STATUSES)
    return _answer(request, status, exc.code, str(exc))


async def _invalid(request: Request, exc: Exception) -> JSONResponse:
    exc = cast(RequestValidationError, exc)
    details = [
        DetailBody(where=".".join(map(str, fault["loc"])), message=readable_line(fault["msg"]))
        for fault in exc.errors()[:10]
    ]
    words = "; ".join(f"{one.where}: {one.message}" for one in details)
    return _answer(request, 422, BadInput.code, words, details)


async def _http(request: Request, exc: Exception) -> JSONResponse:
    exc = cast(HTTPException, exc)
    code = CODES.get(exc.status_code, "error")
    return _answer(request, exc.status_code, code, str(exc.detail), headers=exc.headers)


async def _unforeseen(request: Request, exc: Exception) -> JSONResponse:
    # Its words and its traceback are for the log alone.
    return _answer(request, 500, "unforeseen", "nobody foresaw this; the server's log tells more")


def _answer(
    request: Request,
    status: int,
    code: str,
    message: str,
    details: Sequence[DetailBody] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    request_id = getattr(request.state, "request_id", "")
    fault = FaultBody(code=code, message=message, details=list(details), request_id=request_id)
    told = dict(headers or {})
    if status in RETRY_AFTER:
        told["Retry-After"] = str(RETRY_AFTER[status])
    form: Form = request.app.state.form
    status, body = form(status, fault)
    return JSONResponse(body, status, told)

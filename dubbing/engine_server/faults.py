"""The errors of the engine server that differ from other servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dubbing.engine_server.booth import BUSY_SECONDS, LOADING_SECONDS, Busy
from dubbing.engine_server.forms import UnknownForm
from dubbing.errors import DubbingError
from dubbing.serving.faults import FaultBody, Faults, Form

STATUSES: Mapping[type[DubbingError], int] = {UnknownForm: 409, Busy: 429}
RETRY_AFTER = {429: BUSY_SECONDS, 503: LOADING_SECONDS}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    400: {"model": FaultBody, "description": "The body is not JSON, or no form."},
    401: {"model": FaultBody, "description": "The API key is missing or wrong."},
    403: {"model": FaultBody, "description": "The caller's network is not served."},
    404: {"model": FaultBody, "description": "There is no such engine."},
    409: {"model": FaultBody, "description": "A form is not known here: send it again."},
    413: {"model": FaultBody, "description": "The body is too large."},
    422: {"model": FaultBody, "description": "The request, or the line, is refused."},
    429: {"model": FaultBody, "description": "Too many lines wait: try again later."},
    500: {"model": FaultBody, "description": "The engine failed."},
    503: {"model": FaultBody, "description": "The engine loads, or the server ends."},
}
"""The possible errors of every route."""


def faults_in(form: Form) -> Faults:
    """Return the handler of errors in the form of a contract."""
    return Faults(form, STATUSES, RETRY_AFTER)

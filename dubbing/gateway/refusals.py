"""The errors of requests to the gateway: its own ones, and the OpenAPI description of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dubbing.errors import DubbingError, Permanent, Transient
from dubbing.serving.faults import FaultBody, Faults, own_form


class Unauthorized(Permanent):
    """The API key is missing, unknown or revoked."""

    code = "unauthorized"


class Forbidden(Permanent):
    """The caller's key does not allow it."""

    code = "forbidden"


class BrokenOff(Transient):
    """The body of the request ended early: the connection broke, or was silent."""

    code = "broken_off"


class LimitReached(Transient):
    """Too many requests, or a quota of the tenant is used up."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: float) -> None:
        """Take the seconds after which to try again."""
        self.retry_after = retry_after
        super().__init__(message)


STATUSES: Mapping[type[DubbingError], int] = {
    Unauthorized: 401,
    Forbidden: 403,
    BrokenOff: 408,
    LimitReached: 429,
}
FAULTS = Faults(own_form, STATUSES, {})
"""Answers every error of the gateway."""


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the possible errors of a route, beyond those of every route."""
    return {
        status: {"model": FaultBody, "description": WORDS[status]}
        for status in (400, 401, 403, 422, 429, 500, 503, *statuses)
    }


def in_json(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Return documented faults for a route whose result is not in JSON."""
    schema = {"$ref": f"#/components/schemas/{FaultBody.__name__}"}
    content = {"application/json": {"schema": schema}}
    return {
        status: {"description": told["description"], "content": content}
        for status, told in responses.items()
    }


WORDS = {
    400: "The body is not JSON, or no form.",
    401: "The API key is missing or wrong.",
    403: "The key does not allow it.",
    404: "It does not exist, or belongs to another tenant.",
    408: "The body ended early, or paused for a minute.",
    409: "It conflicts with the present state.",
    413: "The body is too large.",
    422: "The request is refused; the message says what to change.",
    429: "Too many requests: try again later.",
    500: "An unexpected error, or an engine failed.",
    503: "Redis, storage or workers are away: try again later.",
}

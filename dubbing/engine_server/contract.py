"""The contract of a server: its own routes, or those of another service in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from fastapi import APIRouter

from dubbing.errors import BadInput
from dubbing.serving.faults import FaultBody, Form

Engines: TypeAlias = Literal["none", "one", "some"]

ADVICE: Mapping[Engines, str] = {
    "none": "this contract serves no engine: leave ENGINES out",
    "one": "this contract serves one engine: name one",
    "some": "name the engines to serve",
}


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Routes and the form of errors that callers expect."""

    routers: Sequence[APIRouter]
    form: Form
    engines: Engines = "one"
    """The number of engines of a server of the contract."""

    def check(self, engines: Sequence[str]) -> None:
        """Raise BadInput unless a server of the contract can have these engines."""
        fits = {"none": not engines, "one": len(engines) == 1, "some": bool(engines)}
        if not fits[self.engines]:
            raise BadInput(ADVICE[self.engines])


def plain_form(status: int, fault: FaultBody) -> tuple[int, Mapping[str, Any]]:
    """Return an error in the form of small services: bad requests are 400, and failures 500."""
    if status >= 500:
        return 500, {"error": fault.message, "type": fault.code}
    return 400 if status in {409, 422} else status, {"error": fault.message}

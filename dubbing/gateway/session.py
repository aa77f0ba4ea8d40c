"""`/session`: a person signs in on a page with an API key, which the browser does not keep.

It keeps a cookie with the id of a session, which no script can read.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from dubbing.documents import Model
from dubbing.gateway.callers import COOKIE, caller_of, from_own_page
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import Forbidden
from dubbing.keyring import Scope
from dubbing.ledger.sessions import LASTS_SECONDS

router = APIRouter(prefix="/session", include_in_schema=False)


class KeyBody(Model):
    """The key of a person."""

    key: str = Field(min_length=1, max_length=200)


class SessionBody(Model):
    """The person at a page."""

    key: str
    """Id of the key; empty for a person on this machine without one."""
    tenant: str
    scopes: list[Scope]
    flower_url: str
    """The address of Flower, for admins; empty if the settings have none."""


@router.get("")
def session(request: Request) -> SessionBody:
    """Return the person who has signed in."""
    caller, settings = caller_of(request), office_of(request).settings
    return SessionBody(
        key=caller.key,
        tenant=caller.tenant,
        scopes=sorted(caller.rights),
        flower_url=settings.flower_url if caller.is_admin else "",
    )


@router.post("", status_code=204)
def sign_in(request: Request, response: Response, body: KeyBody) -> None:
    """Begin a session, and set its cookie."""
    _check(request)
    response.set_cookie(
        COOKIE,
        office_of(request).people.sign_in(body.key.strip()),
        max_age=LASTS_SECONDS,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


@router.delete("", status_code=204)
def sign_out(request: Request, response: Response) -> None:
    """End the session, and remove its cookie."""
    _check(request)
    if session := request.cookies.get(COOKIE):
        office_of(request).people.sign_out(session)
    response.delete_cookie(COOKIE)


def _check(request: Request) -> None:
    """Raise Forbidden for a request that a page of another site may have made a browser send."""
    if not from_own_page(request.headers):
        raise Forbidden("only pages of the gateway sign in and out: send X-Requested-With")

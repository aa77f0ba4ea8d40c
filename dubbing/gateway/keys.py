"""`/v1/keys`: the API keys of the gateway, for admins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field, StringConstraints

from dubbing.documents import Identifier, Model
from dubbing.errors import Conflict
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Admin
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import documented
from dubbing.job import DEFAULT_TENANT
from dubbing.keyring import USUAL, ApiKey, Keyring, Scope

Grant = Annotated[str, StringConstraints(max_length=1000)]

router = APIRouter(prefix="/v1/keys", tags=["keys"])


class KeyAsked(Model):
    """A key to make."""

    model_config = example(tenant="acme", scopes=["read", "submit"], name="acme's pipeline")

    tenant: Identifier = DEFAULT_TENANT
    """The tenant whose jobs, uploads, voices and webhooks its holder sees."""
    scopes: list[Scope] = Field(default=list(USUAL), min_length=1, max_length=len(Scope))
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    """Holder or purpose."""
    granted: list[Grant] = Field(default=[], max_length=100)
    """Where jobs may read media and write results beside uploads: `s3://bucket/prefix`."""
    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    """Most requests a minute; null: the general limit."""


class ApiKeyBody(Model):
    """A key, without its secret."""

    id: str
    name: str
    tenant: str
    scopes: list[Scope]
    granted: list[str]
    requests_per_minute: int | None
    created: datetime
    used: datetime | None
    """Its last use, to some minutes; null if it was never used."""


class NewKeyBody(ApiKeyBody):
    """A key with the text that its holder sends; it is not shown again."""

    key: str


class KeysBody(Model):
    """The keys of all tenants, the oldest first."""

    keys: list[ApiKeyBody]


@router.post("", status_code=201, responses=documented())
def make(request: Request, caller: Admin, body: KeyAsked) -> NewKeyBody:
    """Make a key. Once a key exists, every caller needs one."""
    made, text = _keyring(request).make(**body.model_dump())
    return NewKeyBody(**_body(made, None).model_dump(), key=text)


@router.get("", responses=documented())
def keys(request: Request, caller: Admin) -> KeysBody:
    """List the keys of all tenants, the oldest first."""
    return KeysBody(keys=[_body(use.key, use.used) for use in _keyring(request).all()])


@router.delete("/{key_id}", status_code=204, responses=documented(404, 409))
def revoke(
    request: Request, caller: Admin, key_id: Annotated[str, Path(max_length=100)], own: bool = False
) -> None:
    """Revoke a key; gateways refuse it within seconds. The caller's own key needs `own`."""
    if key_id == caller.key and not own:
        raise Conflict("it is the key of this request: send own=true to revoke it nonetheless")
    _keyring(request).revoke(key_id)


def _keyring(request: Request) -> Keyring:
    return Keyring(office_of(request).client.storage)


def _body(key: ApiKey, used: float | None) -> ApiKeyBody:
    return ApiKeyBody(
        id=key.id,
        name=key.name,
        tenant=key.tenant,
        scopes=list(key.scopes),
        granted=list(key.granted),
        requests_per_minute=key.requests_per_minute,
        created=datetime.fromtimestamp(key.created, UTC),
        used=None if used is None else datetime.fromtimestamp(used, UTC),
    )

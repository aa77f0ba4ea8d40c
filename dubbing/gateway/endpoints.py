"""`/v1/endpoints`: the servers of remote engines, for operators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, JsonValue, StringConstraints

from dubbing.documents import Identifier, Model
from dubbing.engines.remote.pool import Endpoint, Pool
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Admin
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import documented

LONGEST_URL = 1000
EngineName = Annotated[Identifier, Path()]
Text = Annotated[str, StringConstraints(max_length=200)]

router = APIRouter(prefix="/v1/endpoints", tags=["endpoints"])


class UrlBody(Model):
    """The address of a server."""

    url: Annotated[str, StringConstraints(max_length=LONGEST_URL)]
    """The root of its routes; for openai, the address before `/audio/speech`."""


class DrainBody(UrlBody):
    """Whether a server is sent lines."""

    model_config = example(url="https://card-1.example:8443", draining=True)

    draining: bool = True


class ServerAsked(UrlBody):
    """The options of a server."""

    slots: int = Field(default=1, ge=1, le=1000)
    """Most simultaneous lines, over all workers."""
    key_from: Text = ""
    """The variable of workers and gateways that holds its API key: `DUBBING_KEY_…`."""
    price: Text | None = None
    """Such as `1.98 CNY/h` or `90 USD/month`."""


class EndpointAsked(ServerAsked):
    """A server to add, or its new options. The gateway asks the server for missing fields."""

    model_config = example(url="https://card-1.example:8443", slots=2, price="1.98 CNY/h")

    model: Text = ""
    """Name of the model, if the server has several."""
    revision: Text = ""
    """Distinguishes two versions of a model with one name."""
    voices: list[Text] = Field(default=[], max_length=1000)
    """Voices of the server that it does not list."""
    languages: list[Text] = Field(default=[], max_length=1000)
    clones: bool = False
    """Whether it clones the reference that is sent with a line."""
    transcripts: bool = False
    """Whether it needs the transcript of a reference."""
    rate: int = Field(default=0, ge=0, le=192_000)
    """Sample rate of answers that state none, in Hz."""
    references: Text = ""
    """The folder that workers and the server share."""
    fields: dict[str, JsonValue] = Field(default={})
    """Fields to send with each line."""
    language_fields: dict[str, dict[str, JsonValue]] = Field(default={})
    """Further fields to send with each line of a language."""


class EndpointBody(Model):
    """A server."""

    url: str
    slots: int
    draining: bool
    """Whether it gets no more lines."""
    key_from: str
    price: str | None


class PoolBody(Model):
    """The servers of one engine, and the model that all of them serve."""

    engine: str
    model: str
    revision: str
    voices: list[str]
    languages: list[str]
    clones: bool
    cap: str | None
    """The most that its lines may cost in a calendar month."""
    endpoints: list[EndpointBody]


class PoolsBody(Model):
    """The engines that have servers, by name."""

    engines: list[PoolBody]


class CheckBody(Model):
    """The result of checking one server."""

    url: str
    error: str
    """Why it cannot be used; empty when it can."""


class ChecksBody(Model):
    """The results of checking the servers of an engine."""

    checks: list[CheckBody]


@router.get("", responses=documented())
def endpoints(request: Request, caller: Admin) -> PoolsBody:
    """List the servers of remote engines."""
    pools = office_of(request).client.registry.all()
    return PoolsBody(engines=[_body(engine, pool) for engine, pool in pools.items()])


@router.post(
    "/{engine}",
    status_code=201,
    responses={
        **documented(404),
        200: {"model": PoolBody, "description": "It existed before, and was changed."},
    },
)
def add(
    request: Request, response: Response, caller: Admin, engine: EngineName, body: EndpointAsked
) -> PoolBody:
    """Add a server to an engine or a new instance of it, or change a known server's options.

    The gateway asks the server for its models and voices.
    """
    server = {*ServerAsked.model_fields}
    with office_of(request).roster.writing() as registry:
        if registry.pools.get(engine).endpoint(body.url):
            response.status_code = 200
        pool = registry.add(
            engine, body.model_dump(include=server), body.model_dump(exclude=server)
        )
    return _body(engine, pool)


@router.post("/{engine}/drain", responses=documented(404))
def drain(request: Request, caller: Admin, engine: EngineName, body: DrainBody) -> PoolBody:
    """Send a server no more lines, or send it lines again; workers notice within seconds."""
    with office_of(request).roster.writing() as registry:
        pool = registry.drain(engine, body.url, draining=body.draining)
    return _body(engine, pool)


@router.post("/{engine}/check", responses=documented())
def check(request: Request, caller: Admin, engine: EngineName) -> ChecksBody:
    """Check the servers of an engine."""
    found = office_of(request).client.registry.check(engine)
    return ChecksBody(checks=[CheckBody(url=one.endpoint.url, error=one.error) for one in found])


@router.delete("/{engine}", responses=documented(404))
def remove(
    request: Request,
    caller: Admin,
    engine: EngineName,
    url: Annotated[str, Query(max_length=LONGEST_URL)],
) -> PoolBody:
    """Remove a server; workers still take the lines that it has begun."""
    return _body(engine, office_of(request).roster.withdraw(engine, url))


def _body(engine: str, pool: Pool) -> PoolBody:
    return PoolBody(
        engine=engine,
        model=pool.model,
        revision=pool.revision,
        voices=list(pool.voices),
        languages=list(pool.languages),
        clones=pool.clones,
        cap=None if pool.cap is None else str(pool.cap),
        endpoints=[_server(one) for one in pool.endpoints],
    )


def _server(endpoint: Endpoint) -> EndpointBody:
    return EndpointBody(
        url=endpoint.url,
        slots=endpoint.slots,
        draining=endpoint.draining,
        key_from=endpoint.key_from,
        price=None if endpoint.price is None else str(endpoint.price),
    )

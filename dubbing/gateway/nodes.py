"""`/api/nodes`: workers, and registered servers of engines."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field

from dubbing.documents import Identifier, Model
from dubbing.errors import BadInput
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Admin, Reader
from dubbing.gateway.node import NodeBody
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import documented
from dubbing.ledger import WorkerState
from dubbing.ledger.servers import ServerBeat
from dubbing.ledger.vitals import Vitals
from dubbing.queue.fleet import Order

NodeId = Annotated[str, Path(max_length=300)]
REGISTERED = {
    **documented(404, 409),
    200: {"model": NodeBody, "description": "It was registered before, and was changed."},
}


def _known(value: object) -> object:
    """Return a state; raises ValueError for a word that stored documents may hold."""
    if value not in [*WorkerState]:
        raise ValueError(f"write one of {', '.join(WorkerState)}")
    return value


State = Annotated[WorkerState, BeforeValidator(_known)]

router = APIRouter(tags=["nodes"])


class Command(StrEnum):
    """The commands to a node."""

    ACTIVATE = "activate"
    LOAD_MODEL = "load_model"
    UNLOAD_MODEL = "unload_model"
    STANDBY = "standby"
    DRAIN = "drain"
    STOP = "stop"


ORDERS = {
    Command.ACTIVATE: Order.LOAD,
    Command.LOAD_MODEL: Order.LOAD,
    Command.UNLOAD_MODEL: Order.UNLOAD,
    Command.STANDBY: Order.STANDBY,
    Command.DRAIN: Order.DRAIN,
    Command.STOP: Order.DRAIN,
}


class CommandBody(Model):
    """A command to a node."""

    model_config = example(command="load_model", engine="xtts")

    command: Command
    engine: Identifier | None = None
    """By default, all engines of the node."""


class HeldBody(Model):
    """The engines of a node after a command."""

    node_id: str
    command: Command
    loaded: list[str]
    """Engines in memory; of a server, the engine whose lines it gets."""
    loading: str
    resting: dict[str, str]
    """Engines for which it takes no work, each with the reason if it could not be loaded."""


class NodesBody(Model):
    """Nodes: workers by name, and then servers by engine."""

    nodes: list[NodeBody]
    count: int


class _Told(Model):
    """A heartbeat of a remote server; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")


class RegisterBody(_Told):
    """A server of an engine, such as `dubbing engine-server`: its `url`, or `host` and `port`."""

    model_config = example(
        engine="remote-xtts", url="https://card-1.example:8443", node_id="card-1", slots=2
    )

    engine: Identifier = Field(validation_alias=AliasChoices("engine", "engine_type"))
    """A remote engine, or an instance of one."""
    url: str | None = Field(default=None, max_length=1000)
    host: str | None = Field(default=None, max_length=255)
    port: int | None = Field(default=None, ge=1, le=65535)
    node_id: Identifier | None = None
    """By default, an id made from its address. A server with a known id at another address
    replaces the earlier one."""
    model: str | None = Field(default=None, max_length=200)
    """Name of the model, if the server has several."""
    slots: int = Field(
        default=1, ge=1, le=1000, validation_alias=AliasChoices("slots", "max_concurrent")
    )
    """Most simultaneous lines, over all workers."""
    key_from: str = Field(default="", max_length=100)
    """The variable of workers and gateways that holds its API key: `DUBBING_KEY_…`."""


class HeartbeatBody(Vitals, _Told):
    """The state of a server."""

    model_config = example(status="ready", current_load=1, gpu_percent=80.0, request_count=12)

    status: State | None = None
    current_load: int | None = Field(
        default=None, ge=0, validation_alias=AliasChoices("current_load", "current_concurrent")
    )
    request_count: int = Field(default=0, ge=0)
    error_count: int = Field(default=0, ge=0)
    avg_response_time: float | None = Field(default=None, ge=0)


class NodeIdBody(_Told):
    """The id of a server."""

    node_id: str = Field(max_length=300)


class NamedHeartbeatBody(HeartbeatBody, NodeIdBody):
    """The state of a server, with its id."""


@router.get("/api/nodes", responses=documented())
def nodes(
    request: Request,
    caller: Reader,
    engine: Annotated[str | None, Query(max_length=100)] = None,
    status: State | None = None,
) -> NodesBody:
    """List workers, with those that went offline within the hour, and servers of engines."""
    found = [
        node
        for node in office_of(request).roster.nodes()
        if (engine is None or engine in node.engines) and status in {None, node.status}
    ]
    return NodesBody(nodes=found, count=len(found))


@router.get("/api/nodes/{node_id}", responses=documented(404))
def node(request: Request, caller: Reader, node_id: NodeId) -> NodeBody:
    """Return a node."""
    return office_of(request).roster.node(node_id)


@router.post(
    "/api/nodes/{node_id}/command",
    responses={
        **documented(404),
        202: {"model": HeldBody, "description": "The worker finishes its work, and ends."},
    },
)
def command(
    request: Request, response: Response, caller: Admin, node_id: NodeId, body: CommandBody
) -> HeldBody:
    """Send a command to a node, and wait for its end: a large model may take minutes.

    A remote server gets lines after `activate` and `load_model`, and none after the other commands.
    """
    roster, order = office_of(request).roster, ORDERS[body.command]
    holding = roster.steer(node_id, order, body.engine or "")
    if order is Order.DRAIN:
        response.status_code = 202
    return HeldBody(
        node_id=node_id,
        command=body.command,
        loaded=list(holding.loaded),
        loading=holding.loading,
        resting=holding.resting,
    )


@router.post("/api/nodes/register", status_code=201, responses=REGISTERED)
@router.post("/api/register", status_code=201, responses=REGISTERED)
def register(request: Request, response: Response, caller: Admin, body: RegisterBody) -> NodeBody:
    """Register a server, to which workers then send lines. The gateway asks it for its models."""
    fields = {"url": _url(body), "slots": body.slots, "key_from": body.key_from}
    if body.node_id:
        fields["node"] = body.node_id
    declared = {"model": body.model} if body.model else {}
    found, is_new = office_of(request).roster.register(body.engine, fields, declared)
    response.status_code = 201 if is_new else 200
    return found


@router.post("/api/nodes/{node_id}/heartbeat", responses=documented(404))
def heartbeat(request: Request, caller: Admin, node_id: NodeId, body: HeartbeatBody) -> NodeBody:
    """Report the state of a registered server; after a 404 it should register again."""
    return office_of(request).roster.hear(node_id, _beat(body))


@router.post("/api/heartbeat", responses=documented(404))
def heartbeat_of(request: Request, caller: Admin, body: NamedHeartbeatBody) -> NodeBody:
    """Report the state of a registered server; after a 404 it should register again."""
    return office_of(request).roster.hear(body.node_id, _beat(body))


@router.delete("/api/nodes/{node_id}", status_code=204, responses=documented(404))
def unregister(request: Request, caller: Admin, node_id: NodeId) -> None:
    """Remove a server; lines that it has begun are still taken from it."""
    office_of(request).roster.remove(node_id)


@router.post("/api/unregister", status_code=204, responses=documented(404))
def unregister_named(request: Request, caller: Admin, body: NodeIdBody) -> None:
    """Remove a server; lines that it has begun are still taken from it."""
    office_of(request).roster.remove(body.node_id)


def _url(body: RegisterBody) -> str:
    if body.url:
        return body.url
    if not (body.host and body.port):
        raise BadInput("send url, or host and port", where="body")
    host = f"[{body.host}]" if ":" in body.host else body.host
    return f"http://{host}:{body.port}"


def _beat(body: HeartbeatBody) -> ServerBeat:
    return ServerBeat(
        at=time.time(),
        state=body.status,
        active=body.current_load,
        requests=body.request_count,
        errors=body.error_count,
        mean_seconds=body.avg_response_time,
        vitals=Vitals.model_validate(body.model_dump(include=set(Vitals.model_fields))),
    )

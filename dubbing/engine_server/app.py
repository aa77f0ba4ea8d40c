"""The routes of the engine server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, FastAPI, Form, Request, Response, UploadFile

from dubbing.engine_server import faults, metrics, openai
from dubbing.engine_server.booth import State
from dubbing.engine_server.contract import Contract
from dubbing.engine_server.desk import Desk, Gone, answered, desk_of
from dubbing.engine_server.forms import as_text, from_text
from dubbing.engine_server.guard import Access, Guard
from dubbing.engine_server.lines import line_of, spoken_body
from dubbing.engine_server.recordings import derived, recording_of
from dubbing.engine_server.schema import (
    MOST_TEXT,
    EngineBody,
    FormBody,
    HealthBody,
    InfoBody,
    SynthesizeBody,
    SynthesizedBody,
    VoicesBody,
)
from dubbing.errors import BadInput
from dubbing.serving.faults import own_form
from dubbing.serving.requests import Requests

LARGEST = 64 << 20
"""Bytes of a request's body: a recording, or the forms of some voices."""


router = APIRouter(responses=faults.DOCUMENTED)


@router.get("/health", responses={503: {"model": HealthBody}})
async def health(request: Request, response: Response) -> HealthBody:
    """Tell whether all engines are loaded: 200, or 503 while one is not. Needs no key."""
    states = {name: booth.state for name, booth in desk_of(request).booths.items()}
    well = all(state is State.READY for state in states.values())
    response.status_code = 200 if well else 503
    return HealthBody(status="ok" if well else "unavailable", engines=states)


@router.get("/info")
async def info(request: Request) -> InfoBody:
    """List the engines, with the spec and the digest of the model of each."""
    engines = [
        EngineBody(
            name=booth.name,
            state=booth.state,
            waiting=booth.waiting,
            model=booth.model,
            spec=booth.spec,
        )
        for booth in desk_of(request).booths.values()
    ]
    return InfoBody(version=version("dubbing"), engines=engines)


@router.get("/v1/voices")
async def voices(request: Request) -> VoicesBody:
    """List the stock voices of each engine."""
    booths = desk_of(request).booths.values()
    return VoicesBody(voices={booth.name: list(booth.spec.voices) for booth in booths})


@router.post("/v1/synthesize")
async def synthesize(request: Request, body: SynthesizeBody) -> SynthesizedBody:
    """Speak lines by one call of the engine; each has its own result, sound or error."""
    desk = desk_of(request)
    booth = desk.booth(body.engine)
    for digest, form in body.forms.items():
        if desk.forms.keep(from_text(form, f"forms.{digest}")) != digest:
            raise BadInput("the digest does not match the form", where=f"forms.{digest}")
    lines = [
        line_of(line, booth.spec, desk.forms, f"lines.{n}") for n, line in enumerate(body.lines)
    ]
    results = [spoken_body(one) for one in await answered(request, booth.speak(lines))]
    return SynthesizedBody(engine=booth.name, model=booth.model, results=results)


@router.post("/v1/extract")
async def extract(
    request: Request,
    file: UploadFile,
    engine: Annotated[str, Form(max_length=200)] = "",
    transcript: Annotated[str, Form(max_length=MOST_TEXT)] = "",
    as_is: Annotated[bool, Form()] = False,
) -> FormBody:
    """Derive a voice from a recording of one speaker, for lines that name its ``form``.

    The recording is judged and prepared; one that was prepared already is taken ``as_is``.
    """
    desk = desk_of(request)
    booth = desk.booth(engine)
    reference = await asyncio.to_thread(recording_of, await file.read(), as_is=as_is)
    form = await derived(request, booth, reference, "file", transcript)
    return FormBody(form=desk.forms.keep(form), data=as_text(form), seconds=reference.seconds)


OWN = Contract(routers=(router, openai.router), form=own_form, engines="some")


def make_app(desk: Desk, access: Access, contract: Contract = OWN) -> FastAPI:
    """Return the app that serves engines, which it loads when it starts, by one contract."""
    booths = [*desk.booths.values()]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        for booth in booths:
            booth.begin()
        yield
        for booth in booths:
            await asyncio.to_thread(booth.end)

    app = FastAPI(
        title="dubbing engine-server",
        version=version("dubbing"),
        summary="Speech engines over HTTP",
        lifespan=lifespan,
        # Other services' routes are described by those services.
        openapi_url="/openapi.json" if contract is OWN else None,
        # FastAPI's pages of routes load their scripts from the internet.
        docs_url=None,
        redoc_url=None,
        max_body_size=LARGEST,
    )
    app.state.desk = desk
    app.state.metrics = metrics.Metrics(booths)
    for one in (*contract.routers, metrics.router):
        app.include_router(one)
    faults.faults_in(contract.form).install(app)
    app.add_exception_handler(Gone, _to_nobody)
    app.add_middleware(Guard, access=access, form=contract.form)
    app.add_middleware(Requests)
    return app


async def _to_nobody(request: Request, exc: Exception) -> Response:
    return Response(status_code=499)

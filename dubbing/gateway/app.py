"""The app of the gateway: its routes and middleware."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from dubbing.client import Client
from dubbing.errors import DubbingError
from dubbing.exporter import Exporter
from dubbing.gateway import (
    endpoints,
    events,
    health,
    jobs,
    keys,
    lines,
    me,
    metrics,
    nodes,
    openai,
    outputs,
    scripts,
    session,
    socket,
    speech,
    system,
    uploads,
    voices,
    webhooks,
)
from dubbing.gateway.announcements import Announcements
from dubbing.gateway.callers import Callers, Door
from dubbing.gateway.crowd import PAUSE_SECONDS as TELL_SECONDS
from dubbing.gateway.crowd import Crowd
from dubbing.gateway.facts import Facts
from dubbing.gateway.fetching import Fetching
from dubbing.gateway.follow import Following
from dubbing.gateway.guard import Guarded, trust
from dubbing.gateway.limits import Counter, Limits, Turnstile
from dubbing.gateway.manifests import Manifests
from dubbing.gateway.office import Office
from dubbing.gateway.overview import Overview
from dubbing.gateway.pages import reference
from dubbing.gateway.pages import routes as pages
from dubbing.gateway.pages.shell import Shell
from dubbing.gateway.people import People
from dubbing.gateway.pulse import BEAT_SECONDS, Pulse
from dubbing.gateway.quotas import Quotas
from dubbing.gateway.refusals import FAULTS
from dubbing.gateway.repeat import repeated
from dubbing.gateway.roster import Roster
from dubbing.gateway.sender import LOOK_SECONDS as SEND_SECONDS
from dubbing.gateway.sender import Sender
from dubbing.gateway.sweeper import PAUSE_SECONDS as SWEEP_SECONDS
from dubbing.gateway.sweeper import Sweeper
from dubbing.gateway.told import Told
from dubbing.kept import Kept
from dubbing.keyring import Keyring
from dubbing.media.scratch import sweep
from dubbing.pages.assets import Assets
from dubbing.script.manifest import json_schema
from dubbing.serving.requests import Requests
from dubbing.settings import Settings
from dubbing.submission.uploads import Uploads
from dubbing.telemetry.counts import REPORT_SECONDS, counts

ROUTES = (
    *(health, me, jobs, outputs, events, lines, uploads, scripts, webhooks),
    *(nodes, endpoints, keys, system, metrics, socket),
    *(speech, voices, openai),
    *(pages, reference, session),
)
"""The modules of all routes."""
LARGEST = 1 << 20
"""Bytes of a request's body, unless its route takes more."""
LATER = (
    *("dubbing.submission.submit", "dubbing.submission.preview", "dubbing.submission.lines"),
    "dubbing.queue.say",
    *("dubbing.planning.casting", "dubbing.voices.library", "dubbing.jobs.revision", "kombu"),
)
"""Modules that the client imports on demand; imported early, so that no request waits for it."""
SPECS_SECONDS = 2.0
"""Longest age of cached engine specs for `say` requests."""
RUBBISH = (50_000, 20, 20)
"""Thresholds of Python's cycle collector, as of `gc.set_threshold`: seldom. An answer of 10,000
lines has many objects without a cycle, and takes longer with the usual thresholds."""
THREADS = 128
"""Requests that wait for storage, Redis or a worker at the same time."""


def make_app(client: Client, settings: Settings, *, loopback: bool) -> FastAPI:
    """Return the app of a gateway to a system.

    loopback: whether only this machine reaches it.
    """
    for name in LATER:
        import_module(name)
    keyring = Keyring(client.storage)
    counter, crowd = Counter(settings.redis), Crowd(settings.redis)
    office = _office(client, settings, keyring, counter)
    app = FastAPI(
        title="dubbing",
        version=version("dubbing"),
        summary="Dub films: jobs, voices and speech",
        lifespan=lambda _: _beside(office, counter, crowd),
        max_body_size=LARGEST,
        docs_url=None,
        redoc_url=None,
    )
    app.state.office = office
    for module in ROUTES:
        app.include_router(module.router)
    app.add_exception_handler(events.NothingMore, events.nothing_more)
    FAULTS.install(app)
    # The last added middleware is the first that a request meets.
    app.add_middleware(Turnstile, limits=Limits(settings, counter, crowd))
    app.add_middleware(Door, callers=Callers(keyring, office.people, loopback=loopback))
    if settings.cors_origins:
        # A browser asks without a key first.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
    app.add_middleware(Requests)
    app.openapi = _with_manifest(app, app.openapi)  # type: ignore[method-assign]
    return app


def _office(client: Client, settings: Settings, keyring: Keyring, counter: Counter) -> Office:
    """Return the objects that the routes share."""
    storage, facts = client.storage, Facts(client.storage)
    sent, roster, announcements = Uploads(storage), Roster(client), Announcements(storage)
    overview = Overview(client, roster, announcements)
    return Office(
        client=client,
        settings=settings,
        people=People(keyring, client.ledger.sessions),
        facts=facts,
        quotas=Quotas(settings, storage, facts, counter, sent),
        following=Following(storage, client.ledger),
        manifests=Manifests(storage, sent, Fetching(storage, settings.ca_file)),
        uploads=sent,
        roster=roster,
        announcements=announcements,
        overview=overview,
        pulse=Pulse(overview.look),
        specs=Kept(client.specs, SPECS_SECONDS),
        shell=Shell(Assets(), storage.origin),
        told=Told(storage),
        metrics=Exporter(client).registry,
    )


@asynccontextmanager
async def _beside(office: Office, counter: Counter, crowd: Crowd) -> AsyncIterator[None]:
    """Run the work beside requests during the block."""
    sweep()
    # The objects made so far stay, so the collector need not scan them.
    gc.freeze()
    gc.set_threshold(*RUBBISH)
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    storage, ledger = office.client.storage, office.client.ledger
    sender = Sender(storage, ledger, office.facts, Guarded(trust(office.settings.ca_file)))
    look = partial(asyncio.to_thread, Sweeper(storage, office.uploads).sweep)
    report = partial(asyncio.to_thread, ledger.totals.report)
    counts.wanted = office.settings.metrics
    office.begin()
    async with (
        repeated("sender", sender.step, SEND_SECONDS),
        repeated("sweeper", look, SWEEP_SECONDS),
        repeated("crowd", crowd.step, TELL_SECONDS),
        repeated("reporter", report, REPORT_SECONDS),
        repeated("pulse", office.pulse.step, BEAT_SECONDS),
    ):
        yield
        await office.end()
    await sender.end()
    await crowd.end()
    await counter.end()
    with suppress(DubbingError):
        await asyncio.to_thread(ledger.totals.report)


def _with_manifest(app: FastAPI, described: Any) -> Any:
    """Return the app's OpenAPI description, with the manifest that routes parse themselves."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        schema: dict[str, Any] = described()
        manifest = json_schema()
        definitions = manifest.pop("$defs", {})
        parts = schema.setdefault("components", {}).setdefault("schemas", {})
        for name, part in {"Manifest": manifest, **definitions}.items():
            parts.setdefault(name, _moved(part))
        parts["Manifest"]["examples"] = [dict(jobs.EXAMPLE)]
        return schema

    return openapi


def _moved(part: Any) -> Any:
    """Return a part of a JSON Schema whose references lead to OpenAPI's components."""
    if isinstance(part, list):
        return [_moved(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: value.replace("#/$defs/", "#/components/schemas/")
        if name == "$ref" and isinstance(value, str)
        else _moved(value)
        for name, value in part.items()
    }

"""Running the server until it has to end."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import socket
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from dubbing.engine_server.booth import Booth, State
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, require
from dubbing.engines.residency import Residency, device_of
from dubbing.errors import BadInput
from dubbing.serving.listening import Address, server_of

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
HUNG = 70
"""Exit code of a server whose engine hangs: only a new process helps."""


def booths_of(engines: Sequence[str], catalogue: Catalogue, device: str | None) -> list[Booth]:
    """Return a booth for each engine, not begun.

    Raises EngineMissing, and BadInput for an engine that is named twice or whose licence is
    refused.
    """
    if twice := {name for name in engines if engines.count(name) > 1}:
        raise BadInput(f"{', '.join(sorted(twice))} is named twice")
    return [_booth(name, catalogue, device) for name in engines]


def _booth(name: str, catalogue: Catalogue, device: str | None) -> Booth:
    voicing = catalogue.create(name)
    catalogue.permit([voicing.spec])
    require(voicing)
    # Each engine is loaded and used by the thread of its own booth.
    residency = Residency(catalogue, device=device)

    def load() -> Engine:
        residency.wake(name)
        return residency.engine(name)

    return Booth(name, voicing.spec, load, device_of(voicing.spec, device))


def serve(app: FastAPI, booths: Sequence[Booth], address: Address, listener: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C, and finish the requests.

    Raises the error of an engine that cannot be loaded, and BadInput for a certificate that cannot
    be used.
    """
    asyncio.run(_serve(server_of(app, address), booths, listener))
    for booth in booths:
        if booth.error:
            raise booth.error


async def _serve(server: uvicorn.Server, booths: Sequence[Booth], listener: socket.socket) -> None:
    watching = asyncio.create_task(_watch(server, booths))
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def _watch(server: uvicorn.Server, booths: Sequence[Booth]) -> None:
    """End the server when an engine cannot be loaded, or the process when an engine hangs."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        if any(booth.state is State.FAILED for booth in booths):
            server.should_exit = True
        for booth in booths:
            if booth.overdue > 0:
                # No thread of Python could stop it.
                log.critical("%s hangs: the server ends, to be started again", booth.name)
                faulthandler.dump_traceback()
                os._exit(HUNG)

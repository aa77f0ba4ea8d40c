"""`/ws`: sends the state of the system and its changes to pages and programs.

Messages are objects in JSON, ``{"type", "data", "timestamp"}``. A client may send ``ping``,
``get_status``, ``follow`` and ``unfollow``, the last two with a ``job``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket
from pydantic import ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.websockets import WebSocketDisconnect

from dubbing.documents import Model
from dubbing.errors import BadInput, DubbingError
from dubbing.gateway.bodies import EventBody, JobBody, job_body
from dubbing.gateway.callers import caller_of, until_unknown
from dubbing.gateway.follow import Event
from dubbing.gateway.office import Office, office_of
from dubbing.gateway.pulse import FAILED, TRY_AGAIN_LATER, UNKNOWN, Listener, message
from dubbing.gateway.refusals import FAULTS, Forbidden
from dubbing.keyring import Scope
from dubbing.serving.faults import fault_of

MOST_FOLLOWED = 50
"""Jobs that a client may follow at once."""
CLOSE_SECONDS = 5.0
"""Time for a client to read the end."""

router = APIRouter()


class Ask(StrEnum):
    """The requests of a client."""

    PING = "ping"
    GET_STATUS = "get_status"
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"


class AskBody(Model):
    """A message of a client."""

    model_config = ConfigDict(extra="ignore")

    type: Ask
    job: str = Field(default="", max_length=200)


class JobEventBody(EventBody):
    """An event of a job that a client follows."""

    id: str
    """As in the events of `/v1/jobs/{id}/events`; ``""`` if only its status is newer."""
    status: JobBody
    """Its status after that."""


@router.websocket("/ws")
async def socket(websocket: WebSocket) -> None:
    """Send a client all messages, until it leaves or is disconnected."""
    office, caller = office_of(websocket), caller_of(websocket)
    try:
        caller.check(Scope.READ)
        _check_origin(websocket.headers, office.settings.cors_origins)
    except Forbidden as exc:
        await websocket.send_denial_response(FAULTS.answer(websocket, exc))
        return
    await websocket.accept()
    listener = Listener(caller)
    with office.pulse.heard_by(listener):
        await Conversation(office, websocket, listener).run()


def _check_origin(headers: Headers, allowed: Collection[str]) -> None:
    """Raise Forbidden for a page of a site that is not allowed."""
    origin = headers.get("origin", "").lower()
    if origin and origin not in allowed and urlsplit(origin).netloc != headers.get("host"):
        raise Forbidden(f"pages of {origin[:100]} may not connect: see DUBBING_CORS_ORIGINS")


class Conversation:
    """The talk with one client."""

    def __init__(self, office: Office, websocket: WebSocket, listener: Listener) -> None:
        self._office = office
        self._websocket = websocket
        self._listener = listener
        self._followed: dict[str, asyncio.Task[None]] = {}
        """The task of each job that the client follows."""

    async def run(self) -> None:
        """Talk until the client leaves or is disconnected."""
        gone = self._listener.gone
        parts = self._send(), self._receive(), self._watch()
        talk = [asyncio.create_task(part) for part in parts]
        ends: list[asyncio.Future[Any]] = [*talk, gone]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            fault = next((task.exception() for task in talk if task.done()), None)
            if fault and not isinstance(fault, WebSocketDisconnect):
                self._listener.leave(FAILED)
                raise fault
        finally:
            tasks = [*talk, *self._followed.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if gone.done():
                await self._close(gone.result())

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(code)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            # It reads nothing, or is gone.
            return

    async def _watch(self) -> None:
        await until_unknown(self._websocket)
        self._listener.leave(UNKNOWN)

    async def _send(self) -> None:
        while True:
            await self._websocket.send_text(await self._listener.next())

    async def _receive(self) -> None:
        while (got := await self._websocket.receive())["type"] == "websocket.receive":
            try:
                self._answer(got.get("text") or got.get("bytes") or "")
            except DubbingError as exc:
                self._listener.tell(_error(exc))

    def _answer(self, text: str | bytes) -> None:
        try:
            asked = AskBody.model_validate_json(text)
        except ValidationError as exc:
            kinds = ", ".join(Ask)
            raise BadInput(f'send {{"type": …}} with one of {kinds}, in JSON') from exc
        match asked.type:
            case Ask.PING:
                self._listener.tell(message("pong"))
            case Ask.GET_STATUS:
                self._office.pulse.tell_status(self._listener)
            case Ask.FOLLOW:
                self._begin_to_follow(asked.job)
            case Ask.UNFOLLOW:
                if task := self._followed.pop(asked.job, None):
                    task.cancel()

    def _begin_to_follow(self, job: str) -> None:
        if job in self._followed:
            return
        if len(self._followed) == MOST_FOLLOWED:
            raise BadInput(f"you follow {MOST_FOLLOWED} jobs: unfollow one first")
        self._followed[job] = asyncio.create_task(self._follow(job))

    async def _follow(self, job: str) -> None:
        """Send the client the events of a job, until the job has ended."""
        office, listener = self._office, self._listener
        try:
            await run_in_threadpool(office.facts.check, listener.caller, job)
            async with office.following.follow(job) as follower:
                async for event in follower.events():
                    body = await run_in_threadpool(_told, office, event)
                    await listener.tell_in_time(message("job_event", body.model_dump(mode="json")))
                    if event.name == "status" and event.status.state.ended:
                        return
            listener.leave(TRY_AGAIN_LATER)
        except DubbingError as exc:
            listener.tell(_error(exc, job=job))
        finally:
            # It may be followed again meanwhile.
            if self._followed.get(job) is asyncio.current_task():
                del self._followed[job]


def _told(office: Office, event: Event) -> JobEventBody:
    facts = office.facts.of(event.job, event.status.round)
    return JobEventBody(
        event=event.name,
        job=event.job,
        told=event.told,
        id=event.id,
        status=job_body(event.status, facts),
    )


def _error(exc: DubbingError, **about: str) -> str:
    return message("error", {**fault_of(exc).model_dump(exclude_none=True), **about})

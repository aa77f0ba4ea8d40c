"""`/v1/jobs/{job_id}/events`: the events of a job, as Server-Sent Events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from dubbing.gateway.bodies import EventBody, job_body
from dubbing.gateway.callers import Reader, is_known
from dubbing.gateway.follow import Event
from dubbing.gateway.jobs import JobId
from dubbing.gateway.office import Office, office_of
from dubbing.gateway.refusals import documented, in_json

AGAIN_MS = 1000
"""Time after which a browser reconnects, perhaps to another gateway."""

LastEventId = Annotated[
    str | None,
    Header(max_length=60, description="Id of the last received event: only later events are sent."),
]

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


class NothingMore(Exception):  # noqa: N818 - nothing is wrong
    """The caller has the end of the job: the answer is 204, and a browser stops reconnecting."""


async def nothing_more(request: Request, exc: Exception) -> Response:
    """Answer 204."""
    return Response(status_code=204)


async def _may_follow(
    request: Request, caller: Reader, job_id: JobId, last_event_id: LastEventId = None
) -> None:
    """Raise NotFound, or NothingMore, before the answer begins."""
    office = office_of(request)
    await run_in_threadpool(office.facts.check, caller, job_id)
    if last_event_id is None:
        return
    status = await run_in_threadpool(office.client.status, job_id, readable=False)
    missed = await run_in_threadpool(_missed, office, job_id, last_event_id)
    if status.state.ended and not missed:
        raise NothingMore


@router.get(
    "/{job_id}/events",
    response_class=EventSourceResponse,
    dependencies=[Depends(_may_follow)],
    responses={
        **in_json(documented(404)),
        204: {"description": "The job has ended, and its end is known."},
    },
)
async def events(
    request: Request, job_id: JobId, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job until it ends.

    Each event `state` and `batch` has an id. With it, another connection, to any gateway, continues
    where this one broke. Each `status` is the job's status, in the form of `/v1/jobs/{id}`. The
    last event is `end`, with the same content.
    """
    office = office_of(request)
    async with office.following.follow(job_id, _valid(last_event_id)) as follower:
        yield ServerSentEvent(comment="hello", retry=AGAIN_MS)
        async for event in follower.events():
            # A client that reconnects with a revoked key is refused.
            if not await is_known(request):
                return
            body = await _told(office, event)
            yield body
            if event.name == "status" and event.status.state.ended:
                yield ServerSentEvent(data=body.data, event="end")
                return


async def _told(office: Office, event: Event) -> ServerSentEvent:
    if event.id:
        told = EventBody(event=event.name, job=event.job, told=event.told)
        return ServerSentEvent(data=told.model_dump(mode="json"), event=event.name, id=event.id)
    facts = await run_in_threadpool(office.facts.of, event.job, event.status.round)
    body = job_body(event.status, facts)
    return ServerSentEvent(data=body.model_dump(mode="json"), event="status")


def _missed(office: Office, job_id: str, last: str) -> bool:
    after = _valid(last)
    return after is not None and bool(office.client.ledger.events.past(job_id, after))


def _valid(last: str | None) -> str | None:
    """Return an event's id, or None for an invalid one: the caller then gets the job's status."""
    time, _, count = (last or "").partition("-")
    return last if time.isdecimal() and count.isdecimal() and len(time) < 19 else None

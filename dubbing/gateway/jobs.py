"""`/v1/jobs`: submit, read and change jobs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from dubbing.errors import BadInput, Conflict, NotFound
from dubbing.gateway.bodies import (
    JobBody,
    JobsBody,
    RetryBody,
    job_body,
)
from dubbing.gateway.callers import Caller, Reader, Submitter
from dubbing.gateway.listing import Wanted, page_of
from dubbing.gateway.manifests import check_by_name
from dubbing.gateway.office import Office, office_of
from dubbing.gateway.refusals import documented
from dubbing.gateway.scripts import ScriptReading
from dubbing.job import JobState
from dubbing.jobs.status import Status
from dubbing.storage import Keys
from dubbing.submission.preview import Preview
from dubbing.submission.submit import Submission

MOST_MANIFEST = 16 << 20
"""Bytes of a request's manifest."""
LONGEST_WAIT = 60.0
"""Seconds that a request may wait for a job's end."""

EXAMPLE: Mapping[str, Any] = {
    "language": "de",
    "engine": "espeak",
    "segments": [
        {"start": 0.5, "end": 2.4, "speaker": "Anna", "text": "Der Zug fährt um neun."},
        {"start": 3.0, "end": 4.2, "speaker": "Ben", "text": "Von welchem Gleis?"},
    ],
    "cast": {"Anna": {"voice": "Annie"}},
    "metadata": {"order": "4711"},
}
MANIFEST: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Manifest"}}},
    }
}
"""OpenAPI's description of the body of a submission."""

Fields = Annotated[dict[str, Any], Body()]
JobId = Annotated[str, Path(max_length=200)]


router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.post(
    "",
    status_code=201,
    responses={
        **documented(409, 413),
        200: {"model": JobBody, "description": "The same request was submitted before."},
    },
    openapi_extra=dict(MANIFEST),
    max_body_size=MOST_MANIFEST,
)
def submit(
    request: Request,
    response: Response,
    caller: Submitter,
    fields: Fields,
    reading: ScriptReading,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> JobBody:
    """Submit a job. The same request again is the same job: 200, where the first answer was 201."""
    office = office_of(request)
    if "id" in fields:
        idempotency_key = None
    elif idempotency_key:
        fields = {**fields, "id": _id_of(caller, idempotency_key)}
    asked = office.manifests.of(caller, fields, reading)
    _check_id(office, caller, asked.manifest.id)
    try:
        with asked.named():
            submission = office.client.submit(asked.manifest, admit=office.admit)
    except Conflict as exc:
        raise _of_another_request(str(asked.manifest.id), idempotency_key) from exc
    response.status_code = 201 if submission.created else 200
    response.headers["Location"] = str(request.url_for("job", job_id=submission.id))
    return body_of(office, office.client.status(submission.id), submission)


@router.post(
    "/preview",
    responses=documented(413),
    openapi_extra=dict(MANIFEST),
    max_body_size=MOST_MANIFEST,
)
def preview(
    request: Request,
    caller: Reader,
    fields: Fields,
    reading: ScriptReading,
) -> Preview:
    """Preview a job: its cautions, and an estimate of its time and cost.

    Nothing is queued, and only media from the web is stored.
    """
    office = office_of(request)
    asked = office.manifests.of(caller, fields, reading)
    with asked.named():
        return office.client.preview(asked.manifest)


@router.get("", responses=documented())
def jobs(
    request: Request,
    caller: Reader,
    state: Annotated[list[JobState], Query()] = [],  # noqa: B006 - FastAPI copies it
    collection: Annotated[str | None, Query(max_length=100)] = None,
    tenant: Annotated[str | None, Query(max_length=100)] = None,
    since: Annotated[float, Query(ge=0, description="Seconds since 1970.")] = 0.0,
    metadata: Annotated[list[str], Query(description="`name:value`; all have to match.")] = [],  # noqa: B006
    part: Annotated[str, Query(max_length=100, description="Part of the id, in any case.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> JobsBody:
    """List jobs, the last submitted first.

    `part` is searched among 20,000 jobs at a time: a page may be short, or empty, and still have a
    `next` page.
    """
    office = office_of(request)
    wanted = Wanted(
        states=frozenset(state),
        collection=collection,
        tenant=tenant,
        since=since,
        metadata=dict(_note(note) for note in metadata),
        part=part,
    )
    found, following = page_of(office, caller, wanted, limit=limit, cursor=cursor)
    return JobsBody(jobs=[body_of(office, status) for status in found], next=following)


@router.get(
    "/{job_id}",
    name="job",
    response_model=JobBody,
    responses={**documented(404), 304: {"description": "Unchanged: see If-None-Match."}},
)
async def job(
    request: Request,
    caller: Reader,
    job_id: JobId,
    wait: Annotated[
        float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for the job's end.")
    ] = 0.0,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """Return a job's status; with `wait`, once it has ended, or has changed since the ETag."""
    office = office_of(request)
    await run_in_threadpool(office.facts.check, caller, job_id)
    status = await run_in_threadpool(office.client.status, job_id, readable=False)
    if wait and not if_none_match:
        status = await _until(office, status, wait, lambda now: now.state.ended)
    elif wait and _tag(await run_in_threadpool(body_of, office, status)) == if_none_match:
        status = await _until(office, status, wait, lambda now: now != status)
    body = await run_in_threadpool(body_of, office, status)
    headers = {"ETag": _tag(body), "Cache-Control": "no-cache"}
    if not status.state.ended:
        headers["Retry-After"] = str(_pause(status))
    if if_none_match and headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    return JSONResponse(body.model_dump(mode="json"), headers=headers)


@router.post("/{job_id}/cancel", responses=documented(404))
def cancel(request: Request, caller: Submitter, job_id: JobId) -> JobBody:
    """Cancel a job now, unless it has ended; no more of its lines are spoken."""
    office = office_of(request)
    office.facts.check(caller, job_id)
    return body_of(office, office.client.cancel(job_id))


@router.post("/{job_id}/retry", responses=documented(404, 409))
def retry(
    request: Request, caller: Submitter, job_id: JobId, body: RetryBody | None = None
) -> JobBody:
    """Speak the lines without a clip, perhaps by another engine or in another voice."""
    office = office_of(request)
    charge = partial(office.quotas.charge_lines, office.facts.check(caller, job_id).tenant)
    asked = body or RetryBody()
    check_by_name([asked.voice])
    status = office.client.retry(
        job_id, engine=asked.engine or "", voice=asked.voice or "", charge=charge
    )
    return body_of(office, status)


@router.put(
    "/{job_id}",
    responses=documented(404, 409, 413),
    openapi_extra=dict(MANIFEST),
    max_body_size=MOST_MANIFEST,
)
def revise(
    request: Request,
    caller: Submitter,
    job_id: JobId,
    fields: Fields,
    reading: ScriptReading,
) -> JobBody:
    """Change a job that has ended, and speak only the lines that the change affects.

    The body is the whole manifest, as it would be submitted.
    """
    office = office_of(request)
    facts = office.facts.check(caller, job_id)
    fields = {"tenant": facts.tenant, **fields, "id": job_id}
    asked = office.manifests.of(caller, fields, reading)
    if asked.manifest.tenant != facts.tenant:
        raise Conflict(f"job {job_id!r} is of the tenant {facts.tenant!r}, which does not change")
    with asked.named():
        charge = partial(office.quotas.charge_lines, facts.tenant)
        submission = office.client.revise(asked.manifest, charge=charge)
    return body_of(office, office.client.status(job_id), submission)


@router.delete("/{job_id}", status_code=204, responses=documented(404, 409))
def delete(request: Request, caller: Submitter, job_id: JobId) -> None:
    """Delete a job that has ended, with its outputs; clips and media stay for other jobs."""
    office = office_of(request)
    office.facts.check(caller, job_id)
    office.client.delete(job_id)


def _id_of(caller: Caller, key: str) -> str:
    """Return the job id for a caller's idempotency key."""
    return f"job-{hashlib.sha256(f'{caller.tenant}|{key}'.encode()).hexdigest()[:24]}"


def _of_another_request(id_: str, key: str | None) -> Conflict:
    """Return the refusal of an id that belongs to another request, with remedies over HTTP."""
    if key:
        return Conflict(f"job {id_!r} belongs to another request: send another Idempotency-Key")
    return Conflict(
        f"the id {id_!r} belongs to another request: choose another id, leave the id out, or "
        f"change that job with PUT /v1/jobs/{id_}"
    )


def _check_id(office: Office, caller: Caller, id_: str | None) -> None:
    """Raise Conflict for the id of another tenant's job, without details of that job."""
    if id_ is None or not office.client.storage.exists(Keys.job(id_)):
        return
    try:
        office.facts.check(caller, id_)
    except NotFound as exc:
        raise Conflict(f"the id {id_!r} is taken: choose another one, or leave it out") from exc


def body_of(office: Office, status: Status, submission: Submission | None = None) -> JobBody:
    """Return the status of a job, as callers see it."""
    facts = office.facts.of(status.id, status.round)
    return job_body(status, facts, submission.cautions if submission else ())


def _tag(body: JobBody) -> str:
    digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    return f'"{digest[:24]}"'


def _pause(status: Status) -> int:
    """Return the seconds after which it makes sense to ask again."""
    return max(1, min(30, round((status.seconds_left or 10.0) / 10)))


async def _until(
    office: Office, status: Status, wait: float, enough: Callable[[Status], bool]
) -> Status:
    """Return a job's status once a condition holds, or after ``wait`` seconds."""
    if status.state.ended or enough(status):
        return status
    try:
        async with asyncio.timeout(wait), office.following.follow(status.id) as follower:
            async for event in follower.events():
                status = event.status
                if enough(status):
                    break
    except TimeoutError:
        pass
    return status


def _note(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise BadInput(f"write {text[:80]!r} as name:value", where="metadata")
    return name, value

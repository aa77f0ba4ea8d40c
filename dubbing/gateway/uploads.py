"""`/v1/uploads`: files that callers send before they name them in a job.

A file comes whole in one request; or in chunks, as by the core of tus.io's protocol, through any
gateway; or straight into the bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from dubbing.documents import Model
from dubbing.errors import BadInput
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Submitter
from dubbing.gateway.incoming import LARGEST, has_body, length_of, pieces
from dubbing.gateway.manifests import UPLOAD
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import FAULTS, documented
from dubbing.storage import each
from dubbing.storage.keys import CONTROLS
from dubbing.submission.arrival import arriving
from dubbing.submission.uploads import Upload, Uploads, UploadState, WrongOffset

LARGEST_PUT = 5 << 30
"""Bytes of the largest file that S3 takes in one request."""
PART = 4 << 20
"""Bytes of a chunk that are stored at once; more memory, or more objects, would gain nothing."""
OFFSET, LENGTH = "Upload-Offset", "Upload-Length"
ALWAYS = {"Cache-Control": "no-store", "Tus-Resumable": "1.0.0"}

FILE: Mapping[str, Any] = {
    "requestBody": {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}
"""OpenAPI's description of a body that is a file, or a part of one."""
OFFSETS: Mapping[str, Any] = {
    OFFSET: {"description": "Bytes received.", "schema": {"type": "integer"}}
}

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])


class UploadBody(Model):
    """An upload, finished or not."""

    model_config = example(
        id="5f1c9a0b7d3e4c2a1b0f9e8d",
        source="upload:5f1c9a0b7d3e4c2a1b0f9e8d",
        name="film.mp4",
        bytes=1048576,
        offset=1048576,
        sha256="30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58",
        state="finished",
        created="2026-11-30T09:30:00Z",
        put=None,
    )

    id: str
    source: str
    """Its name in manifests, in place of a path."""
    name: str
    bytes: int | None
    """Size of the whole file; null while it is unknown."""
    offset: int
    """Bytes received."""
    sha256: str | None
    """Digest of the whole file; null until it is complete."""
    state: UploadState
    created: datetime
    put: str | None = None
    """For an hour, the URL to which the file is sent by PUT, past the gateway."""


class UploadsBody(Model):
    """A page of uploads, the last begun first."""

    uploads: list[UploadBody]
    next: str | None
    """The ``cursor`` of the next page; null at the end."""


@router.post(
    "",
    status_code=201,
    responses=documented(408, 413),
    openapi_extra=dict(FILE),
    max_body_size=LARGEST,
)
async def create(
    request: Request,
    response: Response,
    caller: Submitter,
    name: Annotated[str, Query(max_length=300, description="The file's name.")],
    size: Annotated[
        int | None,
        Query(alias="bytes", ge=1, le=LARGEST, description="Its size, to send it in chunks."),
    ] = None,
    direct: Annotated[
        bool, Query(description="Send it by PUT, straight into the bucket that is storage.")
    ] = False,
) -> UploadBody:
    """Send a whole file as the body; or, with `bytes` or `direct` and no body, begin to send one.

    Chunks follow by PATCH. A file that went straight into the bucket is finished by `finish`.
    """
    office, tenant, put = office_of(request), caller.tenant, None
    uploads = office.uploads
    _check_name(name)
    await run_in_threadpool(office.quotas.check_storage, tenant, size or length_of(request) or 0)
    if size is None and not direct:
        upload = await _whole(request, uploads, tenant, name)
    elif has_body(request):
        raise BadInput("leave the body empty: the file follows, by PATCH or by PUT")
    elif not direct:
        upload = await run_in_threadpool(uploads.begin, tenant, name, size)
    elif (size or 0) > LARGEST_PUT:
        raise BadInput("a bucket takes 5 GiB in one request: send it in chunks", where="direct")
    else:
        upload, put = await run_in_threadpool(uploads.begin_direct, tenant, name, size)
    response.headers["Location"] = str(request.url_for("upload", upload_id=upload.id))
    return _body(upload, (upload.bytes or 0) if upload.key else 0, put)


@router.get("", responses=documented())
def uploads(
    request: Request,
    caller: Submitter,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: Annotated[str | None, Query(max_length=24)] = None,
) -> UploadsBody:
    """List uploads, finished or not, the last begun first."""
    sent = office_of(request).uploads
    page, following = sent.page(caller.tenant, cursor, limit)
    offsets = each(sent.offset, page)
    bodies = [_body(*one) for one in zip(page, offsets, strict=True)]
    return UploadsBody(uploads=bodies, next=following)


@router.get("/{upload_id}", name="upload", responses=documented(404))
def upload(request: Request, response: Response, caller: Submitter, upload_id: str) -> UploadBody:
    """Return how many bytes of a file were received."""
    uploads = office_of(request).uploads
    found = uploads.find(caller.tenant, upload_id)
    offset = uploads.offset(found)
    response.headers.update(_told(found, offset))
    return _body(found, offset)


@router.head(
    "/{upload_id}",
    response_class=Response,
    responses={**documented(404), 200: {"headers": dict(OFFSETS)}},
)
def head(request: Request, caller: Submitter, upload_id: str) -> Response:
    """Return the received bytes of a file, in headers only."""
    uploads = office_of(request).uploads
    found = uploads.find(caller.tenant, upload_id)
    return Response(headers=_told(found, uploads.offset(found)))


@router.patch(
    "/{upload_id}",
    status_code=204,
    response_class=Response,
    responses={
        **documented(404, 408, 413),
        204: {"description": "The chunk was received.", "headers": dict(OFFSETS)},
        409: {
            **documented(409)[409],
            "description": "The upload does not end there.",
            "headers": dict(OFFSETS),
        },
    },
    openapi_extra=dict(FILE),
    max_body_size=LARGEST,
)
async def append(
    request: Request,
    caller: Submitter,
    upload_id: str,
    upload_offset: Annotated[int, Header(ge=0, description="Bytes received before.")],
) -> Response:
    """Send a chunk of any size; the last chunk finishes the upload.

    An interrupted chunk is kept as far as it was received: ask for the offset to continue from.
    """
    office = office_of(request)
    uploads = office.uploads
    found = await run_in_threadpool(uploads.find, caller.tenant, upload_id)
    await run_in_threadpool(office.quotas.check_storage, caller.tenant)
    try:
        end = await run_in_threadpool(uploads.offset, found)
        if end != upload_offset:
            raise WrongOffset(end)
        async for piece in pieces(request, PART):
            end = await run_in_threadpool(uploads.add, found, end, piece)
    except WrongOffset as exc:
        refusal = FAULTS.answer(request, exc)
        refusal.headers.update(_told(found, exc.offset))
        return refusal
    if end == found.bytes:
        await run_in_threadpool(uploads.finish, found)
    return Response(status_code=204, headers=_told(found, end))


@router.post("/{upload_id}/finish", responses=documented(404, 409))
def finish(request: Request, caller: Submitter, upload_id: str) -> UploadBody:
    """Finish a complete file; a second call changes nothing."""
    found = office_of(request).uploads.finished(caller.tenant, upload_id)
    return _body(found, found.bytes or 0)


@router.delete("/{upload_id}", status_code=204, responses=documented(404))
def delete(request: Request, caller: Submitter, upload_id: str) -> None:
    """Delete an upload; jobs that were submitted with it keep the file."""
    uploads = office_of(request).uploads
    uploads.delete(uploads.find(caller.tenant, upload_id))


async def _whole(request: Request, uploads: Uploads, tenant: str, name: str) -> Upload:
    with arriving(length_of(request)) as arrival:
        async for piece in pieces(request):
            await run_in_threadpool(arrival.add, piece)
        if not arrival.bytes:
            raise BadInput("the body is empty: send the file, or its size as bytes=N")
        return await run_in_threadpool(uploads.store, tenant, name, arrival)


def _check_name(name: str) -> None:
    """Raise BadInput for an invalid file name."""
    if name.strip(". ") == "" or {"/", "\\", *CONTROLS} & {*name}:
        raise BadInput("this is no name of a file, such as film.mp4", where="name")


def _told(upload: Upload, offset: int) -> dict[str, str]:
    """Return the headers with the received bytes."""
    length = {LENGTH: str(upload.bytes)} if upload.bytes else {}
    return {OFFSET: str(offset), **length, **ALWAYS}


def _body(upload: Upload, offset: int, put: str | None = None) -> UploadBody:
    return UploadBody(
        id=upload.id,
        source=UPLOAD + upload.id,
        name=upload.name,
        bytes=upload.bytes,
        offset=offset,
        sha256=upload.sha256,
        state=upload.state,
        created=datetime.fromtimestamp(upload.created, UTC),
        put=put,
    )

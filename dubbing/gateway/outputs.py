"""`/v1/jobs/{job_id}/report` and `/outputs`: the results of jobs."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from dubbing.assembly.report import PAGE, REPORT, Report, ReportOutput
from dubbing.documents import AnyModel, Model
from dubbing.errors import Conflict, NotFound
from dubbing.gateway.bodies import OutputBody, OutputsBody
from dubbing.gateway.callers import Reader
from dubbing.gateway.jobs import JobId
from dubbing.gateway.office import Office, office_of
from dubbing.gateway.refusals import documented
from dubbing.job.output import saved_as
from dubbing.jobs.fetch import report_of

LINK_SECONDS = 3600
"""Time for which a link to an output in a bucket is valid."""

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get("/{job_id}/report", responses=documented(404, 409))
def report(request: Request, caller: Reader, job_id: JobId) -> Report:
    """Return the report, which proves every line."""
    office = office_of(request)
    office.facts.check(caller, job_id)
    return _told(Report, office, job_id)[1]


@router.get("/{job_id}/outputs", responses=documented(404, 409))
def outputs(request: Request, caller: Reader, job_id: JobId) -> OutputsBody:
    """List the files of a job that has ended with an output."""
    office = office_of(request)
    facts = office.facts.check(caller, job_id)
    found = [
        OutputBody(
            name=output.name, file_name=saved_as(facts.name, output.name), bytes=output.bytes
        )
        for output in _told(_Files, office, job_id)[1].outputs
    ]
    return OutputsBody(outputs=found)


@router.get(
    "/{job_id}/outputs/{name:path}",
    response_class=Response,
    responses={
        **documented(404, 409),
        200: {"content": {"*/*": {}}, "description": "The file, or the requested range."},
        206: {"content": {"*/*": {}}, "description": "A range of the file."},
        307: {"description": "A link to the file in its bucket, valid for an hour."},
        416: {"description": "The file has no such range."},
    },
)
def output(request: Request, caller: Reader, job_id: JobId, name: str) -> Response:
    """Fetch a file of a job: from a folder, with ranges; from a bucket, by a link to it."""
    office = office_of(request)
    facts = office.facts.check(caller, job_id)
    prefix, files = _told(_Files, office, job_id)
    if name not in {PAGE, REPORT, *(output.name for output in files.outputs)}:
        raise NotFound(f"job {job_id!r} has no output {name[:80]!r}")
    storage, file_name = office.client.storage, saved_as(facts.name, name)
    if path := storage.path(prefix + name):
        return FileResponse(path, media_type=_media_type(name), filename=Path(file_name).name)
    return RedirectResponse(storage.link(prefix + name, LINK_SECONDS))


class _Files(Model):
    """The files that a report names: of the report of a long film, a small part."""

    outputs: tuple[ReportOutput, ...] = ()


def _told(part: type[AnyModel], office: Office, job_id: str) -> tuple[str, AnyModel]:
    """Return the prefix of a job's outputs and its report.

    Raises Conflict while there is none, and NotFound when the outputs were removed.
    """
    prefix = office.client.status(job_id).output
    if prefix is None:
        raise Conflict(f"job {job_id!r} has no output yet")
    return prefix, report_of(part, office.client.storage, prefix)


def _media_type(name: str) -> str:
    guessed, _ = mimetypes.guess_type(name)
    return guessed or "application/octet-stream"

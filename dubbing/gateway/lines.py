"""`/v1/jobs/{job_id}/lines/{line}`: the sound of a line, also before the job has ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from dubbing.errors import BadInput, Conflict, NotFound
from dubbing.gateway.callers import Reader
from dubbing.gateway.jobs import JobId
from dubbing.gateway.office import Office, office_of
from dubbing.gateway.refusals import documented
from dubbing.planning.clip import Clip, load_clip
from dubbing.planning.outcome import gather

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get(
    "/{job_id}/lines/{line}",
    response_class=Response,
    responses={
        **documented(404, 409),
        200: {"content": {"audio/flac": {}}, "description": "The line, as it was spoken."},
    },
)
def line(
    request: Request, caller: Reader, job_id: JobId, line: Annotated[str, Path(max_length=100)]
) -> Response:
    """Fetch the sound of a line at its natural pace, as FLAC."""
    office = office_of(request)
    office.facts.check(caller, job_id)
    return Response(_clip(office, job_id, line).data, media_type="audio/flac")


def _clip(office: Office, job_id: str, line: str) -> Clip:
    """Return a line's clip; raises NotFound, and Conflict while it is not there."""
    storage, status = office.client.storage, office.client.status(job_id)
    outcome = gather(storage, job_id, status.round).get(line) if status.round else None
    if outcome is None:
        raise NotFound(f"job {job_id!r} speaks no line {line!r}")
    if not outcome.result.takes and not status.state.ended:
        raise Conflict(f"line {line!r} has not been spoken yet: come again")
    if error := outcome.result.error:
        raise Conflict(f"line {line!r} could not be spoken: {error.message}")
    take = outcome.result.takes[0]
    try:
        return load_clip(storage, take.key, take.digest)
    except (NotFound, BadInput) as exc:
        raise NotFound(f"the sound of line {line!r} is gone: retry the job") from exc

"""`/v1/jobs/{job_id}/lines`: the lines of a job, also before it has ended, and changes of one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from dubbing.documents import Model
from dubbing.errors import BadInput, Conflict, NotFound
from dubbing.gateway.bodies import JobBody, example
from dubbing.gateway.callers import Reader, Submitter
from dubbing.gateway.jobs import JobId, body_of
from dubbing.gateway.manifests import check_by_name
from dubbing.gateway.office import Office, office_of
from dubbing.gateway.refusals import documented
from dubbing.job.segment import LONGEST_TEXT
from dubbing.jobs.approvals import approve, sound_of, take_back
from dubbing.jobs.lines import Lines, outcome_of
from dubbing.jobs.original import original
from dubbing.media.samples import encode_flac
from dubbing.planning.clip import Clip, load_clip

LineId = Annotated[str, Path(max_length=100)]
SOUND: Mapping[str, Any] = {"content": {"audio/flac": {}}}

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


class ChangeBody(Model):
    """The changes of a line; missing fields stay unchanged."""

    model_config = example(text="Der Zug fährt um zehn.", speed=1.1)

    text: str = Field(default="", max_length=LONGEST_TEXT)
    voice: str | None = Field(default=None, min_length=1, max_length=100)
    """A stock voice of the speaker's engine, or the name of a stored one; null: the speaker's."""
    speed: float | None = Field(default=None, ge=0.5, le=2.0)
    """1.0 is the engine's own pace; null: the speaker's."""


class ApprovalBody(Model):
    """The sound to approve."""

    model_config = example(sound="6f1c" * 16)

    sound: str = Field(default="", max_length=100)
    """As given in the list of lines; no other sound is approved."""


@router.get("/{job_id}/lines", response_model=Lines, responses=documented(404))
def lines(request: Request, caller: Reader, job_id: JobId) -> Response:
    """List all lines of a job in time order, with the request and the outcome of each so far."""
    office = office_of(request)
    office.facts.check(caller, job_id)
    # A thread writes the megabytes of JSON, because all other requests would wait for it.
    return Response(office.told.of(office.client.status(job_id)), media_type="application/json")


@router.get(
    "/{job_id}/lines/{line}",
    response_class=Response,
    responses={
        **documented(404, 409),
        200: {**SOUND, "description": "The line, as it was spoken."},
    },
)
def line(request: Request, caller: Reader, job_id: JobId, line: LineId) -> Response:
    """Fetch the sound of a line at its natural pace, as FLAC."""
    office = office_of(request)
    office.facts.check(caller, job_id)
    return Response(_clip(office, job_id, line).data, media_type="audio/flac")


@router.patch("/{job_id}/lines/{line}", responses=documented(404, 409))
def change(
    request: Request, caller: Submitter, job_id: JobId, line: LineId, body: ChangeBody
) -> JobBody:
    """Change a line of a job that has ended, and speak it again: a revision of only this line.

    Its sound can be fetched as soon as it is spoken, before the film is mixed again.
    """
    office = office_of(request)
    facts = office.facts.check(caller, job_id)
    check_by_name([body.voice])
    charge = partial(office.quotas.charge_lines, facts.tenant)
    asked = body.model_dump(exclude_unset=True)
    return body_of(office, office.client.mend(job_id, line, asked, charge=charge))


@router.get(
    "/{job_id}/lines/{line}/original",
    response_class=Response,
    responses={
        **documented(404),
        200: {**SOUND, "description": "Mono, from the line's start on; at most a minute."},
    },
)
def original_sound(request: Request, caller: Reader, job_id: JobId, line: LineId) -> Response:
    """Fetch the sound of the job's media during a line, as FLAC."""
    office = office_of(request)
    office.facts.check(caller, job_id)
    audio = original(office.client.storage, job_id, line)
    return Response(encode_flac(audio), media_type="audio/flac")


@router.put("/{job_id}/lines/{line}/approval", status_code=204, responses=documented(404, 409))
def approve_line(
    request: Request, caller: Submitter, job_id: JobId, line: LineId, body: ApprovalBody
) -> None:
    """Approve the present sound of a line; a line that is spoken again loses its approval."""
    office = office_of(request)
    office.facts.check(caller, job_id)
    storage, status = office.client.storage, office.client.status(job_id)
    if sound_of(outcome_of(storage, status, line).result) != body.sound or not body.sound:
        raise Conflict(f"line {line!r} has a new sound: hear it first")
    approve(storage, job_id, line, body.sound)


@router.delete("/{job_id}/lines/{line}/approval", status_code=204, responses=documented(404))
def take_back_approval(request: Request, caller: Submitter, job_id: JobId, line: LineId) -> None:
    """Withdraw the approval of a line."""
    office = office_of(request)
    office.facts.check(caller, job_id)
    outcome_of(office.client.storage, office.client.status(job_id), line)
    take_back(office.client.storage, job_id, line)


def _clip(office: Office, job_id: str, line: str) -> Clip:
    """Return a line's clip; raises NotFound, and Conflict until it exists."""
    storage, status = office.client.storage, office.client.status(job_id)
    outcome = outcome_of(storage, status, line)
    if not outcome.result.takes and not status.state.ended:
        raise Conflict(f"line {line!r} has not been spoken yet: try again later")
    if error := outcome.result.error:
        raise Conflict(f"line {line!r} could not be spoken: {error.message}")
    take = outcome.result.takes[0]
    try:
        return load_clip(storage, take.key, take.digest)
    except (NotFound, BadInput) as exc:
        raise NotFound(f"the sound of line {line!r} is gone: retry the job") from exc

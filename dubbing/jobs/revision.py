"""Another round of a job that has ended: a retry of failed lines, or a revision of the request.

Both write a plan, which is the round. Starting it is a separate step, which any process may do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from dubbing.engines.engine import EngineSpec
from dubbing.errors import Conflict
from dubbing.job import Job, JobState
from dubbing.jobs.rounds import create_round
from dubbing.jobs.store import latest_round, load_end, load_job, load_round
from dubbing.planning.casting import cast_lines, heard_voices, recast
from dubbing.planning.check import check
from dubbing.planning.outcome import Outcome, gather
from dubbing.planning.plan import CastLine, Reason, Round
from dubbing.storage import Storage
from dubbing.storage.holds import held, shared_by
from dubbing.storage.keys import Keys
from dubbing.telemetry.context import request_id
from dubbing.text.sounds import voiced
from dubbing.voices.names import names, stored_voice, with_stored_voices

Specs = Mapping[str, EngineSpec]
Charge = Callable[[int], None]
"""Called with the number of lines to speak; an exception prevents the round."""


def open_retry(
    storage: Storage,
    specs: Specs,
    job_id: str,
    *,
    engine: str = "",
    voice: str = "",
    charge: Charge = lambda _: None,
) -> Job:
    """Open a round that speaks the lines without a clip; return the job.

    engine, voice: used for these lines instead of the job's own. Raises NotFound, Conflict while
    the job is at work or when no line is missing, and BadInput for an engine or voice that cannot
    speak the lines.
    """
    round_ = _ended_round(storage, job_id)
    job = load_job(storage, job_id, round_)
    outcomes = gather(storage, job_id, round_)
    missing = [one for one in voiced(job).segments if not _spoken(outcomes, one.id)]
    end = load_end(storage, job_id, round_)
    if not missing and end and end.state is JobState.COMPLETED:
        raise Conflict(f"job {job_id!r} is completed: there is nothing to retry")
    cast = job
    if engine or voice:
        asked = recast(job, missing, specs, engine, voice)
        cast = with_stored_voices(asked, specs, partial(stored_voice, storage, job.tenant))
        ids = {segment.id for segment in missing}
        again = tuple(segment for segment in cast.segments if segment.id in ids)
        shorter = cast.model_copy(update={"segments": again or cast.segments})
        check(shorter, specs, voices=names(storage, job.tenant))
    lines = cast_lines(cast, missing, specs, heard_voices(cast, outcomes))
    charge(len(lines))
    before = load_round(storage, job_id, round_)
    now = Round(
        reason=Reason.RETRY, asked=round_ + 1, request=before.request, request_id=request_id()
    )
    with held(storage, shared_by(cast) - shared_by(job), job_id):
        _create(storage, job, now, lines)
    return job


def open_revision(
    storage: Storage, specs: Specs, job: Job, charge: Charge = lambda _: None
) -> bool:
    """Open a round that speaks the lines in which ``job`` differs from its last round.

    Unchanged lines keep their clips, and speakers keep their voices. Returns False when nothing has
    changed. specs: as in `create_round`. Raises NotFound, and Conflict while the job is at work.
    """
    if load_job(storage, job.id).digest() == job.digest():
        return False
    round_ = _ended_round(storage, job.id)
    before = load_job(storage, job.id, round_)
    outcomes = gather(storage, job.id, round_)
    lines = _changed(before, job, outcomes, specs)
    charge(len(lines))
    with held(storage, shared_by(job) - shared_by(before), job.id):
        storage.create(Keys.revision(job.id, job.digest()), job.as_stored())
    now = Round(
        reason=Reason.REVISE, asked=round_ + 1, request=job.digest(), request_id=request_id()
    )
    _create(storage, job, now, lines, specs)
    return True


def _changed(
    before: Job, job: Job, outcomes: Mapping[str, Outcome], specs: Specs
) -> Sequence[CastLine]:
    """Return the changed lines and the lines without a clip."""
    heard = heard_voices(before, outcomes)
    kept = {who: ref for who, ref in heard.items() if before.engine_of(who) == job.engine_of(who)}
    known = [line for line in before.segments if before.engine_of(line.speaker) in specs]
    asked = {cast.line.id: cast for cast in cast_lines(before, known, specs, heard)}
    same_language = before.language == job.language
    return [
        cast
        for cast in cast_lines(job, job.segments, specs, kept)
        if not (
            same_language and asked.get(cast.line.id) == cast and _spoken(outcomes, cast.line.id)
        )
    ]


def _ended_round(storage: Storage, job_id: str) -> int:
    """Return the newest round's number; raises NotFound, or Conflict unless it has ended."""
    load_job(storage, job_id, 1)
    round_ = latest_round(storage, job_id)
    if load_end(storage, job_id, round_) is None:
        raise Conflict(
            f"job {job_id!r} is still at work: wait until it has ended, or cancel it first"
        )
    return round_


def _spoken(outcomes: Mapping[str, Outcome], id_: str) -> bool:
    return id_ in outcomes and not outcomes[id_].result.error


def _create(
    storage: Storage, job: Job, now: Round, lines: Sequence[CastLine], specs: Specs | None = None
) -> None:
    if not create_round(storage, job, now.asked, now, lines, specs):
        raise Conflict(
            f"another round of job {job.id!r} was opened at this moment: look at its status"
        )

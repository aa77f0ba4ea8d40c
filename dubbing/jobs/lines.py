"""The lines of a job at any time, with the request and the present outcome of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from dubbing.assembly.report import Loudness, Report
from dubbing.assembly.report_line import ReportLine
from dubbing.documents import Model
from dubbing.errors import NotFound
from dubbing.job import Segment
from dubbing.jobs.approvals import sound_of
from dubbing.jobs.fetch import report_of
from dubbing.jobs.status import Status
from dubbing.jobs.store import load_job
from dubbing.planning.outcome import Outcome, gather
from dubbing.storage import Storage
from dubbing.text.sounds import is_silent


class LineState(StrEnum):
    """The outcome of a line."""

    WAITING = "waiting"
    SPOKEN = "spoken"
    FAILED = "failed"
    SILENT = "silent"


class Line(Model):
    """A line of a job."""

    state: LineState
    told: ReportLine
    """Its line in the report; without the figures of the mix until it is mixed."""
    own_voice: str | None = None
    """The voice that replaces its speaker's; a stored voice by its digest."""
    own_speed: float | None = None
    seconds: float | None = None
    """Length of its natural take."""
    sound: str = ""
    """Identifies its sound, so that no other sound is approved; empty without sound."""
    approved: bool = False


class Lines(Model):
    """All lines of a job, in time order, with the report's figures of the programme."""

    job: str
    round: int
    language: str
    original: bool
    """Whether the job has media, whose sound can be heard beside a line."""
    seconds: float | None = None
    loudness: Loudness | None = None
    warnings: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()


def lines_of(storage: Storage, status: Status, good: Collection[tuple[str, str]]) -> Lines:
    """Return the lines of a job; raises NotFound, Damaged and NewerRelease.

    good: the approved lines, from `approved`.
    """
    job = load_job(storage, status.id, status.round or 1)
    outcomes = gather(storage, job.id, status.round) if status.round else {}
    report = _report(storage, status)
    told = {line.id: line for line in report.lines} if report else {}
    # The report of the same round already has the silent lines.
    known = told if report and report.round == status.round else {}
    lines = []
    for segment in sorted(job.segments, key=lambda segment: segment.start):
        before = known.get(segment.id)
        if before.silent if before else is_silent(job, segment):
            lines.append(Line(state=LineState.SILENT, told=ReportLine.of_silent(segment)))
        elif outcome := outcomes.get(segment.id):
            lines.append(_line(segment, outcome, told, good, ended=status.state.ended))
        else:
            lines.append(Line(state=LineState.WAITING, told=_asked(segment)))
    return Lines(
        job=job.id,
        round=status.round,
        language=job.language,
        original=job.media is not None,
        seconds=report.seconds if report else None,
        loudness=report.loudness if report else None,
        warnings=report.warnings if report else (),
        lines=tuple(lines),
    )


def outcome_of(storage: Storage, status: Status, line: str) -> Outcome:
    """Return the outcome of one spoken line; raises NotFound."""
    found = gather(storage, status.id, status.round).get(line) if status.round else None
    if found is None:
        raise NotFound(f"job {status.id!r} speaks no line {line!r}")
    return found


def _line(
    segment: Segment,
    outcome: Outcome,
    told: Mapping[str, ReportLine],
    good: Collection[tuple[str, str]],
    *,
    ended: bool,
) -> Line:
    sound = sound_of(outcome.result)
    own = {"own_voice": segment.voice, "own_speed": segment.speed}
    if outcome.lost and not ended:
        return Line(state=LineState.WAITING, told=_asked(segment), **own)
    before = told.get(segment.id)
    return Line(
        state=LineState.SPOKEN if sound else LineState.FAILED,
        told=before if _still(before, segment, outcome) else ReportLine.of(segment, outcome),
        seconds=outcome.result.takes[0].seconds if sound else None,
        sound=sound,
        approved=(segment.id, sound) in good,
        **own,
    )


def _still(before: ReportLine | None, segment: Segment, outcome: Outcome) -> bool:
    """Whether the report of an output describes the present line."""
    return before is not None and (
        (before.round, before.text, before.planned_start, before.planned_end)
        == (outcome.round, segment.text, segment.start, segment.end)
    )


def _asked(segment: Segment) -> ReportLine:
    return ReportLine(
        id=segment.id,
        speaker=segment.speaker,
        text=segment.text,
        planned_start=segment.start,
        planned_end=segment.end,
    )


def _report(storage: Storage, status: Status) -> Report | None:
    """Return the report of a job's output; None without one, or when retention removed it."""
    try:
        return report_of(Report, storage, status.output) if status.output else None
    except NotFound:
        return None

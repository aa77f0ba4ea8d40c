"""The report of a job, ``report.json`` beside the outputs: the measured outcome of every line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dubbing.assembly.report_line import ReportLine
from dubbing.documents import Identifier, Model
from dubbing.engines.usage import EndpointUse
from dubbing.job import Job, JobState
from dubbing.planning.outcome import Outcome
from dubbing.text.sounds import is_silent

REPORT = "report.json"
"""The name of the report."""
PAGE = "report.html"
"""The name of the report as a page. No report names it, because older releases do not know it."""
OUTPUT = (
    r"^(dub\.[a-z0-9]{1,10}|stems/[a-z0-9][a-z0-9-]{0,60}\.wav"
    r"|lines/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.flac)$"
)
"""The names of outputs, and of lines that are fetched before they are mixed. A stored report with
another name counts as damaged, so `fetch` writes no other file."""
LOUDNESS_TOLERANCE = 1.0
"""LU by which speech and programme may miss their profile, in reports of earlier releases."""


class ReportOutput(Model):
    """A file that was written."""

    name: Annotated[str, StringConstraints(pattern=OUTPUT)]
    key: str
    """Storage key."""
    bytes: int
    delivered_to: str | None = None
    """Its copy at the job's ``output.to``, as an ``s3://`` URL."""


class Loudness(Model):
    """The requested and the reached loudness."""

    profile: str
    target: float
    """LUFS of the speech."""
    ceiling: float
    """dBTP."""
    gain: float
    """Decibels applied to the background, before it is lowered under speech."""
    integrated: float | None
    """LUFS of the finished programme by BS.1770; None when it is silent."""
    true_peak: float | None
    """dBTP of the finished programme; None when it is silent."""
    tolerance: float = LOUDNESS_TOLERANCE
    """LU by which speech and programme may miss the profile."""
    speech: float | None = None
    """LUFS of the finished programme, measured while somebody speaks; None when nobody does."""
    distance: float | None = None
    """LU from a line down to the background under it: the least for any 0.4 s in which somebody
    speaks. None if there is no sound under the speech."""
    distance_median: float | None = None
    """The median of these distances."""
    won: Literal["both", "speech"] = "both"
    """The part that meets the profile: speech and programme, or only the speech, if both could
    not."""


class Report(Model):
    """The result of one run of assembly for a job's round."""

    job: Identifier
    round: int
    state: JobState
    """Completed or failed."""
    language: str
    metadata: dict[str, str] = Field(default_factory=dict)
    """Notes of the caller's, as they came with the job."""
    request_id: Identifier | None = None
    """Id of the request over HTTP that asked for the last submission, revision or retry."""
    seconds: float | None = None
    """Length of the programme."""
    loudness: Loudness | None = None
    outputs: tuple[ReportOutput, ...] = ()
    renewed: tuple[str, ...] = ()
    """Ids of the lines spoken since the last submission, revision or retry, with its fallbacks and
    repairs; all other lines are as they were before."""
    used: tuple[EndpointUse, ...] = ()
    """The usage of engines over all rounds of the job, by endpoint."""
    lines: tuple[ReportLine, ...]
    """Every line of the job, in time order."""
    warnings: tuple[str, ...] = ()
    """Lines that a person should check, by id: too long, missing, with wrong or uncertain words, or
    like another voice of the cast; and a loudness that misses the profile."""

    @property
    def missing(self) -> float:
        """Share of missing lines among all lines that are not silent."""
        asked = sum(1 for line in self.lines if not line.silent)
        # A division rounds like the share that a person writes: 0.29 × 100 would be less than 29.
        return sum(1 for line in self.lines if line.error) / max(1, asked)

    @classmethod
    def unmixed(
        cls,
        job: Job,
        round_: int,
        outcomes: Mapping[str, Outcome],
        *,
        asked: int,
        request_id: str | None = None,
        used: Sequence[EndpointUse] = (),
        state: JobState = JobState.FAILED,
    ) -> Report:
        """Return the report on a job's lines before mixing.

        asked: the first round whose lines count as renewed. request_id: as in `Report`.
        used: the job's usage of engines.
        """
        lines = []
        for segment in sorted(job.segments, key=lambda segment: segment.start):
            if is_silent(job, segment):
                lines.append(ReportLine.of_silent(segment))
            elif segment.id in outcomes:
                lines.append(ReportLine.of(segment, outcomes[segment.id]))
        return cls(
            job=job.id,
            round=round_,
            state=state,
            language=job.language,
            metadata=job.metadata,
            request_id=request_id,
            renewed=tuple(line.id for line in lines if line.round >= asked),
            used=tuple(used),
            lines=tuple(lines),
        )

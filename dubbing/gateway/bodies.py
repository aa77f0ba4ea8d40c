"""The bodies of answers about jobs in JSON; OpenAPI shows them with their examples."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from dubbing.documents import Identifier, Model
from dubbing.engines.usage import Use
from dubbing.errors import ErrorRecord
from dubbing.job import Caution, JobState
from dubbing.jobs.facts import JobFacts
from dubbing.jobs.status import Status


def example(**fields: Any) -> ConfigDict:
    """Return the settings of a model that OpenAPI shows by an example."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class LinesBody(Model):
    """Counts of lines."""

    total: int
    done: int
    """Lines that are finished, including failed ones."""
    failed: int


class JobBody(Model):
    """The status of a job."""

    model_config = example(
        id="episode-1.de",
        state="synthesizing",
        round=1,
        tenant="default",
        collection=None,
        language="de",
        metadata={"order": "4711"},
        created="2026-11-30T09:30:00Z",
        lines={"total": 412, "done": 96, "failed": 0},
        place=0,
        seconds_left=310.5,
        lacks=[],
        unable={},
        faults={},
        loading=[],
        error=None,
        used=[],
        output=False,
        cautions=[],
    )

    id: str
    state: JobState
    round: int
    """1 for the submission, and one more for each retry or revision."""
    tenant: str
    collection: str | None
    language: str
    metadata: dict[str, str]
    """The notes sent with the job."""
    created: datetime | None
    lines: LinesBody
    place: int | None
    """Batches that come before its next one."""
    seconds_left: float | None
    """Estimated seconds until its end, by the recent pace; null while unknown."""
    lacks: list[str]
    """Engines, or ``assembly``, that no online worker takes work for."""
    unable: dict[str, str]
    """Engines of ``lacks`` that workers could not load, and why."""
    faults: dict[str, str]
    """Engines of ``lacks`` whose workers take no work for now, and why."""
    loading: list[str]
    """Engines that all their workers are still loading."""
    error: ErrorRecord | None
    """Why the job failed, when it is not for its lines: the report names these."""
    used: list[Use]
    """Its usage, by engine; known at its end."""
    output: bool
    """Whether there are outputs and a report to fetch."""
    cautions: list[Caution] = Field(default=[])
    """Cautions about the request; in the answer to its submission."""


class JobsBody(Model):
    """A page of jobs, the last submitted first."""

    jobs: list[JobBody]
    next: str | None
    """The ``cursor`` of the next page; null at the end."""


class RetryBody(Model):
    """Options for speaking lines without a clip again."""

    model_config = example(engine="openai-kokoro")

    engine: Identifier | None = None
    """In place of the engines that the job names."""
    voice: str | None = Field(default=None, max_length=100)
    """In place of the voices that the job names."""


class OutputBody(Model):
    """A file of a job."""

    name: str
    """As in the job's outputs, such as ``dub.mp4``."""
    file_name: str
    """The suggested name for saving."""
    bytes: int


class OutputsBody(Model):
    """The files of a job."""

    outputs: list[OutputBody]


class EventBody(Model):
    """An event of a job."""

    model_config = example(event="batch", job="episode-1.de", told={"batch": "7", "lines": "12"})

    event: Literal["state", "batch", "status"] | str
    job: str
    told: dict[str, str] = Field(default={})
    """Of a batch, its number and lines; of a state, the state."""


def job_body(status: Status, facts: JobFacts, cautions: tuple[Caution, ...] = ()) -> JobBody:
    """Return the status of a job, as callers see it."""
    created = facts.created
    return JobBody(
        id=status.id,
        state=status.state,
        round=status.round,
        tenant=facts.tenant,
        collection=facts.collection,
        language=facts.language,
        metadata=facts.metadata,
        created=datetime.fromtimestamp(created, UTC) if created is not None else None,
        lines=LinesBody(total=status.lines, done=status.done, failed=status.failed),
        place=status.place,
        seconds_left=status.seconds_left,
        lacks=list(status.lacks),
        unable=status.unable,
        faults=status.faults,
        loading=list(status.loading),
        error=status.error,
        used=list(status.used),
        output=status.output is not None,
        cautions=list(cautions),
    )

"""The job: one programme to be dubbed into one language, and the states it goes through."""

from dubbing.job.caution import Caution, Code
from dubbing.job.job import (
    FILMS,
    SOURCE,
    Background,
    Container,
    Fit,
    Job,
    JobState,
    Output,
    Pronunciations,
    Role,
    Segment,
    json_schema,
)

__all__ = [
    "FILMS",
    "SOURCE",
    "Background",
    "Caution",
    "Code",
    "Container",
    "Fit",
    "Job",
    "JobState",
    "Output",
    "Pronunciations",
    "Role",
    "Segment",
    "json_schema",
]

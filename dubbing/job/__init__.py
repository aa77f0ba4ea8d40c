"""The job: one programme to be dubbed into one language, and the states it goes through."""

from dubbing.job.caution import Caution, Code
from dubbing.job.job import (
    FILMS,
    SOURCE,
    Background,
    Container,
    Fit,
    Identifier,
    Job,
    JobState,
    Model,
    Output,
    Pronunciations,
    Role,
    Segment,
    is_identifier,
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
    "Identifier",
    "Job",
    "JobState",
    "Model",
    "Output",
    "Pronunciations",
    "Role",
    "Segment",
    "is_identifier",
    "json_schema",
]

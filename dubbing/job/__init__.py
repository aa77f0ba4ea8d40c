"""The job: one programme to be dubbed into one language, and its states."""

from dubbing.job.caution import Caution, Code
from dubbing.job.emotion import Emotion
from dubbing.job.fit import Fit
from dubbing.job.job import (
    DEFAULT_TENANT,
    FILMS,
    LONGEST_PROGRAMME,
    Background,
    Container,
    Job,
    JobState,
    Output,
    Pronunciations,
    Request,
    Segment,
)
from dubbing.job.role import Manner, Role

__all__ = [
    "DEFAULT_TENANT",
    "FILMS",
    "LONGEST_PROGRAMME",
    "Background",
    "Caution",
    "Code",
    "Container",
    "Emotion",
    "Fit",
    "Job",
    "JobState",
    "Manner",
    "Output",
    "Pronunciations",
    "Request",
    "Role",
    "Segment",
]

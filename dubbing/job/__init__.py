"""The job: one programme to be dubbed into one language, and its states."""

from dubbing.job.background import Background
from dubbing.job.caution import Caution, Code
from dubbing.job.emotion import Emotion
from dubbing.job.fit import Fit
from dubbing.job.job import DEFAULT_TENANT, LONGEST_PROGRAMME, Job, JobState, Request
from dubbing.job.output import FILMS, Container, Output
from dubbing.job.pronunciations import Pronunciations
from dubbing.job.role import Manner, Role
from dubbing.job.segment import Segment

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

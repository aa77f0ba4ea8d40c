"""`/v1/uploads/{id}/script`: an uploaded script, read as a job would read it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from dubbing.documents import Model
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Submitter
from dubbing.gateway.manifests import Reading
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import documented
from dubbing.job import Caution, Segment


class ScriptBody(Model):
    """A segment: speaker, text and times."""

    model_config = example(
        language=None,
        segments=[
            {"id": "1", "start": 0.5, "end": 2.4, "speaker": "Anna", "text": "At nine."},
        ],
        cautions=[],
    )

    language: str | None
    """BCP 47 tag; null unless its name or a transcript names its language."""
    segments: list[Segment]
    cautions: list[Caution]
    """The cautions about the script."""


def _reading(
    speaker_prefix: Annotated[
        bool, Query(description="Read `NAME:` before the words of a cue as its speaker.")
    ] = False,
    encoding: Annotated[
        str | None, Query(max_length=40, description="The script's encoding, if it is not UTF-8.")
    ] = None,
) -> Reading:
    return Reading(speaker_prefix=speaker_prefix, encoding=encoding)


ScriptReading = Annotated[Reading, Depends(_reading)]
"""The options of the query for reading a script."""

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])


@router.get("/{upload_id}/script", responses=documented(404))
def script(
    request: Request, caller: Submitter, upload_id: str, reading: ScriptReading
) -> ScriptBody:
    """Read an upload as a script; nothing is stored."""
    found = office_of(request).manifests.script(caller, upload_id, reading)
    return ScriptBody(
        language=found.language, segments=list(found.segments), cautions=list(found.cautions)
    )

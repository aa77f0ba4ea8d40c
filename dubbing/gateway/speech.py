"""`/api/synthesize`, `/api/batch_synthesize`, `/api/engines`: speech, at once or as a job."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from dubbing.documents import Model, validated
from dubbing.errors import BadInput
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Reader, Submitter
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import documented
from dubbing.gateway.saying import check_voice, engines_online, said
from dubbing.job import LONGEST_PROGRAMME
from dubbing.script.manifest import Manifest
from dubbing.serving.openai import SOUND

MOST_TEXTS = 1000
LARGEST = 32 << 20
"""Bytes of a request's texts."""
LEAST_SLOT, SLOT_PER_CHARACTER = 3.0, 0.4
"""Seconds of a line's time in a batch: more than slow speech takes in any writing system."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Language = Annotated[str, StringConstraints(min_length=2, max_length=35)]

router = APIRouter(prefix="/api", tags=["speech"])


class SynthesizeBody(Model):
    """A text to be spoken at once."""

    model_config = example(text="The train leaves at nine.", voice_id="Annie", language="en")

    text: Text
    """A text that is too long for the engine is spoken sentence by sentence."""
    voice_id: Name
    """A stock voice of the engine, or a voice of `/api/voices`."""
    engine: Name | None = None
    """By default, the gateway's."""
    language: Language = "zh"
    """BCP 47 tag."""
    output_format: Literal["wav", "mp3", "flac", "opus"] = "wav"
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """Refused for an engine that does not offer this speed."""
    pitch: float = Field(default=1.0, ge=0.5, le=2.0)
    """Factor of the frequency: 2 is an octave up. Refused for an engine without pitch."""


class BatchBody(Model):
    """Texts to be spoken as a job."""

    model_config = example(
        texts=["The train leaves at nine.", "From which platform?"], voice_id="Annie", language="en"
    )

    texts: list[Text] = Field(min_length=1, max_length=MOST_TEXTS)
    """Each at most as long as the engine speaks at once."""
    voice_id: Name
    """As in `/api/synthesize`."""
    engine: Name | None = None
    language: Language = "zh"


class BatchJobBody(Model):
    """The job that speaks the texts."""

    model_config = example(
        job_id="job-5f1c9a0b1c2d3e4f",
        status="/v1/jobs/job-5f1c9a0b1c2d3e4f",
        total=2,
        results=["/v1/jobs/job-5f1c9a0b1c2d3e4f/lines/1", "/v1/jobs/job-5f1c9a0b1c2d3e4f/lines/2"],
    )

    job_id: str
    status: str
    """The route of the job's status; it can wait, and has events."""
    total: int
    results: list[str]
    """The route of each text's sound, in order."""


class EngineBody(Model):
    """An engine."""

    name: str
    summary: str
    languages: list[str]
    """BCP 47 tags; ``*`` for any."""
    voices: list[str]
    """Its stock voices."""
    clones: bool
    """Whether it can speak in the voices of `/api/voices`."""
    speeds: tuple[float, float]
    """Slowest and fastest; equal when it has only one."""
    longest: dict[str, int]
    """Most characters that it speaks at once, by language; ``*`` for all others."""
    reference_seconds: tuple[float, float] | None
    """Shortest and longest speech of a recording that it can clone; null for any."""
    needs_transcript: bool
    """Whether it clones a recording only with its transcript."""
    licence: str
    online: bool
    """Whether a worker is online for it."""


class EnginesBody(Model):
    """The engines."""

    engines: list[EngineBody]


@router.post("/synthesize", responses={**documented(404, 413), **SOUND}, response_class=Response)
def synthesize(request: Request, caller: Submitter, body: SynthesizeBody) -> Response:
    """Speak a text at once, ahead of all jobs; the answer is its sound."""
    office = office_of(request)
    return said(
        office,
        caller,
        body.text,
        engine=body.engine or office.settings.engine,
        voice=body.voice_id,
        language=body.language,
        format_=body.output_format,
        speed=body.speed,
        pitch=round(12 * math.log2(body.pitch), 2),
    )


@router.post(
    "/batch_synthesize",
    status_code=202,
    responses=documented(404, 409, 413),
    max_body_size=LARGEST,
)
def batch_synthesize(request: Request, caller: Submitter, body: BatchBody) -> BatchJobBody:
    """Speak many texts as a job, which keeps the sound of each.

    The job's outputs hold all texts one after the other: each begins 3 s and 0.4 s a character
    after the one before. The same request again is the same job.
    """
    office = office_of(request)
    check_voice(office, caller, body.engine or office.settings.engine, body.voice_id)
    manifest = _manifest(body, caller.tenant)
    job = office.client.submit(manifest, admit=office.admit).id
    status = request.app.url_path_for("job", job_id=job)
    results = [f"{status}/lines/{segment.id}" for segment in manifest.segments]
    return BatchJobBody(job_id=job, status=status, total=len(results), results=results)


@router.get("/engines", responses=documented())
def engines(request: Request, caller: Reader) -> EnginesBody:
    """List the engines that jobs can name."""
    office = office_of(request)
    online = engines_online(office)
    return EnginesBody(
        engines=[
            EngineBody(
                name=name,
                summary=spec.summary,
                languages=list(spec.languages),
                voices=list(spec.voices),
                clones=spec.clones,
                speeds=spec.speed,
                longest=spec.max_characters,
                reference_seconds=spec.reference_seconds,
                needs_transcript=spec.needs_transcript,
                licence=spec.licence,
                online=name in online,
            )
            for name, spec in sorted(office.client.specs().items())
        ]
    )


def _manifest(body: BatchBody, tenant: str) -> Manifest:
    """Return the job of a batch; raises BadInput for texts that together are too long."""
    slots = (LEAST_SLOT + SLOT_PER_CHARACTER * len(text) for text in body.texts)
    times = [*accumulate(slots, initial=0.0)]
    if times[-1] > LONGEST_PROGRAMME:
        raise BadInput("the texts are too long for one job: send several requests", where="texts")
    spans = zip(pairwise(times), body.texts, strict=True)
    fields = {
        "language": body.language,
        "engine": body.engine,
        "tenant": tenant,
        "cast": {"speaker": {"voice": body.voice_id}},
        "segments": [
            {"id": str(n), "start": start, "end": end, "text": text}
            for n, ((start, end), text) in enumerate(spans, 1)
        ],
        "speak_sounds": True,
        "speak_lyrics": True,
    }
    return validated(Manifest, fields, "request")

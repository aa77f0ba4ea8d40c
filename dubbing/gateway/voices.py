"""`/api/extract_voice`, `/api/voices`: voices that are made from recordings."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response, UploadFile

from dubbing.documents import Model
from dubbing.engines.engine import EngineSpec
from dubbing.gateway.bodies import example
from dubbing.gateway.callers import Reader, VoiceMaker
from dubbing.gateway.office import office_of
from dubbing.gateway.refusals import documented
from dubbing.job.output import plain_name
from dubbing.media.scratch import scratch
from dubbing.storage.keys import Keys
from dubbing.voices.library import NamedVoice, unfit_for
from dubbing.voices.reference import LARGEST
from dubbing.voices.voice import Judgement

FIELDS = 1 << 20
"""Bytes of a form beside its recording."""

VoiceId = Annotated[str, Path(max_length=100)]
Name = Annotated[str, Form(max_length=100)]

router = APIRouter(prefix="/api", tags=["voices"])


class StoredVoiceBody(Model):
    """A voice that was made from a recording."""

    model_config = example(
        voice_id="mara",
        name="mara",
        voice_name="mara",
        engine="xtts",
        engines=["openvoice", "xtts"],
        created_at="2026-11-30T09:30:00Z",
        language="de",
        seconds=11.2,
        doubts=[],
        unfit={"indextts": "engine 'indextts' needs a reference of 15 to 60 s, …"},
        judgement={
            "speech": 10.4,
            "loudness": -23.1,
            "snr": 41.0,
            "clipped": 0.0,
            "treble": -28.4,
            "likeness": 0.83,
        },
    )

    voice_id: str
    """Its name in casts, and in `/api/synthesize`."""
    name: str
    """The same."""
    voice_name: str
    """The same."""
    engine: str | None
    """The requested engine, or else the first one of ``engines``."""
    engines: list[str]
    """The engines that can speak in it."""
    created_at: datetime | None
    language: str
    """Of the recording, as a BCP 47 tag; empty when unknown."""
    seconds: float
    """Length of its speech."""
    doubts: list[str]
    """Reasons why it may not sound as intended."""
    unfit: dict[str, str]
    """Engines that clone voices but not this one, each with its requirement."""
    judgement: Judgement | None
    """The measured quality of the sent recording; null for a voice that was not judged."""


class StoredVoicesBody(Model):
    """The caller's voices."""

    voices: list[StoredVoiceBody]


@router.post(
    "/extract_voice",
    status_code=201,
    responses=documented(409, 413),
    max_body_size=LARGEST + FIELDS,
)
def extract_voice(
    request: Request,
    caller: VoiceMaker,
    audio: UploadFile,
    voice_name: Name = "",
    voice_id: Name = "",
    reference_text: Annotated[str, Form(max_length=5000)] = "",
    engine: Name = "",
    language: Annotated[str, Form(max_length=35)] = "",
    consent: Annotated[str, Form(max_length=1000)] = "",
) -> StoredVoiceBody:
    """Make a voice from a recording of one speaker, in any format, of up to 50 MB.

    Its name is `voice_id`, or else `voice_name`, or else a generated one. `reference_text`: its
    transcript. `engine`: an engine that must be able to use it. `consent`: a note on the speaker's
    consent.
    """
    client = office_of(request).client
    with scratch() as folder:
        path = folder / (plain_name(audio.filename or "") or "audio")
        with path.open("wb") as file:
            shutil.copyfileobj(audio.file, file)
        made = client.voices_of(caller.tenant).extract(
            voice_id or voice_name or f"voice-{secrets.token_hex(6)}",
            [path],
            transcript=reference_text,
            language=language,
            consent=consent,
            engines=[engine] if engine else [],
        )
    return _body(made, client.specs(), engine)


@router.get("/voices", responses=documented())
def voices(request: Request, caller: Reader) -> StoredVoicesBody:
    """List the caller's voices, by name; `/api/engines` lists the stock voices."""
    client = office_of(request).client
    specs = client.specs()
    found = client.voices_of(caller.tenant).all()
    return StoredVoicesBody(voices=[_body(named, specs) for named in found])


@router.get("/voices/{voice_id}", responses=documented(404))
def voice(request: Request, caller: Reader, voice_id: VoiceId) -> StoredVoiceBody:
    """Return the details of a voice."""
    client = office_of(request).client
    return _body(client.voices_of(caller.tenant).get(voice_id), client.specs())


@router.get(
    "/voices/{voice_id}/recording",
    response_class=Response,
    responses={
        **documented(404),
        200: {"content": {"audio/flac": {}}, "description": "Its speech, made equally loud."},
    },
)
def recording(request: Request, caller: Reader, voice_id: VoiceId) -> Response:
    """Fetch the recording of a voice as engines get it, as FLAC."""
    client = office_of(request).client
    voice = client.voices_of(caller.tenant).get(voice_id).voice
    return Response(client.storage.get(Keys.reference(voice.digest)), media_type="audio/flac")


@router.delete("/voices/{voice_id}", status_code=204, responses=documented(404, 409))
def delete_voice(request: Request, caller: VoiceMaker, voice_id: VoiceId) -> None:
    """Delete a voice; its recording stays as long as jobs use it."""
    library = office_of(request).client.voices_of(caller.tenant)
    # Only by its name: the digest of a voice may be another tenant's.
    library.get(voice_id)
    library.delete(voice_id)


def _body(named: NamedVoice, specs: Mapping[str, EngineSpec], engine: str = "") -> StoredVoiceBody:
    voice = named.voice
    unfit = unfit_for(specs, voice)
    fit = [name for name, spec in sorted(specs.items()) if spec.clones and name not in unfit]
    return StoredVoiceBody(
        voice_id=named.name,
        name=named.name,
        voice_name=named.name,
        engine=engine or next(iter(fit), None),
        engines=fit,
        created_at=datetime.fromtimestamp(voice.created, UTC) if voice.created else None,
        language=voice.language,
        seconds=round(voice.seconds, 2),
        doubts=list(named.doubts),
        unfit=unfit,
        judgement=voice.judgement,
    )

"""Texts that a worker speaks at once, while the caller waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from fastapi import Response

from dubbing.documents import nearest
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput, EngineMissing, NotFound, Transient
from dubbing.gateway.callers import Caller
from dubbing.gateway.manifests import check_by_name
from dubbing.gateway.office import Office
from dubbing.media.sounds import FORMATS, SoundFormat
from dubbing.queue.say import Said
from dubbing.voices.names import names


def said(
    office: Office,
    caller: Caller,
    text: str,
    *,
    engine: str,
    voice: str,
    language: str,
    format_: SoundFormat,
    speed: float = 1.0,
    pitch: float = 0.0,
) -> Response:
    """Return the sound of a text in a format.

    The header ``X-Engine`` holds the engine, ``X-Node-Id`` its workers, and ``Server-Timing`` their
    time, with the wait for them.

    voice: a stock voice of the engine, or the name of one of the caller's. pitch: in semitones.
    Raises as `Client.say` and `check_voice` do, and Transient at once when the engine has no
    worker.
    """
    check_by_name([voice])
    if engine not in engines_online(office):
        # An unknown engine will have no worker later, either.
        known(office, engine)
        raise Transient(f"no worker of {engine!r} is online: start `dubbing worker {engine}`")
    began = time.monotonic()
    say = partial(
        office.client.say,
        text,
        language=language,
        engine=engine,
        voice=voice,
        speed=speed,
        pitch=pitch,
        tenant=caller.tenant,
        charge=partial(office.quotas.charge_lines, caller.tenant),
    )
    try:
        sound = _said(office, say)
    except BadInput:
        # Only now, as it reads storage.
        check_voice(office, caller, engine, voice)
        raise
    spent = (time.monotonic() - began) * 1000
    encode, media_type = FORMATS[format_]
    headers = {
        "X-Engine": engine,
        "X-Node-Id": ", ".join(sound.workers),
        "Server-Timing": f"speech;dur={spent:.1f}",
    }
    return Response(encode(sound), media_type=media_type, headers=headers)


def _said(office: Office, say: Callable[..., Said]) -> Said:
    try:
        return say(specs=office.specs.get())
    except BadInput:
        # The engine may have been loaded, with other voices, since its spec was read.
        office.specs.forget()
        return say(specs=office.specs.get())


def check_voice(office: Office, caller: Caller, engine: str, voice: str) -> None:
    """Raise NotFound for a voice that neither the engine nor the caller has.

    Raises BadInput for a digest, and EngineMissing for an engine that jobs cannot name.
    """
    check_by_name([voice])
    spec = known(office, engine)
    if voice in spec.voices or not (spec.voices or spec.clones):
        return
    own = names(office.client.storage, caller.tenant)
    if voice not in own:
        close = nearest(voice, [*own, *spec.voices])
        raise NotFound(f"engine {engine!r} has no voice {voice!r}; {close}")


def known(office: Office, engine: str) -> EngineSpec:
    """Return the spec of an engine that jobs can name; raises EngineMissing."""
    specs = office.client.specs()
    if engine not in specs:
        raise EngineMissing(f"there is no engine {engine!r}; {nearest(engine, [*specs])}")
    return specs[engine]


def engines_online(office: Office) -> set[str]:
    """Return the engines with an online worker."""
    workers = office.client.fleet.workers()
    return {engine for worker in workers if worker.online for engine in worker.engines}

"""Recordings of callers: judged and prepared as in `dubbing voices`, and derived."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from fastapi import Request

from dubbing.engine_server.booth import Booth
from dubbing.engine_server.desk import answered
from dubbing.engine_server.forms import packed
from dubbing.errors import BadInput
from dubbing.media.samples import Audio, decode_exact
from dubbing.media.sounds import at_rate
from dubbing.voices.reference import RATE, fault_of, prepare, prepare_sound


def recording_of(data: bytes, *, as_is: bool) -> Audio:
    """Return a recording as mono speech; raises BadInput for one that no voice can be made from.

    data: a file of any format that ffmpeg reads; a mono WAV or FLAC file where it is taken as it
    is. as_is: whether it was judged and prepared already.
    """
    try:
        return decode_exact(data) if as_is else _prepared(data)
    except BadInput as exc:
        # The path of a copy means nothing to the caller.
        raise BadInput(exc.message, where="file") from exc


def sound_of(numbers: Sequence[float], rate: int, where: str) -> Audio:
    """Return samples that JSON carried; raises BadInput, which names ``where``."""
    with np.errstate(over="ignore"):
        samples = np.asarray(numbers, np.float32)
    if not np.isfinite(samples).all():
        raise BadInput("a sample is no finite number", where=where)
    return Audio(samples=samples, rate=rate)


def speech_in(audio: Audio, where: str) -> Audio:
    """Return the speech of a recording, prepared as that of a file is; raises BadInput."""
    prepared = prepare_sound(at_rate(audio, RATE))
    if fault := fault_of(prepared.judgement):
        raise BadInput(fault, where=where)
    return prepared.audio


async def derived(
    request: Request, booth: Booth, reference: Audio, where: str, transcript: str = ""
) -> bytes:
    """Return the form that an engine derives from a recording; raises BadInput for an unfit one."""
    if not booth.spec.clones:
        raise BadInput(f"{booth.name} does not clone", where="engine")
    if fault := booth.spec.reference_fault(reference.seconds, transcript):
        raise BadInput(fault, where=where)
    return packed(await answered(request, booth.extract(reference, transcript)))


def _prepared(data: bytes) -> Audio:
    with tempfile.TemporaryDirectory(prefix="dubbing-") as folder:
        path = Path(folder) / "recording"
        path.write_bytes(data)
        return prepare(path).audio

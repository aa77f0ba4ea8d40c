"""Voices in storage: references in, and what each engine derives from them.

A form is derived once for a voice and a model, kept as safetensors, and derived by whoever lacks
it: the extraction queue only makes sure that it is there before its lines are spoken.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable

import numpy as np
import safetensors.numpy
import soundfile
from safetensors import SafetensorError

from dubbing.engines.engine import VoiceForm, Voicing
from dubbing.errors import BadInput, DubbingError, EngineFailed, NotFound, SpeechRejected
from dubbing.media.samples import Audio
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices.voice import Voice

log = logging.getLogger(__name__)


def store_voice(storage: Storage, voice: Voice, reference: Audio) -> None:
    """Store a voice unless it is there, its recording first."""
    file = io.BytesIO()
    soundfile.write(file, reference.samples, reference.rate, format="FLAC", subtype="PCM_16")
    created = voice.model_copy(update={"created": time.time()})
    storage.create(Keys.reference(voice.digest), file.getvalue())
    storage.create(Keys.voice(voice.digest), created.model_dump_json().encode())


def load_voice(storage: Storage, digest: str) -> tuple[Voice, Audio]:
    """Return a voice and its recording; raises NotFound, or BadInput when it is damaged."""
    voice = Voice.model_validate_json(storage.get(Keys.voice(digest)))
    file = io.BytesIO(storage.get(Keys.reference(digest)))
    try:
        samples, rate = soundfile.read(file, dtype="float32")
    except soundfile.LibsndfileError as exc:
        raise BadInput(
            "the stored recording is damaged: remove it and submit again",
            where=Keys.reference(digest),
        ) from exc
    return voice, Audio(samples=samples, rate=rate)


def voice_form(storage: Storage, engine: Voicing, digest: str) -> VoiceForm:
    """Return the engine's form of a voice, derived now when nobody did before.

    Raises BadInput when the recording is too short or too long for the engine, SpeechRejected
    when the engine cannot use it, and EngineFailed.
    """
    key = Keys.voice_form(digest, engine.spec.name, engine.spec.recipe, engine.model)
    try:
        form: VoiceForm = safetensors.numpy.load(storage.get(key))
        return form
    except NotFound:
        write: Callable[[str, bytes], object] = storage.create
    except SafetensorError:
        log.warning("%s is damaged and will be derived again", key)
        write = storage.replace
    voice, reference = load_voice(storage, digest)
    if fault := engine.spec.reference_fault(voice.seconds):
        raise BadInput(fault, where=f"voice {digest[:12]}")
    try:
        form = engine.extract(reference, voice.transcript)
    except DubbingError:
        raise
    except Exception as exc:
        raise EngineFailed(f"{type(exc).__name__}: {exc}") from exc
    if not all(np.isfinite(array).all() for array in form.values()):
        raise SpeechRejected("the engine derived NaN or infinite values from the reference")
    write(key, safetensors.numpy.save(dict(form)))
    return form

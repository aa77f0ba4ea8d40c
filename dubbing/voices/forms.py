"""The forms of voices: the data that each engine derives from a recording.

A form is derived once per voice and model, and stored as safetensors. A worker that finds no form
derives it; the extraction queue only ensures that the form exists before its lines are spoken.
"""

from __future__ import annotations

import logging

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from dubbing.engines.engine import VoiceForm, Voicing
from dubbing.errors import BadInput, DubbingError, EngineFailed, NotFound, SpeechRejected
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices.store import load_reference, load_voice

log = logging.getLogger(__name__)


def voice_form(storage: Storage, engine: Voicing, digest: str) -> VoiceForm:
    """Return the engine's form of a voice; derive and store it when storage has none.

    Raises BadInput when the recording is too short or too long for the engine or lacks a required
    transcript, SpeechRejected when the engine cannot use it, and EngineFailed for any other error.
    """
    stored = stored_form(storage, engine, digest)
    if stored is not None:
        return stored
    voice, reference = load_voice(storage, digest), load_reference(storage, digest)
    if fault := engine.spec.reference_fault(voice.seconds, voice.transcript):
        raise BadInput(fault, where=f"voice {digest[:12]}")
    try:
        form = engine.extract(reference, voice.transcript)
    except DubbingError:
        raise
    except Exception as exc:
        raise EngineFailed(f"{type(exc).__name__}: {exc}") from exc
    if not all(np.isfinite(array).all() for array in form.values()):
        raise SpeechRejected("the engine derived NaN or infinite values from the reference")
    data = safetensors.numpy.save(dict(form))
    key = _key(engine, digest)
    if not storage.create(key, data) and stored_form(storage, engine, digest) is None:
        storage.replace(key, data)
    return form


def stored_form(storage: Storage, engine: Voicing, digest: str) -> VoiceForm | None:
    """Return the engine's form of a voice; None when storage holds none that can be read.

    engine: only its spec and model digest are used, because another thread may be speaking with it.
    """
    key = _key(engine, digest)
    try:
        form: VoiceForm = safetensors.numpy.load(storage.get(key))
    except NotFound:
        return None
    except SafetensorError:
        log.warning("%s is damaged and will be derived again", key)
        return None
    return form


def _key(engine: Voicing, digest: str) -> str:
    return Keys.voice_form(digest, engine.spec.name, engine.spec.recipe, engine.model)

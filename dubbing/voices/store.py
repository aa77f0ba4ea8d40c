"""Voices in storage: the description and the recording of each."""

from __future__ import annotations

import io
import time

import soundfile

from dubbing.documents import stored
from dubbing.errors import Damaged, NotFound
from dubbing.media.samples import Audio
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices.voice import Voice


def store_voice(storage: Storage, voice: Voice, reference: Audio) -> None:
    """Store a voice unless it exists, its recording first."""
    file = io.BytesIO()
    soundfile.write(file, reference.samples, reference.rate, format="FLAC", subtype="PCM_16")
    created = voice.model_copy(update={"created": time.time()})
    storage.create(Keys.reference(voice.digest), file.getvalue())
    storage.create(Keys.voice(voice.digest), created.model_dump_json().encode())


def load_voice(storage: Storage, digest: str) -> Voice:
    """Return the description of a stored voice; raises NotFound, or Damaged."""
    key = Keys.voice(digest)
    try:
        return stored(Voice, storage.get(key), key)
    except NotFound as exc:
        raise NotFound(f"there is no voice {digest!r}") from exc


def load_reference(storage: Storage, digest: str) -> Audio:
    """Return the recording of a stored voice; raises NotFound, or Damaged."""
    file = io.BytesIO(storage.get(Keys.reference(digest)))
    try:
        samples, rate = soundfile.read(file, dtype="float32")
    except soundfile.LibsndfileError as exc:
        raise Damaged(Keys.reference(digest)) from exc
    return Audio(samples=samples, rate=rate)

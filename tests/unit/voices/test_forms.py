"""Voices in storage: damage is detected, and repaired where possible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from speech import recording

from dubbing.engines.adapters.tone import Tone
from dubbing.errors import Damaged
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.voices.forms import voice_form
from dubbing.voices.store import store_voice
from dubbing.voices.voice import Voice

DIGEST = "ab" * 32


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage.at(str(tmp_path))
    sound = recording()
    store_voice(storage, Voice(digest=DIGEST, seconds=sound.seconds), sound)
    return storage


@pytest.fixture
def tone() -> Tone:
    tone = Tone()
    tone.load("cpu")
    return tone


def test_a_form_that_is_damaged_is_derived_again(storage: Storage, tone: Tone) -> None:
    form = voice_form(storage, tone, DIGEST)
    key = Keys.voice_form(DIGEST, "tone", 1, tone.model)
    whole = storage.get(key)
    storage.replace(key, whole[:20])
    again = voice_form(storage, tone, DIGEST)
    assert all(np.array_equal(form[name], again[name]) for name in form)
    assert storage.get(key) == whole


def test_a_recording_that_is_damaged_is_named(storage: Storage, tone: Tone) -> None:
    storage.replace(Keys.reference(DIGEST), b"no sound")
    with pytest.raises(Damaged, match=f"{Keys.reference(DIGEST)}.*damaged"):
        voice_form(storage, tone, DIGEST)

"""A voice is deleted, and a document that names it is written, by two processes at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from dubbing.engines.catalogue import Catalogue
from dubbing.errors import Conflict, NotFound
from dubbing.job import Job, Role, Segment
from dubbing.media.samples import Audio
from dubbing.script.manifest import Manifest, ManifestRole
from dubbing.storage import Storage
from dubbing.storage.holds import Shared, held, holders
from dubbing.storage.keys import Keys
from dubbing.submission.submit import Checker, Submitter
from dubbing.voices.library import Voices
from dubbing.voices.store import store_voice
from dubbing.voices.voice import Voice

DIGEST = "ab" * 32
VOICE = Shared.voice(DIGEST)
JOB = Job(id="film", language="en", cast={"Ada": Role(clone=DIGEST)})


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """Holds a voice with the name ``ada``."""
    storage = Storage.at(str(tmp_path / "storage"))
    sound = Audio(samples=np.ones(24_000, np.float32) / 2, rate=24_000)
    store_voice(storage, Voice(digest=DIGEST, seconds=8), sound)
    storage.create(Keys.voice_name("ada"), DIGEST.encode())
    return storage


@pytest.fixture
def voices(storage: Storage) -> Voices:
    return Voices(storage, dict)


class Interrupted(Storage):
    """A storage in which another process does its work just before or after one write."""

    def __init__(self, url: str, at: float, work: Callable[[], object]) -> None:
        """Do ``work`` at the write number ``at``, counted from 0; after it for a half more."""
        super().__init__(None, url)
        self._at, self._work, self.writes = at, work, 0

    def _around(self, write: Callable[[], Any]) -> Any:
        now, self.writes = self.writes, self.writes + 1
        if self._at == now:
            self._work()
        done = write()
        if self._at == now + 0.5:
            self._work()
        return done

    def create(self, key: str, data: bytes) -> bool:
        return bool(self._around(lambda: super(Interrupted, self).create(key, data)))

    def replace(self, key: str, data: bytes) -> None:
        self._around(lambda: super(Interrupted, self).replace(key, data))

    def delete(self, key: str) -> None:
        self._around(lambda: super(Interrupted, self).delete(key))


WRITES = [n / 2 for n in range(16)]


def submit(storage: Storage) -> bool:
    """Store a job with a voice, as submission does; return whether it was accepted."""
    try:
        with held(storage, [VOICE], "film"):
            storage.create(Keys.job("film"), JOB.model_dump_json().encode())
    except (Conflict, NotFound):
        return False
    return True


def check_consistent(storage: Storage, *, accepted: bool) -> None:
    assert storage.exists(Keys.job("film")) == accepted
    there = [storage.exists(key) for key in (Keys.voice(DIGEST), Keys.reference(DIGEST))]
    assert not accepted or all(there)
    assert all(there) or not any(there)
    left = [*storage.keys(Keys.voice_holds(DIGEST)), *storage.keys(Keys.voice_deletions(DIGEST))]
    assert left == []


@pytest.mark.parametrize("at", WRITES)
def test_no_job_is_accepted_in_the_midst_of_the_deletion_of_its_voice(
    voices: Voices, storage: Storage, at: float
) -> None:
    accepted: list[bool] = []
    crossed = Interrupted(storage.url, at, lambda: accepted.append(submit(storage)))
    gone = not Voices(crossed, dict).delete("ada").kept
    if not accepted:
        assert at >= crossed.writes
        return
    check_consistent(storage, accepted=accepted[0])
    assert gone != accepted[0]


@pytest.mark.parametrize("at", WRITES)
def test_no_voice_is_deleted_in_the_midst_of_a_submission_that_is_accepted(
    voices: Voices, storage: Storage, at: float
) -> None:
    deletions: list[bool] = []
    crossed = Interrupted(storage.url, at, lambda: deletions.append(not voices.delete("ada").kept))
    accepted = submit(crossed)
    if deletions:
        check_consistent(storage, accepted=accepted)
        assert deletions[0] != accepted
    else:
        assert at >= crossed.writes


def test_a_hold_of_a_process_that_was_killed_is_ignored_after_an_hour(
    voices: Voices, storage: Storage
) -> None:
    for key in (f"{Keys.voice_holds(DIGEST)}film", f"{Keys.voice_deletions(DIGEST)}0"):
        storage.create(key, b"")
        path = storage.path(key)
        assert path
        os.utime(path, (time.time() - 3700,) * 2)
    with held(storage, [VOICE], "other"):
        assert holders(storage, VOICE) == ("other",)
    assert not voices.delete("ada").kept


def test_a_job_whose_voice_is_deleted_after_its_check_is_not_stored(
    voices: Voices, storage: Storage
) -> None:
    line = Segment(id="1", start=0, end=3, speaker="Ada", text="Good day.")
    role = ManifestRole(voice="ada", engine="tone")
    job = Manifest(id="film", language="en", segments=(line,), cast={"Ada": role})
    checker = Checker(storage=storage, catalogue=Catalogue(), engine="tone")
    absent = cast(Any, None)
    submitter = Submitter(checker=checker, ledger=absent, publisher=absent, installation=absent)
    checked = checker.check(job)
    assert not voices.delete("ada").kept
    with pytest.raises(NotFound, match="is gone: it was deleted meanwhile"):
        submitter._store(checked.intake.stored)
    assert not storage.exists(Keys.job("film"))
    assert not storage.exists(Keys.open("film"))

"""A background that is the film's own sound without speech, as assembly makes and keeps it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scenes import dub, film, heard, scene
from tiny import demucs as tiny

from dubbing.assembly.demucs import Separator
from dubbing.assembly.programme import Programme, prepare
from dubbing.assembly.separation import without_voices
from dubbing.assembly.speechless import separated
from dubbing.errors import EngineMissing
from dubbing.job import Background, Job, Output
from dubbing.media.probe import RATE, decode
from dubbing.media.samples import Samples
from dubbing.planning.outcome import gather
from dubbing.storage import Storage

CHANNELS = 6


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


@pytest.fixture
def job(storage: Storage) -> Job:
    return scene(
        storage,
        media=film(storage, channels=CHANNELS, seconds=15),
        background=Background(mode="separate"),
        output=Output(formats=("flac",)),
    )


@pytest.fixture
def separator(tmp_path: Path) -> Separator:
    tiny.make(tmp_path / "demucs")
    return Separator(tmp_path / "demucs", "cpu")


def track(programme: Programme) -> Samples:
    assert programme.track
    return np.concatenate(list(decode(programme.track.path, CHANNELS)))


def test_a_film_without_speech_is_made_once_and_heard_under_the_lines(
    job: Job, storage: Storage, separator: Separator, tmp_path: Path
) -> None:
    with pytest.raises(EngineMissing, match="cannot take the speech out of a film"):
        dub(job, storage, tmp_path)

    plain = prepare(job, job.segments, gather(storage, job.id, 1), storage, tmp_path)
    first = separated(plain, storage, tmp_path, separator, lambda: None)

    assert plain.film
    own = decode(plain.film.path, CHANNELS)
    with separator.loaded() as model:
        rest = without_voices(own, model, channels=CHANNELS, check=lambda: None)
        np.testing.assert_allclose(track(first), np.concatenate(list(rest)), atol=1e-6)

    # A dub into another language would find it, too.
    (kept,) = Path(storage.url).glob("backgrounds/*")
    soundfile.write(kept, np.zeros_like(track(first)), RATE, "PCM_24")
    report = dub(job, storage, tmp_path, separator=separator)
    assert not heard(report, storage, "dub.flac", CHANNELS)[13 * RATE : 14 * RATE].any()


def test_a_stored_track_that_is_cut_short_is_made_again(
    job: Job, storage: Storage, separator: Separator, tmp_path: Path
) -> None:
    film(storage, seconds=4)
    plain = prepare(job, job.segments, gather(storage, job.id, 1), storage, tmp_path)
    separated(plain, storage, tmp_path, separator, lambda: None)
    (kept,) = Path(storage.url).glob("backgrounds/*")
    whole = kept.read_bytes()
    kept.write_bytes(whole[: -len(whole) // 10])

    separated(plain, storage, tmp_path, separator, lambda: None)

    assert kept.read_bytes() == whole

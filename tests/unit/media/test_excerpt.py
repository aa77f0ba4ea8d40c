from __future__ import annotations

from pathlib import Path

import films
import numpy as np
import pytest
from obstore.store import MemoryStore
from scenes import ffmpeg

from dubbing.errors import BadInput, NotFound
from dubbing.media.excerpt import excerpt
from dubbing.media.probe import RATE, decode
from dubbing.media.samples import Samples
from dubbing.storage import Storage
from dubbing.storage.ranges import opened

SWEEP = "aevalsrc=0.5*sin(2*PI*(200*t+60*t*t)):s=48000:d=6"
"""A sound of which no two moments are alike."""


@pytest.fixture(scope="module", params=["mkv", "mp4", "mp3", "ts"])
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / f"film.{request.param}"
    sweep = ("-f", "lavfi", "-i", SWEEP)
    if request.param == "mp3":
        ffmpeg(*sweep, path)
    else:
        ffmpeg(*films.flashes(), *sweep, "-g", "50", *films.FILMS[request.param], path)
    return path


def whole(path: Path) -> Samples:
    return np.concatenate(list(decode(path, 1)))[:, 0]


@pytest.mark.parametrize("start", [0.0, 3.25])
def test_an_excerpt_is_what_the_film_sounds_like_then(film: Path, start: float) -> None:
    with film.open("rb") as file:
        found = excerpt(file, film.name, start=start, seconds=1.5)
    assert (len(found.samples), found.rate) == (1.5 * RATE, RATE)
    there = whole(film)[round(start * RATE) :][: len(found.samples)]
    # The begin of a lossy sound is not exact, and times in the copy are in milliseconds.
    middle = slice(RATE // 4, RATE)
    lags = range(-200, 201)
    alike = [np.corrcoef(np.roll(found.samples, lag)[middle], there[middle])[0, 1] for lag in lags]
    assert max(alike) > 0.98


def test_after_the_end_of_a_film_it_is_silent(tmp_path: Path) -> None:
    path = films.make(tmp_path / "film.mkv")
    with path.open("rb") as file:
        found = excerpt(file, path.name, start=5.5, seconds=2.0)
    assert len(found.samples) == 2 * RATE
    assert np.abs(found.samples[: RATE // 4]).max() > 0.01
    assert not found.samples[RATE:].any()


def test_a_film_without_sound_has_no_excerpt(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    ffmpeg(*films.flashes(1), "-c:v", "libx264", path)
    with path.open("rb") as file, pytest.raises(BadInput, match="no sound"):
        excerpt(file, path.name, start=0, seconds=1)


def test_of_a_film_in_a_bucket_only_a_part_is_read(film: Path) -> None:
    storage = Storage(MemoryStore(), "s3://films")
    storage.replace("film", film.read_bytes())
    with opened(storage, "film") as far, film.open("rb") as near:
        asked = {"name": "film", "start": 2.0, "seconds": 0.5}
        both = [excerpt(file, **asked).samples for file in (far, near)]  # type: ignore[arg-type]
    assert np.array_equal(*both)
    with pytest.raises(NotFound):
        opened(storage, "other")

"""The files that the jobs of one call name."""

from __future__ import annotations

from pathlib import Path

from dubbing.storage import Storage
from dubbing.submission.sources import Sources


def test_a_film_is_hashed_once_for_all_jobs_of_a_call(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"one")
    sources = Sources(Storage.at(str(tmp_path / "storage")))
    first = sources.key(str(film))
    film.write_bytes(b"two")
    assert sources.key(str(film)) == first
    assert Sources(sources.storage).key(str(film)) != first

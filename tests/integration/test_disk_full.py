"""Disks that are full: of the storage, of the temporary files, and where a film is fetched to."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from films import make
from services import PLUGINS, unavailable
from system import System, numbered, script

from dubbing.assembly.assemble import assemble
from dubbing.errors import FullDisk, MediaError, StorageUnavailable
from dubbing.job import JobState
from dubbing.media import disk as disk_module
from dubbing.media.pictures import Pictures
from dubbing.media.probe import probe
from dubbing.media.samples import decode_clip

LARGE = 600 << 20
"""Bytes; nothing of it is taken before something is written."""
MEGABYTE = 1 << 20
PAGE = 4096


class Disk:
    """A disk in memory whose size changes while it is used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self._mount("--types", "tmpfs", f"--options=size={LARGE}", "tmpfs")

    def leave(self, size: int) -> None:
        """Leave room for so many bytes, whatever is written meanwhile."""
        while True:
            found = os.statvfs(self.path)
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            try:
                self._mount(f"--options=remount,size={used + size}")
            except subprocess.CalledProcessError:
                # More is in use by now.
                continue
            return

    def files(self) -> set[Path]:
        return {path for path in self.path.rglob("*") if path.is_file()}

    def remove(self) -> None:
        subprocess.run(["umount", "--lazy", self.path], check=True)

    def _mount(self, *options: str) -> None:
        subprocess.run(["mount", *options, self.path], check=True, capture_output=True)


@contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    try:
        disk = Disk(folder / "disk")
    except (OSError, subprocess.CalledProcessError):
        unavailable("the right to mount a disk")
    yield disk
    disk.remove()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """The disk of the storage."""
    with mounted(tmp_path_factory.mktemp("stored")) as disk:
        yield disk


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """The disk of the temporary files of assembly."""
    with mounted(tmp_path_factory.mktemp("temporary")) as disk:
        yield disk


class Crowded(System):
    """A worker of the faulty engine, and one of assembly whose temporary files have a disk."""

    ENGINES: ClassVar[Mapping[str, str]] = {"faulty": "faulty"}


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, stored: Disk, temporary: Disk
) -> Iterator[Crowded]:
    home, storage_url = tmp_path_factory.mktemp("crowded"), str(stored.path / "storage")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with Crowded(home, storage_url=storage_url, slots=1) as system:
            system._workers["assembly"] = system.launch("assembly", TMPDIR=str(temporary.path))
            system.ready()
            yield system


def errors(system: System) -> str:
    """What keeps workers from taking work, as `dubbing workers` tells it."""
    found = system.client.fleet.workers()
    return "".join(error for worker in found if not worker.queues for error in worker.errors)


def test_a_job_waits_for_room_in_storage_and_nothing_is_stored_in_part(
    system: Crowded, stored: Disk
) -> None:
    job = script("crowded", *numbered("Crowded", 24, "<slow:0.1>"))
    system.client.submit(job)
    system.begun(job, 5)
    stored.leave(PAGE)
    system.until(lambda: "No space left on device" in errors(system), "told")
    with pytest.raises(StorageUnavailable, match="No space left"):
        system.client.submit(script("late", *numbered("Late", 100)))
    assert system.client.ledger.standings.snapshot("late") is None
    assert {key for key in system.keys(job) if "#" in key} == set()
    assert not [path for path in stored.files() if "#" in path.name]
    for key in system.client.storage.keys("clips/"):
        assert decode_clip(system.client.storage.get(key)).seconds > 0

    stored.leave(LARGE)
    system.wait("crowded")
    assert system.whole(job)


def test_a_film_is_not_blamed_for_a_disk_without_room_for_its_trial(
    tmp_path: Path, temporary: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = make(tmp_path / "film.mp4")
    picture = Pictures(
        film=film, info=probe(film), language="de", subtitles=None, original_sound=False
    )
    monkeypatch.setattr(tempfile, "tempdir", str(temporary.path))
    (temporary.path / "full").write_bytes(bytes(PAGE))
    temporary.leave(0)
    with pytest.raises(FullDisk, match=r"film\.mp4: no space is left .* make room"):
        picture.try_copy("mp4")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (temporary.path / "full").unlink()
    # A disk in memory has room for a folder.
    monkeypatch.setattr(os, "mkdir", full)
    with pytest.raises(FullDisk, match="no space is left for temporary files: make room"):
        picture.try_copy("mp4")


def test_an_assembly_without_room_fails_clearly_and_leaves_nothing(
    system: Crowded, temporary: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary.leave(MEGABYTE)
    job = script("cramped", *numbered("Cramped", 3))
    status = system.run(job)
    assert status.state is JobState.FAILED
    assert status.error
    assert "make room, or set TMPDIR" in status.error.message
    assert temporary.files() == set()

    # There was room when it was looked at; there is none for the mix, then for the outputs.
    monkeypatch.setattr(disk_module, "SPARE", 0)
    for begun in ("speech.f32", "dub.srt"):
        temporary.leave(LARGE)
        with pytest.raises(MediaError, match=r"(?i)no space (is )?left"):
            assemble(
                job,
                1,
                "run",
                system.outcomes(job),
                system.client.storage,
                temporary.path,
                check=lambda name=begun: any(temporary.path.rglob(name)) and temporary.leave(0),
            )
        assert temporary.files() == set()

    temporary.leave(LARGE)
    system.client.retry("cramped")
    assert system.wait("cramped").state is JobState.COMPLETED
    assert temporary.files() == set()

    temporary.leave(PAGE)
    with pytest.raises(MediaError, match=r"dub\.flac.* cannot be written: No space left"):
        system.client.fetch("cramped", temporary.path)
    assert temporary.files() == set()

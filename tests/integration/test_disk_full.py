"""Disks that are full: of the storage, of the temporary files, and where a film is fetched to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import PLUGINS, unavailable
from system import System, numbered, script

from dubbing.assembly.assemble import assemble
from dubbing.errors import MediaError, StorageUnavailable
from dubbing.job import JobState
from dubbing.media import disk as disk_module
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


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        disk = Disk(tmp_path / "disk")
    except (OSError, subprocess.CalledProcessError):
        unavailable("the right to mount a disk")
    yield disk
    disk.remove()


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))


def errors(system: System) -> str:
    """What keeps workers from taking work, as `dubbing workers` tells it."""
    found = system.client.fleet.workers()
    return "".join(error for worker in found if not worker.queues for error in worker.errors)


@pytest.mark.usefixtures("plugins")
def test_a_job_waits_for_room_in_storage_and_nothing_is_stored_in_part(
    tmp_path: Path, disk: Disk
) -> None:
    with System(tmp_path / "home", storage_url=str(disk.path / "storage"), slots=1) as system:
        job = script("crowded", *numbered("Crowded", 12, "<slow:0.1>"))
        system.client.submit(job)
        system.begun(job, 5)
        disk.leave(PAGE)
        system.until(lambda: "No space left on device" in errors(system), "told")
        with pytest.raises(StorageUnavailable, match="No space left"):
            system.client.submit(script("late", *numbered("Late", 100)))
        assert system.client.ledger.snapshot("late") is None
        assert {key for key in system.keys(job) if "#" in key} == set()
        assert not [path for path in disk.files() if "#" in path.name]
        for key in system.client.storage.keys("clips/"):
            assert decode_clip(system.client.storage.get(key)).seconds > 0

        disk.leave(LARGE)
        system.wait("crowded")
        assert system.whole(job)


@pytest.mark.usefixtures("plugins")
def test_an_assembly_without_room_fails_clearly_and_leaves_nothing(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.leave(MEGABYTE)
    with System(tmp_path / "home", slots=1) as system:
        system.ready()
        system.stop("assembly")
        system._workers["assembly"] = system.launch("assembly", TMPDIR=str(disk.path))
        job = script("cramped", *numbered("Cramped", 3))
        status = system.run(job)
        assert status.state is JobState.FAILED
        assert status.error
        assert "make room, or set TMPDIR" in status.error.message
        assert disk.files() == set()

        # There was room when it was looked at; there is none for the mix, then for the outputs.
        monkeypatch.setattr(disk_module, "SPARE", 0)
        for begun in ("mix.f32", "dub.srt"):
            disk.leave(LARGE)
            with pytest.raises(MediaError, match=r"(?i)no space (is )?left"):
                assemble(
                    job,
                    1,
                    "run",
                    system.outcomes(job),
                    system.client.storage,
                    disk.path,
                    check=lambda name=begun: any(disk.path.rglob(name)) and disk.leave(0),
                )
            assert disk.files() == set()

        disk.leave(LARGE)
        system.client.retry("cramped")
        assert system.wait("cramped").state is JobState.COMPLETED
        assert disk.files() == set()

        disk.leave(PAGE)
        with pytest.raises(MediaError, match=r"dub\.flac.* cannot be written: No space left"):
            system.client.fetch("cramped", disk.path)
        assert disk.files() == set()

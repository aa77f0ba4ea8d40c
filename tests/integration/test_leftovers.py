"""What an assembly leaves behind when its worker is told to end, or is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from system import System

from dubbing.job import JobState, Segment
from dubbing.jobs.finish import DELIVERY
from dubbing.media.scratch import HELD, scratch, sweep
from dubbing.script.manifest import Manifest

HOUR = Manifest(
    id="hour",
    language="en",
    segments=(Segment(id="1", start=0, end=3 * 3600, text="♪"),),
)
"""A job without a word to speak, whose silence takes a while to mix."""
KILLED = "from dubbing.media.scratch import scratch; import os, signal\n"
KILLED += "with scratch() as folder: (folder / 'mix').touch(); os.kill(os.getpid(), signal.SIGKILL)"


class Assembling(System):
    ENGINES: ClassVar[Mapping[str, str]] = {}


def leftovers() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob(f"{HELD}*"))


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    # A worker would sweep those of processes that other tests have killed.
    sweep()
    with Assembling(tmp_path / "home", slots=1) as system:
        system.client.submit(HOUR)
        yield system


def mixing(system: System) -> None:
    """Start an assembly worker; return once it mixes."""
    before = leftovers()
    system.start("assembly")
    mixes = lambda: [mix for new in leftovers() - before for mix in new.rglob("speech.f32")]  # noqa: E731
    system.until(lambda: any(mix.stat().st_size for mix in mixes()), "mixing")


def test_an_assembly_whose_worker_is_told_to_end_is_handed_back_at_the_next_block(
    system: System,
) -> None:
    before = leftovers()
    for told in (os.killpg, os.kill):
        # A supervisor tells all processes, or the first one alone.
        mixing(system)
        worker = system.worker("assembly")
        told(worker.pid, signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
        assert leftovers() == before
        assert system.client.status("hour").state is JobState.ASSEMBLING
        # It is no death, and nobody has to wait for a lease.
        assert system.client.ledger.deliver_again("hour", DELIVERY) == 0
        system.client.ledger.forgive("hour", [DELIVERY])
    assert system.log("assembly").count("handed back: this worker was told to end") == 2
    system.client.cancel("hour")


def test_the_folder_of_a_killed_assembly_is_swept_at_the_next_start(system: System) -> None:
    before = leftovers()
    mixing(system)
    os.killpg(system.worker("assembly").pid, signal.SIGKILL)
    system.worker("assembly").wait()
    (killed,) = leftovers() - before
    assert list(killed.rglob("speech.f32"))
    system.client.cancel("hour")
    with scratch() as living:
        system.start("assembly")
        system.until(lambda: killed not in leftovers(), "swept")
        assert leftovers() - before == {living}
    assert leftovers() == before


def test_only_folders_whose_process_is_gone_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert (left / "mix").exists()
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / f"{HELD}link").symlink_to(other)
    with scratch() as living:
        (living / "mix").touch()
        sweep()
        assert set(tmp_path.iterdir()) == {living, other, tmp_path / f"{HELD}link"}
        assert (living / "mix").exists()
    assert living not in set(tmp_path.iterdir())

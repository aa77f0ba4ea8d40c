"""Each command of docs/operations.md, as it stands there, in a system with work that failed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis_server import free_port
from services import PLUGINS
from system import SECONDS, System, numbered, pool_processes, script

from dubbing.embedded.stack import environment
from dubbing.errors import NotFound
from dubbing.job import JobState
from dubbing.script.manifest import Manifest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"
UPGRADE = "How to upgrade"
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
REMARK = re.compile(r"\s{2,}#.*")
NAMES = {"JOB": "episode-2", "COLLECTION": "season-1", "TENANT": "default", "ENGINE": "faulty"}
NAMES["FINISHED"] = "episode-1"
"""What the words in capitals stand for."""


def commands(section: str = "") -> list[str]:
    """Return the commands of the page, or of a section, in order."""
    text = PAGE.read_text()
    if section:
        text = text.partition(f"## {section}\n")[2].partition("\n## ")[0]
    blocks = [block for kind, block in BLOCK.findall(text) if kind in {"", "sh"}]
    lines = (line for block in blocks for line in block.replace("\\\n", " ").splitlines())
    found = (REMARK.sub("", line).strip() for line in lines if not line.startswith("#"))
    return list(dict.fromkeys(line for line in found if line))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        port = free_port()
        patch.setitem(NAMES, "URL", f"redis://127.0.0.1:{port}/0")
        with System(tmp_path_factory.mktemp("operations"), slots=1, port=port) as system:
            system.run(script("episode-1", "A line", collection=NAMES["COLLECTION"]))
            system.run(script("episode-2", "A line", "<raise> Never", collection="season-1"))
            yield system


def test_the_page_has_commands() -> None:
    assert len(commands()) >= 7


def run(system: System, command: str, **variables: str) -> str:
    """Return the output of a command as the page has it; it has to exit with 0."""
    words = re.sub(r"\b[A-Z]{3,}\b", lambda found: NAMES.get(found[0], found[0]), command)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", words],
        env={
            **os.environ,
            **environment(system.settings),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(PLUGINS),
            **variables,
        },
        cwd=system.settings.home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("command", [one for one in commands() if one not in commands(UPGRADE)])
def test_a_command_of_the_page_answers(system: System, command: str) -> None:
    run(system, command)
    # `retry` leaves the job at work.
    system.wait(NAMES["JOB"])


def test_workers_of_two_releases_serve_a_job_and_the_older_one_is_replaced(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from soaking.before import Before

    try:
        before = Before(tmp_path, system.settings).variables
    except NotFound as exc:
        pytest.skip(str(exc))
    listing, drain = commands(UPGRADE)
    known = {worker.name for worker in system.client.fleet.workers()}
    older = system.launch("faulty", log="older", **before)
    try:
        system.until(lambda: "Started consuming from synthesis" in system.log("older"), "ready")
        names = {line.split()[0] for line in run(system, listing, **before).splitlines()}
        (older_name,) = (name for name in names - known if name.startswith("faulty."))
        monkeypatch.setitem(NAMES, "WORKER", older_name)
        job = script("upgraded", *numbered("Upgraded", 32, "<slow:0.2>"))
        system.client.submit(job)
        pools = [set(pool_processes(one.pid)) for one in (older, system.worker("faulty"))]
        system.until(lambda: all(pool & speakers(system, job) for pool in pools), "both speak")
        run(system, drain, **before)
        assert older.wait(timeout=SECONDS) == 0
    finally:
        if older.poll() is None:
            os.killpg(older.pid, signal.SIGKILL)
            older.wait()
    system.wait(job.id)
    assert system.whole(job)
    assert set(system.spoken(job).values()) == {1}


def speakers(system: System, job: Manifest) -> set[int]:
    """Return the ids of the processes that have begun a line of a job."""
    texts = {segment.text for segment in job.segments}
    begun = (row.partition("\t") for row in system.spoken_log.read_text().splitlines())
    return {int(pid) for pid, _, text in begun if text in texts}


def test_a_storage_that_was_restored_from_an_older_copy_is_made_whole(system: System) -> None:
    job = script("restored", *numbered("Restored", 12, "<slow:0.1>"))
    system.client.submit(job)
    system.begun(job, 6)
    storage, copy = Path(system.settings.storage), system.settings.home / "copy"
    # What is being written has another name until it is whole.
    shutil.copytree(storage, copy, ignore=shutil.ignore_patterns("*#*"))
    system.wait(job.id)
    later = script("later", "A line that the copy lacks.")
    system.run(later)
    for name in system.ENGINES:
        system.stop(name)
    shutil.rmtree(storage)
    copy.rename(storage)
    for command in commands("After a lost disk"):
        run(system, command)
    for name in system.ENGINES:
        system.start(name)
    system.wait(job.id)
    assert system.whole(job)
    with pytest.raises(NotFound):
        system.client.status(later.id)
    assert system.run(later).state is JobState.COMPLETED

"""Each command of docs/operations.md, as it stands there, in a system with work that failed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import PLUGINS
from system import System, script

from dubbing.embedded.stack import environment

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REMARK = re.compile(r"\s{2,}#.*")
NAMES = {"JOB": "episode-2", "COLLECTION": "season-1", "TENANT": "default", "ENGINE": "faulty"}
"""What the words in capitals stand for."""


def commands() -> list[str]:
    """Return the commands of the page, in order."""
    blocks = [text for kind, text in BLOCK.findall(PAGE.read_text()) if kind in {"", "sh"}]
    lines = (line for block in blocks for line in block.replace("\\\n", " ").splitlines())
    found = (REMARK.sub("", line).strip() for line in lines if not line.startswith("#"))
    return list(dict.fromkeys(line for line in found if line))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        with System(tmp_path_factory.mktemp("operations"), slots=1) as system:
            system.run(script("episode-1", "A line", collection=NAMES["COLLECTION"]))
            system.run(script("episode-2", "A line", "<raise> Never", collection="season-1"))
            yield system


def test_the_page_has_commands() -> None:
    assert len(commands()) >= 7


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_page_answers(system: System, command: str) -> None:
    words = re.sub(r"\b[A-Z]{3,}\b", lambda found: NAMES.get(found[0], found[0]), command)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", words],
        env={
            **os.environ,
            **environment(system.settings),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(PLUGINS),
        },
        cwd=system.settings.home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # `retry` leaves the job at work.
    system.wait(NAMES["JOB"])

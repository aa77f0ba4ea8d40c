"""What the set-up needs of a machine, tried on machines that lack it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

LIB = Path(__file__).resolve().parents[2] / "scripts" / "lib.sh"
TOOLS = ("bash", "cat")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that is the whole PATH, with only a few programs in it."""
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    return tmp_path


def program(machine: Path, name: str, body: str) -> None:
    path = machine / name
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


def ask(machine: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail; . {LIB}; {command}"],
        env={"PATH": str(machine)},
        text=True,
        capture_output=True,
        check=False,
    )


def test_a_python_that_is_too_old_is_passed_over(machine: Path) -> None:
    program(machine, "python3", "exit 1")
    program(machine, "python3.13", "exit 0")
    assert ask(machine, "find_python").stdout == "python3.13\n"


def test_a_python_that_needs_no_redis_installed_comes_first(machine: Path) -> None:
    for name in ("python3", "python3.13", "python3.11"):
        program(machine, name, "exit 0")
    assert ask(machine, "find_python").stdout == "python3.11\n"


def test_a_machine_without_python_is_told_what_is_needed(machine: Path) -> None:
    program(machine, "python3", "exit 1")
    done = ask(machine, "python=$(find_python); echo went on")
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
    assert "went on" not in done.stdout


def test_a_user_who_may_not_install_is_told_what_to_install(machine: Path) -> None:
    program(machine, "id", "echo 1000")
    program(machine, "apt-get", f"echo $* >> {machine}/log")
    done = ask(machine, "system_package redis-server")
    assert done.returncode == 1
    assert "apt-get install redis-server" in done.stderr
    assert not (machine / "log").exists()


def test_root_installs_and_refreshes_the_lists_only_when_it_must(machine: Path) -> None:
    program(machine, "id", "echo 0")
    program(machine, "apt-get", f"echo $1 >> {machine}/log; [[ $(cat {machine}/log) == *update* ]]")
    done = ask(machine, "system_package redis-server")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert (machine / "log").read_text().split() == ["install", "update", "install"]

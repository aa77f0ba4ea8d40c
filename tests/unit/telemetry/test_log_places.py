"""Where a process logs to, in which form, and what no line of it shows."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

LOGGING = """
import logging, sys
from dubbing.settings import Settings
from dubbing.telemetry import logs
from dubbing.telemetry.context import bound

logs.configure(Settings(), "gateway")
log = logging.getLogger("dubbing.test")
with bound(job="episode-1.de", round=1, request=None):
    log.info("of %s", "b\\nERROR: forged \\x1b[2J")
    try:
        raise ValueError("it is odd")
    except ValueError:
        log.exception("it failed")
for number in range(int(sys.argv[1])):
    log.warning("%s-%d %s", sys.argv[2], number, "x" * 1000)
"""


def started(
    *arguments: str, stderr: int = subprocess.PIPE, **settings: str
) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("DUBBING_")}
    chosen = {f"DUBBING_{name.upper()}": value for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-c", LOGGING, *(arguments or ("0", "a"))],
        env={**env, **chosen},
        stderr=stderr,
        text=True,
    )


def logged(**settings: str) -> list[str]:
    """Return the lines on standard error of a process with these settings."""
    _, lines = started(**settings).communicate(timeout=60)
    return lines.splitlines()


def test_an_event_and_its_context_are_one_line_of_text() -> None:
    first, second, *trace = logged()
    assert first.endswith(r"dubbing.test: of b\nERROR: forged \x1b[2J [job=episode-1.de round=1]")
    assert second.endswith("ERROR MainProcess dubbing.test: it failed [job=episode-1.de round=1]")
    assert trace[-1] == "ValueError: it is odd"


def test_an_event_and_its_context_are_one_object_of_json() -> None:
    first, second = map(json.loads, logged(log_format="json"))
    told = datetime.fromisoformat(first.pop("time"))
    assert abs(datetime.now(UTC) - told) < timedelta(minutes=1)
    assert first == {
        "level": "INFO",
        "process": "MainProcess",
        "logger": "dubbing.test",
        "message": "of b\nERROR: forged \x1b[2J",
        "job": "episode-1.de",
        "round": 1,
    }
    assert second["exc_info"].endswith("ValueError: it is odd")


def test_the_level_leaves_out_what_lies_below_it() -> None:
    assert [line.split()[2] for line in logged(log_level="ERROR") if "dubbing.test" in line] == [
        "ERROR"
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_people_at_a_terminal_get_colours_and_collectors_do_not(form: str) -> None:
    ours, theirs = pty.openpty()
    with started(stderr=theirs, log_format=form, term="xterm"):
        os.close(theirs)
        shown = os.read(ours, 1 << 14).decode()
    os.close(ours)
    assert ("\x1b[32mINFO\x1b[0m" in shown) == (form == "text")


def numbers(folder: Path, process: str) -> Sequence[int]:
    """Return the numbers of the lines of a process in all logs of a folder, in order."""
    texts = "".join(path.read_text() for path in folder.glob("gateway.log*"))
    return sorted(map(int, re.findall(rf" {process}-(\d+) ", texts)))


@pytest.mark.parametrize("aged", [{}, {"log_hours": "24"}])
def test_processes_share_a_log_that_is_put_aside_when_it_is_large(
    tmp_path: Path, aged: dict[str, str]
) -> None:
    folder = tmp_path / "new" / "logs"
    both = [started("1500", who, log_dir=str(folder), log_mb="1", **aged) for who in "ab"]
    assert [process.communicate(timeout=60)[1] for process in both] == ["", ""]
    files = list(folder.glob("gateway.log*"))
    assert len(files) == 4
    assert all(path.stat().st_size < 1.1 * (1 << 20) for path in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    for who in "ab":
        assert numbers(folder, who) == list(range(1500))


def test_no_more_logs_are_kept_than_was_said(tmp_path: Path) -> None:
    process = started("3500", "a", log_dir=str(tmp_path), log_mb="1", log_files="1")
    assert process.communicate(timeout=60)[1] == ""
    assert {path.name for path in tmp_path.glob("gateway.log*")} == {"gateway.log", "gateway.log.1"}
    assert numbers(tmp_path, "a")[-1] == 3499


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lines = logged(log_dir=str(tmp_path / "file" / "logs"))
    assert lines[-1].endswith(
        f"DUBBING_LOG_DIR={tmp_path}/file/logs: no log can be written there: Not a directory"
    )

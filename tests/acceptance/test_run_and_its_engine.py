"""`dubbing run` with an engine that loads slowly, cannot be loaded, or kills who loads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from console import Console
from services import PLAIN

WHY = "faulty cannot be loaded: the model is damaged"
DIED = "a process died while it loaded faulty (is there enough memory?)"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script of six lines for the engine ``faulty``."""
    segments = [
        {"id": str(n), "start": 3 * n, "end": 3 * n + 2.5, "text": f"Line {n} of a scene. <slow>"}
        for n in range(6)
    ]
    path = tmp_path / "scene.json"
    path.write_text(json.dumps({"language": PLAIN, "engine": "faulty", "segments": segments}))
    return path


def console(tmp_path: Path, slots: int, *loads: str) -> Console:
    """A home whose workers have so many processes, which load the engine so."""
    path = tmp_path / "loads"
    path.write_text("\n".join(loads))
    return Console(tmp_path / "home", FAULTY_LOADS=str(path), DUBBING_SLOTS=str(slots))


def test_without_a_process_that_can_load_it_ends_and_says_why_and_goes_on_with_one(
    script: Path, tmp_path: Path
) -> None:
    shell = console(tmp_path, 2, "<kill>", "<slow:1><kill>")
    ended_without_an_engine(shell, DIED, "run", script)
    # It is as it was: the same command goes on when a process can load the engine.
    console(tmp_path, 2, "<kill>", "<slow:2>")
    done = shell.json("run", script)
    assert (done["state"], done["done"], done["failed"]) == ("completed", 6, 0)


def test_it_ends_when_the_engine_cannot_be_loaded(script: Path, tmp_path: Path) -> None:
    ended_without_an_engine(console(tmp_path, 1, "<raise>"), WHY, "run", script)


def ended_without_an_engine(shell: Console, why: str, *command: object) -> None:
    complaint = shell(*command, code=1, timeout=90).stderr
    log = shell.home / "logs" / "faulty.log"
    assert f"{why}; see {log}" in complaint
    assert why in log.read_text()
    assert shell.processes() == []


def test_an_engine_whose_process_dies_later_and_cannot_load_again_ends_it(
    script: Path, tmp_path: Path
) -> None:
    manifest = json.loads(script.read_text())
    manifest["segments"][0]["text"] = "A line that kills. <kill>"
    script.write_text(json.dumps(manifest))
    shell = console(tmp_path, 1, "", "<kill>")
    ended_without_an_engine(shell, DIED, "run", script)

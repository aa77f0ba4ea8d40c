"""`dubbing run` with an engine that loads slowly, cannot be loaded, or kills who loads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from console import Console
from services import PLAIN

WHY = "faulty cannot be loaded: the model is damaged"
DIED = "a process died while it loaded faulty (is there memory enough?)"


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


def test_a_script_is_dubbed_when_one_process_can_load(script: Path, tmp_path: Path) -> None:
    done = console(tmp_path, 2, "<kill>", "<slow:2>").json("run", script)
    assert (done["state"], done["done"], done["failed"]) == ("completed", 6, 0)


@pytest.mark.parametrize(
    ("slots", "loads", "why"),
    [
        (1, ("<raise>",), WHY),
        (2, ("<kill>", "<slow:1><kill>"), DIED),
    ],
)
def test_without_a_process_that_can_load_it_ends_and_says_why(
    slots: int, loads: tuple[str, ...], why: str, script: Path, tmp_path: Path
) -> None:
    shell = console(tmp_path, slots, *loads)
    complaint = shell("run", script, code=1, timeout=45).stderr
    log = shell.home / "logs" / "faulty.log"
    assert f"{why}; see {log}" in complaint
    assert why in log.read_text()
    assert shell.processes() == []
    # It is as it was: the same command goes on when the engine can be loaded.
    assert shell.json("run", script)["state"] == "completed"


def test_an_engine_whose_process_dies_later_and_cannot_load_again_ends_it(
    script: Path, tmp_path: Path
) -> None:
    manifest = json.loads(script.read_text())
    manifest["segments"][0]["text"] = "A line that kills. <kill>"
    script.write_text(json.dumps(manifest))
    shell = console(tmp_path, 1, "", "<kill>")
    complaint = shell("run", script, code=1, timeout=45).stderr
    assert f"{DIED}; see {shell.home / 'logs' / 'faulty.log'}" in complaint

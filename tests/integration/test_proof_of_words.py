"""An engine that drops words ends with all words right, as real workers and a real voice show."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import pytest
from services import PLUGINS, unavailable
from system import SECONDS, System
from weights import needed

from dubbing.job import JobState, Segment
from dubbing.script.manifest import Manifest

MUMBLER = Path(__file__).resolve().parents[1] / "mumbler"
TEXTS = (
    "I told you the ship would leave before dawn.",
    "If the bridge is closed, we have to cross the river on foot.",
)

# Two models are fetched and loaded.
pytestmark = [pytest.mark.weights, pytest.mark.timeout(600)]


class Mumblers(System):
    ENGINES: ClassVar[Mapping[str, str]] = {"mumbling": "mumbling", "assembly": "assembly"}

    def launch(self, engine: str, *, log: str = "", **variables: str) -> subprocess.Popen[bytes]:
        path = os.pathsep.join([str(MUMBLER), str(PLUGINS)])
        return super().launch(engine, log=log, PYTHONPATH=path, **variables)


def test_takes_that_lack_words_are_spoken_again_and_the_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("faster_whisper") is None:
        unavailable("faster-whisper")
    monkeypatch.syspath_prepend(str(MUMBLER))
    folders: dict[str, Any] = {"mumbling": needed("piper"), "whisper": needed("whisper")}
    segments = tuple(
        Segment(id=str(n), start=6.0 * n, end=6.0 * n + 5, speaker="Joe", text=text)
        for n, text in enumerate(TEXTS)
    )
    job = Manifest(id="mumbled", language="en", segments=segments)
    with Mumblers(tmp_path / "home", engine="mumbling", slots=1, model_folders=folders) as system:
        status = system.wait(system.client.submit(job).id, seconds=3 * SECONDS)
        assert status.state is JobState.COMPLETED
        report = system.report(job)
    assert [line.words and line.words.right for line in report.lines] == [True, True]
    assert [line.takes_refused for line in report.lines] == [1, 1]
    assert [line.attempts for line in report.lines] == [2, 2]
    assert not report.warnings

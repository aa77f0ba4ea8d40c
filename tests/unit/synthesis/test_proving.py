"""Takes that say other words are spoken again: a real voice that drops words, heard by Whisper."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import pytest
from services import unavailable
from weights import needed

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine
from dubbing.engines.models.folders import ModelFolders
from dubbing.planning.plan import Batch, Kind, PlannedLine
from dubbing.planning.result import SegmentResult
from dubbing.proof.words import WordJudge
from dubbing.storage import Storage
from dubbing.synthesis.clips import ClipStore
from dubbing.synthesis.mending import TRIES
from dubbing.synthesis.progress import Prover
from dubbing.synthesis.speak import Speech
from dubbing.voices.voice import VoiceRef

MUMBLER = Path(__file__).resolve().parents[2] / "mumbler"
IN_PARTS = "You told me … the ship would leave. We cross the river on foot."
NEVER = "They never came back from the island, and nobody looked for them at sea."

pytestmark = pytest.mark.weights


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.syspath_prepend(str(MUMBLER))
    folders = ModelFolders(named={"mumbling": needed("piper")})
    engine = cast(Engine, Catalogue(folders).create("mumbling"))
    engine.load("cpu")
    return engine


@pytest.fixture
def prover() -> Iterator[Prover]:
    if find_spec("faster_whisper") is None:
        unavailable("faster-whisper")
    prover = Prover(WordJudge(needed("whisper")))
    yield prover
    prover.close()


def test_a_line_is_spoken_in_parts_at_last_and_the_best_take_is_kept(
    engine: Engine, prover: Prover, tmp_path: Path
) -> None:
    lines = tuple(
        PlannedLine(id=text[:5], spoken=text, speed=1.0, room=60.0, max_rate=1.25)
        for text in (IN_PARTS, NEVER)
    )
    batch = Batch(
        number=0,
        kind=Kind.SYNTHESIS,
        engine="mumbling",
        voice=VoiceRef(stock=engine.spec.voices[0]),
        language="en",
        lines=lines,
        deadline=60,
    )
    clips = ClipStore(Storage.at(str(tmp_path / "storage")))
    voice = engine.spec.voices[0]

    def results() -> list[SegmentResult]:
        speech = Speech(engine, clips, batch, voice, prover=prover)
        speech.run()
        return speech.results()

    spoken = results()
    assert [result.misspoken for result in spoken] == [False, True]
    assert [(result.refused, result.attempts) for result in spoken] == [(TRIES, TRIES + 1)] * 2
    # The clips bear the proof, and are not judged again.
    again = results()
    assert [result.takes for result in again] == [result.takes for result in spoken]
    assert [result.attempts for result in again] == [0, 0]
    clips.close()

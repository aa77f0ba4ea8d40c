"""Lines that are too long, foreseen by the pace of their voices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import EngineSpec
from dubbing.job import Job, Segment
from dubbing.planning.casting import cast_lines
from dubbing.planning.density import dense
from dubbing.planning.outcome import Outcome
from dubbing.planning.pace import ENOUGH, Paces, VoiceIn, keep_paces, measured
from dubbing.planning.plan import Batch, Kind, PlannedLine
from dubbing.planning.result import SegmentResult, Take
from dubbing.script.manifest import Manifest
from dubbing.storage import Storage
from dubbing.storage.keys import Keys
from dubbing.submission.submit import Checker
from dubbing.voices.voice import VoiceRef

SPECS: dict[str, EngineSpec] = {
    "tone": Tone.spec.model_copy(update={"characters_per_second": {"*": 10.0}})
}
LOW = VoiceIn("tone", "stock:low", "en")


def line(text: str, start: float = 0.0, end: float = 2.0, **fields: Any) -> Segment:
    return Segment.model_validate(
        {"id": "1", "speaker": "Ann", "text": text, "start": start, "end": end, **fields}
    )


def hints(
    *lines: Segment, paces: dict[VoiceIn, float] | None = None, film: float = 2.0, **fields: Any
) -> list[str]:
    """Return what is said of a job whose film ends after ``film`` seconds."""
    job = Job(id="j", language="en", engine="tone", segments=lines, **fields)
    cast = cast_lines(job, job.segments, SPECS)
    return [one.message for one in dense(job, cast, SPECS, lambda _: paces or {}, film)]


def outcome(text: str, seconds: float, voice: str = "low", speed: float = 1.0) -> Outcome:
    planned = PlannedLine(id="1", spoken=text, speed=speed, room=9, max_rate=1.25)
    batch = Batch(
        number=0,
        kind=Kind.SYNTHESIS,
        engine="tone",
        voice=VoiceRef(stock=voice),
        language="en",
        lines=(planned,),
        deadline=60,
    )
    pauses = ((0.5, 1.12), (2, 2.5))
    take = Take(key=Keys.clip("a"), speed=1, seconds=seconds, level=-20, pauses=pauses, decay=0.04)
    result = SegmentResult(id="1", takes=(take,), engine="tone", model="m", seed=0, attempts=1)
    return Outcome(planned, 1, batch, result)


def test_a_line_too_long_is_named_with_its_seconds_and_characters() -> None:
    # 10 characters a second, at most 1.25 times as fast: 25 in 2 s.
    assert hints(line("x" * 25)) == []
    # Nobody hears the last two milliseconds.
    assert hints(line("x" * 25, end=1.998), film=1.998) == []
    assert hints(line("x" * 32)) == [
        "cue 1 at 0:00:00.000: it may run 0.56 s over its 2.00 s: "
        "about 7 of its 32 characters are too many"
    ]


def test_the_measured_pace_of_the_voice_comes_before_that_of_its_engine() -> None:
    (hint,) = hints(line("x" * 25), paces={LOW: 8.0})
    assert "it may run 0.50 s over its 2.00 s: about 5 of its 25 characters" in hint
    assert hints(line("x" * 32), paces={LOW: 12.8}) == []
    other = VoiceIn("tone", "stock:high", "en")
    assert len(hints(line("x" * 32), paces={other: 99.0})) == 1
    assert hints(line("x" * 32), paces={other: 99.0}, cast={"Ann": {"voice": "high"}}) == []


def test_the_fit_and_the_speed_of_a_line_say_how_fast_it_may_become() -> None:
    assert hints(line("x" * 32, speed=1.3)) == []
    assert hints(line("x" * 32), fit={"max_rate": 1.6}) == []
    later = line("x", 6, 7, id="2")
    assert hints(line("x" * 40), later, film=9) == []
    assert len(hints(line("x" * 40), later, film=9, fit={"max_tail": 0.2})) == 1


def test_a_silent_line_leaves_its_time_to_the_one_before() -> None:
    silent = line("[door slams]", 1, 3, id="2", speaker="Bob")
    assert hints(line("x" * 32), silent, line("x", 5, 6, id="3"), film=9) == []


def test_a_line_is_judged_by_what_is_said_and_counted_as_it_is_written() -> None:
    (hint,) = hints(line("OK, OK?", 0, 1.5), pronunciations={"OK": "okely dokely"}, film=1.5)
    assert "of its 7 characters are too many" in hint


def test_a_pace_is_that_of_all_natural_takes_cut_as_far_as_they_may_be() -> None:
    text = "x" * ENOUGH
    (pace,) = measured([outcome(text, 20.0), outcome(text, 22.0), outcome("short", 1.0, "high")])
    assert pace.characters_per_second == pytest.approx(2 * ENOUGH / (42 - 2), abs=0.01)
    assert VoiceIn(pace.engine, pace.voice, pace.language) == LOW
    (slower,) = measured([outcome(text, 21.0, speed=0.5)])
    assert slower.characters_per_second == pytest.approx(ENOUGH / 10)


def test_what_a_job_said_is_known_to_the_check_of_the_next(tmp_path: Path) -> None:
    storage = Storage.at(str(tmp_path))
    keep_paces(storage, [outcome("x" * ENOUGH, ENOUGH / 5 + 1)])
    assert Paces(storage).of([LOW, LOW._replace(language="de")]) == {LOW: 5.0}
    checker = Checker(storage=storage, catalogue=Catalogue(), engine="tone")
    asked = Manifest(language="en", segments=(line("x" * 25), line("x", 2.1, 9, id="2")))
    (checked,) = checker.check_all([asked])
    (hint,) = checked.cautions
    assert "it may run 1.90 s over its 2.10 s" in hint.message
    storage.replace(LOW.key, b"{")
    assert Paces(storage).of([LOW]) == {}

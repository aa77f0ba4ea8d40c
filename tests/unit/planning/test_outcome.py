from __future__ import annotations

from dubbing.planning.outcome import Outcome
from dubbing.planning.plan import Batch, Kind, PlannedLine
from dubbing.planning.result import SegmentResult, Take, WordsHeard


def outcome(engine: str, *rights: bool | None) -> Outcome:
    """Return the outcome of a line whose takes say their words, or do not."""
    takes = tuple(
        Take(key="clips/aa/a.flac", speed=1, seconds=1, level=-20, words=WordsHeard(right=right))
        for right in rights
    )
    line = PlannedLine(id="1", spoken="Yes.", speed=1, room=1, max_rate=1)
    batch = Batch(number=0, kind=Kind.SYNTHESIS, engine=engine, deadline=1)
    result = SegmentResult(id="1", takes=takes, engine=engine, model="", seed=0, attempts=1)
    return Outcome(line, 1, batch, result)


def test_a_fallback_takes_the_place_of_wrong_words_when_it_says_the_right_ones() -> None:
    wrong = outcome("first", False)
    for better in (outcome("second", True), outcome("second", None)):
        assert wrong.or_better(better) is better
    for no_better in (outcome("second", False), outcome("second")):
        kept = wrong.or_better(no_better)
        assert (kept.result, kept.tried) == (wrong.result, "second")
    failed, later = outcome("first"), outcome("second", False)
    assert failed.or_better(later) is later

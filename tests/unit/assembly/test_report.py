"""What the report says of lines whose words are not proven."""

from __future__ import annotations

from dubbing.assembly.report import Loudness
from dubbing.assembly.report_line import ReportLine
from dubbing.assembly.warnings import warnings
from dubbing.job import Segment
from dubbing.planning.outcome import Outcome
from dubbing.planning.plan import Batch, Kind, PlannedLine
from dubbing.planning.result import SegmentResult, Take, WordsHeard
from dubbing.voices.voice import VoiceRef

SEGMENT = Segment(id="7", start=0, end=2, speaker="Joe", text="Wait in the car.")


def outcome(engine: str) -> Outcome:
    """Return the outcome of a line that an engine said wrongly."""
    voice = VoiceRef(stock="joe")
    batch = Batch(number=0, kind=Kind.SYNTHESIS, engine=engine, voice=voice, deadline=1)
    words = WordsHeard(text="Wait.", right=False)
    take = Take(key="clips/aa/a.flac", speed=1, seconds=1, level=-20, words=words)
    line = PlannedLine(id="7", spoken=SEGMENT.text, speed=1, room=2, max_rate=1)
    result = SegmentResult(id="7", takes=(take,), engine=engine, model="", seed=0, attempts=4)
    return Outcome(line, 1, batch, result)


def test_a_kept_wrong_take_tells_which_fallback_did_no_better() -> None:
    kept = outcome("piper").or_better(outcome("kokoro"))
    told = ReportLine.of(SEGMENT, kept, note="runs 4 characters over")
    assert told.note == "runs 4 characters over; its fallback kokoro did not say it better"
    assert ReportLine.of(SEGMENT, outcome("piper")).note == ""


def test_words_of_which_it_is_not_certain_that_they_were_said_are_named() -> None:
    heard = WordsHeard(text="Wait in the car.", uncertain=("in", "the"))
    line = ReportLine.of(SEGMENT, outcome("piper")).model_copy(update={"words": heard})
    assert line.doubtful and not line.misspoken
    loudness = Loudness(profile="ebu", target=-23, ceiling=-1, gain=0, integrated=-23, true_peak=-3)
    assert warnings([line], loudness) == (
        "it is not certain that line 7 says 'in', 'the': hear it",
    )

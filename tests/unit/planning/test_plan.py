from __future__ import annotations

import pytest

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.engine import EngineSpec
from dubbing.errors import BadInput
from dubbing.job import Emotion, Job, Role, Segment
from dubbing.planning.casting import assign_voices, cast_lines
from dubbing.planning.plan import (
    Batch,
    Kind,
    Reason,
    Round,
    plan_round,
    read_plan,
    read_refs,
    read_round,
    write_plan,
)
from dubbing.planning.rooms import GAP, OPEN_END, line_rooms, silences_before

DIGEST = "ab" * 32


def spec(name: str = "tone", **changes: object) -> EngineSpec:
    return Tone.spec.model_copy(update={"name": name, **changes})


def segment(id_: int, text: str = "A line.", speaker: str = "Ada", start: float = -1) -> Segment:
    start = start if start >= 0 else id_ * 4.0
    return Segment(id=str(id_), start=start, end=start + 2, speaker=speaker, text=text)


def plan(*segments: Segment, specs: dict[str, EngineSpec] | None = None, **job: object) -> list:
    asked = Job(id="j", language="en", engine="tone", segments=segments, **job)
    known = specs or {"tone": spec()}
    return plan_round(cast_lines(asked, segments, known), asked.language, known)


def texts(batch: Batch) -> list[str]:
    return [line.spoken for line in batch.lines]


def test_a_batch_holds_lines_of_one_engine_and_one_voice() -> None:
    speakers = ["Ada", "Bob", "Cy", "Ada", "Bob", "Cy"]
    cast = {"Ada": Role(voice="low"), "Bob": Role(voice="high"), "Cy": Role(engine="other")}
    batches = plan(
        *(segment(n, speaker=speaker) for n, speaker in enumerate(speakers)),
        specs={"tone": spec(), "other": spec("other")},
        cast=cast,
    )
    found = {
        (batch.queue, batch.voice.stock, tuple(line.id for line in batch.lines))
        for batch in batches
    }
    assert found == {
        ("synthesis.tone", "low", ("0", "3")),
        ("synthesis.tone", "high", ("1", "4")),
        ("synthesis.other", "low", ("2", "5")),
    }
    assert {batch.language for batch in batches} == {"en"}


def test_speakers_with_one_voice_share_a_batch() -> None:
    cast = {"Ada": Role(voice="low", speed=1.2), "Bob": Role(voice="low", pitch=2)}
    (batch,) = plan(segment(0), segment(1, speaker="Bob"), cast=cast)
    assert [(line.speed, line.pitch) for line in batch.lines] == [(1.2, 0.0), (1.0, 2.0)]


def test_lines_whose_emotion_another_voice_shows_are_not_together() -> None:
    shown = [Emotion(voice="cd" * 32), Emotion(voice="ef" * 32), None, Emotion(happy=1)]
    segments = [segment(n).model_copy(update={"emotion": shown[n % 4]}) for n in (0, 1, 2, 3, 4, 5)]
    extraction, *spoken = plan(
        *segments,
        specs={"tone": spec(emotions=("voice", "feelings"))},
        cast={"Ada": Role(clone=DIGEST)},
    )
    assert extraction.kind is Kind.EXTRACTION
    assert [(batch.emotion_voice, [line.id for line in batch.lines]) for batch in spoken] == [
        (None, ["2", "3"]),
        ("cd" * 32, ["0", "4"]),
        ("ef" * 32, ["1", "5"]),
    ]
    assert {batch.needs for batch in spoken} == {extraction.number}


def test_lines_near_in_length_go_together_and_the_longest_come_first() -> None:
    lengths = [50, 3, 48, 5, 49, 4]
    batches = plan(
        *(segment(n, "x" * length) for n, length in enumerate(lengths)),
        specs={"tone": spec(batch_lines=3)},
    )
    assert [[len(text) for text in texts(batch)] for batch in batches] == [[50, 49, 48], [5, 4, 3]]


def test_a_batch_stays_within_its_padded_seconds() -> None:
    lengths = [15, 30, 45, 60, 75]  # one to five seconds at the tone's pace
    batches = plan(
        *(segment(n, "x" * length) for n, length in enumerate(lengths)),
        specs={"tone": spec(batch_seconds=8.0)},
    )
    assert [[len(text) for text in texts(batch)] for batch in batches] == [[75], [60, 45], [30, 15]]


def test_a_line_over_the_budget_stands_alone_and_is_not_lost() -> None:
    batches = plan(segment(0, "x" * 600), segment(1), specs={"tone": spec(batch_seconds=8.0)})
    assert sorted(len(batch.lines) for batch in batches) == [1, 1]


def test_a_round_of_some_lines_keeps_the_rooms_of_the_whole_job() -> None:
    segments = (segment(0, start=0), segment(1, start=5), segment(2, start=10))
    job = Job(id="j", language="en", engine="tone", segments=segments)
    (cast,) = cast_lines(job, segments[:1], {"tone": spec()})
    assert cast.line.room == pytest.approx(5 - GAP)


@pytest.mark.parametrize(
    ("times", "rooms"),
    [
        pytest.param(
            [(0, 2), (5, 6)], [5 - GAP, 1 + OPEN_END], id="the silence after it is a line's own"
        ),
        pytest.param(
            [(0, 2), (2, 3)], [2, 1 + OPEN_END], id="what follows at once leaves a line its time"
        ),
        pytest.param(
            [(0, 4), (1, 2), (6, 7)], [6 - GAP, 5 - GAP, 1 + OPEN_END], id="overlap on purpose"
        ),
        pytest.param([(5, 6), (0, 2)], [1 + OPEN_END, 5 - GAP], id="in any order"),
        pytest.param([(0, 2)], [2 + OPEN_END], id="nothing follows the last line"),
    ],
)
def test_rooms(times: list[tuple[float, float]], rooms: list[float]) -> None:
    segments = [
        Segment(id=str(n), start=start, end=end, text="x") for n, (start, end) in enumerate(times)
    ]
    found = line_rooms(segments)
    assert [found[str(n)] for n in range(len(times))] == pytest.approx(rooms)


def test_no_room_goes_beyond_the_film() -> None:
    segments = [
        Segment(id="in", start=0, end=2, text="x"),
        Segment(id="last", start=8, end=9, text="x"),
        Segment(id="out", start=12, end=13, text="x"),
    ]
    rooms = line_rooms(segments, end=9.5)
    assert rooms == pytest.approx({"in": 8 - GAP, "last": 1.5, "out": -2.5})


def test_a_tail_bounds_the_silence_that_a_line_may_use() -> None:
    segments = [Segment(id=str(n), start=4 * n, end=4 * n + 2, text="x") for n in range(2)]
    assert line_rooms(segments, tail=0.2) == pytest.approx({"0": 2.2, "1": 2.2})
    assert line_rooms(segments, end=5.9, tail=0.2)["1"] == pytest.approx(1.9)


def test_the_silence_before_a_line_ends_with_whoever_speaks_last() -> None:
    spans = [(1.0, 2.0), (3.0, 9.0), (4.0, 5.0), (9.5, 10.0), (10.05, 11.0)]
    assert silences_before(spans) == pytest.approx([1.0, 1.0 - GAP, 0, 0.5 - GAP, 0])


def test_speakers_without_a_voice_take_those_that_the_cast_left_out_in_turn() -> None:
    speakers = ["Ada", "Bob", "Cy", "Dan"]
    job = Job(
        id="j",
        language="en",
        engine="tone",
        segments=tuple(segment(n, speaker=speaker) for n, speaker in enumerate(speakers)),
        cast={"Bob": Role(voice="low"), "Cy": Role(clone=DIGEST)},
    )
    voices = assign_voices(job, {"tone": spec(voices=("low", "high", "mid"))})
    assert {speaker: voice.stock for speaker, voice in voices.items()} == {
        "Ada": "high",
        "Bob": "low",
        "Cy": None,
        "Dan": "mid",
    }
    assert voices["Cy"].digest == DIGEST


def test_voices_are_shared_when_there_are_more_speakers() -> None:
    job = Job(
        id="j",
        language="en",
        engine="tone",
        segments=tuple(segment(n, speaker=f"speaker {n}") for n in range(5)),
    )
    voices = assign_voices(job, {"tone": spec(voices=("low", "high"))})
    assert [voice.stock for voice in voices.values()] == ["low", "high", "low", "high", "low"]


def test_an_engine_without_voices_needs_a_reference_for_every_speaker() -> None:
    job = Job(id="j", language="en", engine="tone", segments=(segment(0),))
    with pytest.raises(BadInput, match=r"'Ada'.*reference"):
        assign_voices(job, {"tone": spec(voices=())})


def test_an_extraction_goes_before_the_lines_that_need_it() -> None:
    cast = {"Ada": Role(clone=DIGEST)}
    batches = plan(
        *(segment(n) for n in range(3)),
        segment(3, speaker="Bob"),
        specs={"tone": spec(batch_lines=2)},
        cast=cast,
    )
    assert [batch.number for batch in batches] == [0, 1, 2, 3]
    assert [batch.kind for batch in batches] == [Kind.EXTRACTION] + [Kind.SYNTHESIS] * 3
    assert batches[0].queue == "extraction.tone"
    assert not batches[0].lines
    assert [batch.needs for batch in batches] == [None, 0, 0, None]


def test_each_batch_is_read_from_the_plan_by_its_own_bytes() -> None:
    cast = {"Ada": Role(clone=DIGEST)}
    batches = plan(
        *(segment(n, f"Zeile {n}: größer als \u2028 je.") for n in range(5)),
        specs={"tone": spec(batch_lines=2)},
        cast=cast,
    )
    round_ = Round(reason=Reason.RETRY, asked=2, request="ab" * 32)
    written = write_plan(round_, batches)
    assert read_round(written[:512]) == round_
    refs = read_refs(written)
    cut = [written[ref.offset : ref.offset + ref.length] for ref in refs]
    assert [Batch.model_validate_json(data) for data in cut] == batches
    assert read_plan(written) == batches
    assert [(ref.queue, ref.lines, ref.needs) for ref in refs] == [
        (batch.queue, len(batch.lines), batch.needs) for batch in batches
    ]
    first = refs[1]
    assert first.token == f"1:{first.offset}:{first.length}:{first.deadline:g}:{first.lines}"

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from services import PLUGINS

from dubbing.engines.adapters.tone import PACE, Tone
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, Line, Spoken
from dubbing.errors import (
    EngineAway,
    ErrorRecord,
    QueueUnavailable,
    Stopped,
    StorageUnavailable,
    Transient,
)
from dubbing.job import Emotion
from dubbing.media.samples import Audio, decode_clip, encode_flac
from dubbing.planning.plan import Batch, Kind, PlannedLine
from dubbing.planning.result import SegmentResult
from dubbing.storage import Storage
from dubbing.synthesis.ask import clip_key, hurried_speed
from dubbing.synthesis.clips import ClipStore
from dubbing.synthesis.known import look_up
from dubbing.synthesis.mouth import SEED_STRIDE
from dubbing.synthesis.speak import MAX_DELIVERIES, Speech, Watch
from dubbing.voices.voice import VoiceRef

TEXT = "You told me the ship would leave before dawn."
ROOMY = 60.0


def line(id_: str = "1", text: str = TEXT, **fields: Any) -> PlannedLine:
    return PlannedLine(
        **{"id": id_, "spoken": text, "speed": 1.0, "room": ROOMY, "max_rate": 1.25, **fields}
    )


def batch(*lines: PlannedLine, **fields: Any) -> Batch:
    plain = {
        "number": 0,
        "kind": Kind.SYNTHESIS,
        "engine": "faulty",
        "language": "en",
        "deadline": 60,
    }
    return Batch(**{**plain, "voice": VoiceRef(stock="low"), "lines": lines, **fields})


Speaking = Callable[..., list[SegmentResult]]


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.at(str(tmp_path / "storage"))


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Return a function that lists the texts that the faulty engine has begun."""
    path = tmp_path / "begun"
    path.touch()
    monkeypatch.setenv("FAULTY_LOG", str(path))
    return lambda: [row.partition("\t")[2] for row in path.read_text().splitlines()]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, log: object) -> Engine:
    monkeypatch.syspath_prepend(str(PLUGINS))
    created = Catalogue().create("faulty")
    created.load("cpu")
    return created


class Deliveries:
    """Counts deliveries as the ledger does."""

    def __init__(self, **counts: int) -> None:
        self.counts = counts

    def begin(self, ids: Sequence[str]) -> dict[str, int]:
        before = {id_: self.counts.get(id_, 0) for id_ in ids}
        self.counts |= {id_: 1 for id_, count in before.items() if not count}
        return before

    def begin_alone(self, id_: str) -> None:
        self.counts[id_] += 1


def speak(
    engine: Engine,
    storage: Storage,
    planned: Batch,
    voice: str,
    deliveries: Deliveries | None = None,
    check: Callable[[], None] = lambda: None,
) -> list[SegmentResult]:
    """Speak a batch as a worker does; return its results."""
    clips, deliveries = ClipStore(storage), deliveries or Deliveries()
    speech = Speech(engine, clips, planned, voice)
    try:
        before = deliveries.begin(speech.unspoken)
        speech.run(before, Watch(begin_alone=deliveries.begin_alone, check=check))
        return speech.results()
    finally:
        clips.close()


@pytest.fixture
def speaking(engine: Engine, storage: Storage) -> Speaking:
    return partial(speak, engine, storage)


def clip(storage: Storage, result: SegmentResult, take: int = 0) -> Audio:
    return decode_clip(storage.get(result.takes[take].key))


def test_each_line_becomes_a_clip_in_the_order_of_the_batch(
    speaking: Speaking, storage: Storage
) -> None:
    asked = [line("b", "Short."), line("a", TEXT)]
    results = speaking(batch(*asked), "low")
    assert [result.id for result in results] == ["b", "a"]
    for result, planned in zip(results, asked, strict=True):
        assert (result.error, result.attempts, result.seed) == (None, 1, 0)
        assert result.takes[0].seconds == clip(storage, result).seconds
        # The tone ends in a pause of less than a syllable, which is trimmed.
        assert result.takes[0].seconds == pytest.approx(len(planned.spoken) / PACE, abs=0.2)


def test_a_clip_that_exists_is_not_spoken(speaking: Speaking, log: Callable[[], list[str]]) -> None:
    first = speaking(batch(line()), "low")
    (again, new) = speaking(batch(line("9"), line("10", "Another line.")), "low")
    assert log() == [TEXT, "Another line."]
    assert (again.takes, again.attempts) == (first[0].takes, 0)
    assert new.attempts == 1


def test_clips_that_were_looked_up_for_another_model_are_looked_up_again(
    engine: Engine, storage: Storage
) -> None:
    clips, planned = ClipStore(storage), batch(line())
    known = look_up(engine, clips, planned)
    # Its files were replaced, and it was loaded again.
    engine.model = "f" * 64
    speech = Speech(engine, clips, planned, "low", known=known)
    speech.run()
    (result,) = speech.results()
    clips.close()
    assert result.takes[0].key == clip_key(engine.spec, engine.model, planned, line(), 1.0)


def test_the_same_line_twice_in_a_batch_is_spoken_once(
    speaking: Speaking, log: Callable[[], list[str]]
) -> None:
    bad = "A line that fails <nan>."
    asked = [line("1"), line("2"), line("3", bad), line("4", bad)]
    results = speaking(batch(*asked), "low")
    assert Counter(log()) == {TEXT: 1, bad: 3}
    assert results[0].takes == results[1].takes
    assert results[2].error == results[3].error
    assert [result.attempts for result in results] == [1, 0, 3, 0]
    assert results[3].error


@pytest.mark.parametrize("damage", [b"", b"no clip at all", "cut"])
def test_a_damaged_clip_is_overwritten(
    speaking: Speaking, storage: Storage, damage: bytes | str
) -> None:
    (first,) = speaking(batch(line()), "low")
    good = storage.get(first.takes[0].key)
    storage.replace(first.takes[0].key, good[:-900] if isinstance(damage, str) else damage)
    (second,) = speaking(batch(line()), "low")
    assert (second.takes, second.attempts) == (first.takes, 1)
    assert storage.get(first.takes[0].key) == good


def test_a_clip_of_another_line_is_not_taken_for_the_line(
    speaking: Speaking, storage: Storage
) -> None:
    (one, two) = speaking(batch(line("1"), line("2", "Another line.")), "low")
    keys = one.takes[0].key, two.takes[0].key
    good = [storage.get(key) for key in keys]
    for key, data in zip(keys, reversed(good), strict=True):
        storage.replace(key, data)
    again = speaking(batch(line("1"), line("2", "Another line.")), "low")
    assert [(result.takes, result.attempts) for result in again] == [(one.takes, 1), (two.takes, 1)]
    assert [storage.get(key) for key in keys] == good


def test_a_clip_without_a_name_is_taken_unless_it_was_found_to_be_another(
    speaking: Speaking, storage: Storage, log: Callable[[], list[str]]
) -> None:
    (first,) = speaking(batch(line()), "low")
    key, other = first.takes[0].key, Audio(samples=np.ones(9000, np.float32) / 2, rate=24_000)
    unnamed = encode_flac(other)
    storage.replace(key, unnamed)
    (older,) = speaking(batch(line()), "low")
    digest = hashlib.sha256(unnamed).hexdigest()
    assert (older.takes[0].digest, older.attempts) == (digest, 0)
    repaired = speaking(batch(line("1", refused=digest), line("2", refused=digest)), "low")
    assert [result.takes for result in repaired] == [first.takes] * 2
    assert log() == [TEXT] * 2


def test_a_clip_that_was_refused_wrongly_is_spoken_once_and_kept(
    speaking: Speaking, log: Callable[[], list[str]]
) -> None:
    (first,) = speaking(batch(line()), "low")
    refused = {"refused": first.takes[0].digest}
    results = speaking(batch(line("1", **refused), line("2", **refused)), "low")
    assert [result.takes for result in results] == [first.takes] * 2
    assert log() == [TEXT] * 2


@pytest.mark.parametrize(
    ("fault", "said"),
    [("nan", "NaN"), ("silence", "silence"), ("nothing", "no sound"), ("long", " s for a text")],
)
def test_what_is_not_the_line_is_tried_with_other_seeds_and_then_reported(
    speaking: Speaking, storage: Storage, log: Callable[[], list[str]], fault: str, said: str
) -> None:
    bad = f"A line that fails <{fault}>."
    results = speaking(batch(line("1"), line("2", bad), line("3", "Good.")), "low")
    assert [bool(result.takes) for result in results] == [True, False, True]
    error = results[1].error
    assert error
    assert error.code == "speech_rejected"
    assert said in error.message
    assert results[1].attempts == 3
    assert results[1].seed == 2 * SEED_STRIDE
    assert Counter(log()) == {TEXT: 1, bad: 3, "Good.": 1}
    assert len(list(storage.keys("clips/"))) == 2


def test_a_line_that_heals_at_another_seed_says_at_which(
    speaking: Speaking, storage: Storage, engine: Engine
) -> None:
    planned = line("1", "A line that is flaky <flaky:7>.", seed=7)
    (result,) = speaking(batch(planned), "low")
    assert (result.error, result.attempts, result.seed) == (None, 2, 7 + SEED_STRIDE)
    # The key holds the seed that was asked for, or the clip would never be found again.
    assert result.takes[0].key == clip_key(engine.spec, engine.model, batch(planned), planned, 1.0)
    assert clip(storage, result).seconds > 1


def test_a_line_that_shares_the_take_of_another_says_at_which_seed_it_was_made(
    speaking: Speaking,
) -> None:
    text = "A line that is flaky <flaky:7>."
    results = speaking(batch(line("1", text, seed=7), line("2", text, seed=7)), "low")
    assert [result.seed for result in results] == [7 + SEED_STRIDE] * 2


def test_the_seed_is_that_of_the_natural_take_whatever_the_faster_one_took(
    speaking: Speaking,
) -> None:
    text = "A line that is flaky and far too long for its time <flaky>."
    (result,) = speaking(batch(line("1", text, room=3.5)), "low")
    assert len(result.takes) == 2
    assert result.attempts == 4
    assert result.seed == SEED_STRIDE


def test_a_call_that_raises_is_halved_until_the_guilty_line_stands_alone(
    speaking: Speaking,
) -> None:
    lines = [line(str(n), f"Line number {n}.") for n in range(7)]
    lines.insert(5, line("bad", "This one fails <raise>."))
    results = speaking(batch(*lines), "low")
    assert [result.id for result in results] == [planned.id for planned in lines]
    failed = [result for result in results if result.error]
    assert [(result.id, result.error) for result in failed] == [
        ("bad", ErrorRecord("engine_failed", "RuntimeError: the text told me to"))
    ]
    assert all(result.takes for result in results if not result.error)


def test_a_call_that_is_too_big_for_the_memory_is_halved(
    speaking: Speaking, log: Callable[[], list[str]]
) -> None:
    lines = [line(str(n), f"Line number {n} <oom>.") for n in range(4)]
    results = speaking(batch(*lines), "low")
    assert [result.error for result in results] == [None] * 4
    assert Counter(log()) == {planned.spoken: 1 for planned in lines}


def test_an_engine_that_loses_a_result_is_not_trusted_with_the_others(storage: Storage) -> None:
    class Losing(Tone):
        def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
            return super().synthesize(lines)[: max(1, len(lines) - 1)]

    losing = Losing()
    losing.load("cpu")
    lines = [line(str(n), f"Line {'number ' * n}.") for n in range(4)]
    results = speak(losing, storage, batch(*lines), "low")
    for result, planned in zip(results, lines, strict=True):
        assert result.takes[0].seconds == pytest.approx(len(planned.spoken) / PACE, abs=0.2)


@pytest.mark.parametrize(
    ("seconds", "fields", "speed"),
    [
        pytest.param(4.0, {"room": 4.0}, 1.0, id="it fits"),
        pytest.param(4.01, {"room": 4.0}, 1.05, id="a step at least"),
        pytest.param(4.6, {"room": 4.0}, 1.15, id="just so many steps"),
        pytest.param(4.7, {"room": 4.0}, 1.2, id="rounded up"),
        pytest.param(9.0, {"room": 4.0}, 1.25, id="at most max_rate"),
        pytest.param(9.0, {"room": 4.0, "max_rate": 1.23}, 1.2, id="a step within max_rate"),
        pytest.param(9.0, {"room": 4.0, "speed": 1.8}, 2.0 / 1.8, id="at most the engine's own"),
        pytest.param(9.0, {"room": 4.0, "speed": 2.0}, 1.0, id="already as fast as it can"),
        pytest.param(1.0, {"room": 0.0}, 1.25, id="a cue of less than a millisecond"),
        pytest.param(4.4, {"room": 4.0, "speed": 0.8}, 0.9 / 0.8, id="absolute speeds on steps"),
    ],
)
def test_the_speed_of_a_second_take(seconds: float, fields: dict[str, Any], speed: float) -> None:
    assert hurried_speed(line(**fields), seconds, Tone.spec) == pytest.approx(speed)


def test_an_engine_of_one_speed_is_not_hurried() -> None:
    fixed = Tone.spec.model_copy(update={"speed": (1.0, 1.0)})
    assert hurried_speed(line(room=1.0), 9.0, fixed) == 1.0


def test_a_line_too_long_for_its_room_is_spoken_once_more_and_both_takes_are_kept(
    speaking: Speaking, storage: Storage, log: Callable[[], list[str]]
) -> None:
    planned = line("1", "x" * 60, room=3.6)
    (result,) = speaking(batch(planned, line("2", "Short.")), "low")[:1]
    assert [take.speed for take in result.takes] == [1.0, 1.15]
    assert clip(storage, result, 0).seconds > 3.6 >= clip(storage, result, 1).seconds
    assert result.attempts == 2
    assert speaking(batch(planned), "low")[0].takes == result.takes
    assert Counter(log()) == {planned.spoken: 2, "Short.": 1}


def test_a_line_whose_pauses_spare_enough_is_not_spoken_faster(
    storage: Storage, log: Callable[[], list[str]]
) -> None:
    class Pausing(Tone):
        """Speaks for 2 s with a pause of half a second in the middle."""

        def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
            spoken = super().synthesize(lines)
            for one in spoken:
                assert isinstance(one, Audio)
                one.samples[round(0.75 * one.rate) : round(1.25 * one.rate)] = 0
            return spoken

    pausing = Pausing()
    pausing.load("cpu")
    text = "x" * round(2 * PACE)
    enough, short = line("1", text, room=1.7), line("2", text, room=1.5)
    kept = line("3", text, room=1.7, min_pause=0.4)
    results = speak(pausing, storage, batch(enough, short, kept), "low")
    assert [len(result.takes) for result in results] == [1, 2, 2]
    assert results[0].takes[0].pauses == ((pytest.approx(0.75, abs=0.02), pytest.approx(1.25)),)


def test_a_line_that_fits_without_the_decay_at_its_end_is_not_spoken_faster(
    storage: Storage,
) -> None:
    class Dying(Tone):
        """Speaks for 2 s, of which it dies away for the last 60 ms."""

        def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
            spoken = super().synthesize(lines)
            for one in spoken:
                assert isinstance(one, Audio)
                one.samples[-round(0.06 * one.rate) :] *= 10 ** (-34 / 20)
            return spoken

    dying = Dying()
    dying.load("cpu")
    text = "x" * round(2 * PACE)
    enough, short = line("1", text, room=1.97), line("2", text, room=1.9)
    results = speak(dying, storage, batch(enough, short), "low")
    assert [len(result.takes) for result in results] == [1, 2]
    assert results[0].takes[0].decay == pytest.approx(0.04)


def test_without_a_faster_take_the_natural_one_serves(storage: Storage) -> None:
    class Slow(Tone):
        def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
            if any(line.speed > 1 for line in lines):
                raise RuntimeError("too fast for me")
            return super().synthesize(lines)

    slow = Slow()
    slow.load("cpu")
    (result,) = speak(slow, storage, batch(line(room=1.0)), "low")
    assert (len(result.takes), result.error) == (1, None)


def test_who_loses_the_race_for_a_clip_reports_the_stored_one(storage: Storage) -> None:
    other = Audio(
        samples=Tone().synthesize([Line(text="x" * 90, language="en", voice="low")])[0].samples,
        rate=24_000,
    )  # type: ignore[union-attr]

    class Raced(Tone):
        def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
            planned = batch(line())
            key = clip_key(self.spec, self.model, planned, planned.lines[0], 1.0)
            storage.create(key, encode_flac(other))
            return super().synthesize(lines)

    raced = Raced()
    raced.load("cpu")
    (result,) = speak(raced, storage, batch(line()), "low")
    assert result.takes[0].seconds == other.seconds == clip(storage, result).seconds
    assert result.takes[0].digest == hashlib.sha256(encode_flac(other)).hexdigest()


def test_a_line_begun_before_is_spoken_alone(storage: Storage) -> None:
    calls: list[list[str]] = []

    class Noting(Tone):
        def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
            calls.append([line.text for line in lines])
            return super().synthesize(lines)

    noting = Noting()
    noting.load("cpu")
    deliveries = Deliveries(b=1, d=2)
    lines = [line(id_, f"Line {id_}.") for id_ in "abcde"]
    results = speak(noting, storage, batch(*lines), "low", deliveries)
    assert calls == [["Line a.", "Line c.", "Line e."], ["Line b."], ["Line d."]]
    assert deliveries.counts == {"a": 1, "b": 2, "c": 1, "d": 3, "e": 1}
    assert not any(result.error for result in results)


class Slow(Storage):
    """A folder that takes its time to store a clip."""

    def create(self, key: str, data: bytes) -> bool:
        time.sleep(0.2)
        return super().create(key, data)


class Late(Slow):
    """One that has no path, as a bucket has none."""

    def path(self, key: str) -> None:
        return None


def late(folder: Path) -> Storage:
    folder.mkdir()
    return Late(None, str(folder))


class Counting(Tone):
    """Notes how many clips are stored when each call begins."""

    def __init__(self, storage: Storage) -> None:
        super().__init__()
        self.stored: list[int] = []
        self._storage = storage
        self.load("cpu")

    def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
        self.stored.append(len(list(self._storage.keys("clips/"))))
        return super().synthesize(lines)


def test_a_line_is_spoken_alone_once_all_others_are_stored(tmp_path: Path) -> None:
    storage = late(tmp_path / "late")
    counting = Counting(storage)
    lines = [line(id_, f"Line {id_}.") for id_ in "abcd"]
    speak(counting, storage, batch(*lines), "low", Deliveries(c=1, d=1))
    assert counting.stored == [0, 2, 3]


class OfACard(Counting):
    """One that a card speaks for."""

    spec = Tone.spec.model_copy(update={"device": "cuda"})


@pytest.mark.parametrize(("place", "engine"), [(Late, Counting), (Slow, OfACard)])
def test_the_engine_does_not_wait_for_clips_to_be_stored(
    tmp_path: Path, place: type[Storage], engine: type[Counting]
) -> None:
    storage = place(None, str(tmp_path))
    counting = engine(storage)
    # The second call is for the faster take.
    (result,) = speak(counting, storage, batch(line(room=1.0)), "low")
    assert counting.stored == [0, 0]
    natural, faster = (storage.modified(take.key) for take in result.takes)
    assert natural
    assert faster
    assert faster - natural > 0.1


def test_a_line_begun_three_times_is_given_up(
    speaking: Speaking, log: Callable[[], list[str]]
) -> None:
    deliveries = Deliveries(bad=MAX_DELIVERIES)
    results = speaking(batch(line("bad", "Deadly."), line("good", "Good.")), "low", deliveries)
    error = results[0].error
    assert error
    assert error.code == "given_up"
    assert results[1].takes
    assert log() == ["Good."]


def test_a_line_whose_faster_take_kills_is_given_up_with_the_natural_one(storage: Storage) -> None:
    class DeadlyWhenFast(Tone):
        def synthesize(self, lines: Sequence[Line]) -> list[Spoken]:
            if any(line.speed > 1 for line in lines):
                raise SystemExit("killed")
            return super().synthesize(lines)

    deadly = DeadlyWhenFast()
    deadly.load("cpu")
    deliveries = Deliveries()
    for _ in range(MAX_DELIVERIES):
        with pytest.raises(SystemExit):
            speak(deadly, storage, batch(line(room=1.0)), "low", deliveries)
    (result,) = speak(deadly, storage, batch(line(room=1.0)), "low", deliveries)
    assert (len(result.takes), result.error) == (1, None)


def test_work_that_is_no_longer_wanted_stops_between_calls(
    speaking: Speaking, storage: Storage, log: Callable[[], list[str]]
) -> None:
    def check() -> None:
        if len(log()) >= 2:
            raise Stopped("cancelled")

    bad = line("1", "A line that fails <silence>.")
    with pytest.raises(Stopped):
        speaking(batch(bad, line("2")), "low", check=check)
    assert log() == [bad.spoken, TEXT]
    assert len(list(storage.keys("clips/"))) == 1


@pytest.fixture
def switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """While this file exists, the engine fails as its lines tell it to."""
    path = tmp_path / "switch"
    path.touch()
    monkeypatch.setenv("FAULTY_SWITCH", str(path))
    return path


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("away", EngineAway),
        ("says", EngineAway),
        ("stopped", Stopped),
        ("storage", StorageUnavailable),
        ("queue", QueueUnavailable),
    ],
)
def test_what_is_no_lines_fault_leaves_the_batch_at_once_and_its_clips_stay(
    speaking: Speaking, log: Callable[[], list[str]], switch: Path, word: str, kind: type[Transient]
) -> None:
    # The call of four lines is halved, and its first half is spoken.
    asked = [line(str(n), f"Line {n} <oom:3>.") for n in range(3)]
    asked.append(line("3", f"And this one <{word}>."))
    with pytest.raises(kind):
        speaking(batch(*asked), "low")
    assert Counter(log()) == {planned.spoken: 1 for planned in asked}
    switch.unlink()
    results = speaking(batch(*asked), "low")
    assert [bool(result.takes) for result in results] == [True] * 4
    assert max(Counter(log())[planned.spoken] for planned in asked[:2]) == 1


def test_what_was_spoken_beside_a_line_that_nobody_could_take_stays(
    speaking: Speaking, log: Callable[[], list[str]], switch: Path
) -> None:
    asked = [line("0", "The first."), line("1", "Nobody <says>."), line("2", "The last.")]
    with pytest.raises(EngineAway):
        speaking(batch(*asked), "low")
    switch.unlink()
    results = speaking(batch(*asked), "low")
    assert [bool(result.takes) for result in results] == [True] * 3
    assert Counter(log()) == {"The first.": 1, "Nobody <says>.": 2, "The last.": 1}


def test_an_engine_that_fails_is_tried_line_by_line(
    speaking: Speaking, log: Callable[[], list[str]], switch: Path
) -> None:
    bad = line("2", "This one <failed>.")
    first, second = speaking(batch(line("1"), bad), "low")
    assert first.takes
    assert second.error == ErrorRecord("engine_failed", "the engine has a bad day")
    assert Counter(log()) == {TEXT: 2, bad.spoken: 4}


KEY = clip_key(Tone.spec, "model", batch(line()), line(), 1.0)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"spec": {"name": "other"}}, id="engine"),
        pytest.param({"spec": {"recipe": 2}}, id="recipe"),
        pytest.param({"model": "another"}, id="model"),
        pytest.param({"batch": {"voice": VoiceRef(stock="high")}}, id="stock voice"),
        pytest.param({"batch": {"voice": VoiceRef(digest="ab" * 32)}}, id="cloned voice"),
        pytest.param({"batch": {"language": "de"}}, id="language"),
        pytest.param({"line": {"text": TEXT + "!"}}, id="text"),
        pytest.param({"line": {"pitch": 1.0}}, id="pitch"),
        pytest.param({"line": {"style": "sad"}}, id="style"),
        pytest.param({"line": {"emotion": Emotion(sad=0.5)}}, id="emotion"),
        pytest.param({"line": {"speed": 1.05}}, id="pace"),
        pytest.param({"line": {"seed": 1}}, id="seed"),
        pytest.param({"speed": 1.1}, id="speed"),
    ],
)
def test_another_ask_is_another_clip(changed: dict[str, Any]) -> None:
    spec = Tone.spec.model_copy(update=changed.get("spec", {}))
    asked = line(**changed.get("line", {}))
    key = clip_key(
        spec,
        changed.get("model", "model"),
        batch(asked, **changed.get("batch", {})),
        asked,
        changed.get("speed", 1.0),
    )
    assert key != KEY


@pytest.mark.parametrize(
    "other",
    [
        Emotion(angry=0.5),
        Emotion(sad=0.6),
        Emotion(sad=0.5, strength=0.9),
        Emotion(text="sad"),
        Emotion(voice="ab" * 32),
    ],
)
def test_another_emotion_is_another_clip(other: Emotion) -> None:
    keys = {
        clip_key(Tone.spec, "model", batch(asked), asked, 1.0)
        for asked in (line(emotion=Emotion(sad=0.5)), line(emotion=other))
    }
    assert len(keys) == 2


def test_the_same_ask_is_the_same_clip_in_any_job_and_place() -> None:
    asked = line("77", room=1.0, max_rate=2.0)
    elsewhere = batch(line("76", "Before."), asked, number=12, needs=3, deadline=1.0)
    assert clip_key(Tone.spec, "model", elsewhere, asked, 1.0) == KEY
    # 0.8 × 1.25 and 1.0 are the same speed.
    slower = line(speed=0.8)
    assert clip_key(Tone.spec, "model", batch(slower), slower, 1.25) == KEY

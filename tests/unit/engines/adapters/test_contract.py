"""The contract of every installed engine; the tests find a new engine by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from speech import LONGEST, TEXTS, in_stock_voice, line, loaded, pitch, recording, speak, spoken

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, EngineSpec
from dubbing.errors import EngineMissing, SpeechRejected
from dubbing.job.emotion import Emotion, Means
from dubbing.media.samples import Audio, judge


@pytest.fixture(scope="module", params=Catalogue().names())
def engine(request: pytest.FixtureRequest, models: Path) -> Iterator[Engine]:
    """Each installed engine, loaded once for all tests."""
    yield from loaded(request.param, models)


def test_a_spec_survives_its_publication(engine: Engine) -> None:
    assert EngineSpec.model_validate_json(engine.spec.model_dump_json()) == engine.spec


def test_a_spec_is_sound(engine: Engine) -> None:
    spec = engine.spec
    assert spec.languages
    assert spec.voices or spec.clones
    assert len(set(spec.voices)) == len(spec.voices)
    assert 0 < spec.speed[0] <= 1.0 <= spec.speed[1]
    assert (spec.reference_seconds is not None) == spec.clones
    assert spec.limit("en") > 0
    assert spec.pace("en") > 0
    assert spec.batch_lines >= 1
    assert spec.batch_seconds >= spec.limit("en") / spec.pace("en")


def test_stock_voices_speak(engine: Engine) -> None:
    for voice in engine.spec.voices:
        (sound,) = spoken(engine, in_stock_voice(engine, voice))
        judge(sound, longest=LONGEST)
        assert sound.rate == engine.spec.sample_rate
        assert sound.samples.dtype == np.float32
        assert sound.samples.ndim == 1
        assert np.abs(sound.samples).max() <= 1.0


def test_results_are_in_the_order_of_the_lines(engine: Engine) -> None:
    texts = [TEXTS[number] for number in (2, 1, 0, 1, 2)]
    long, short, middle, again, last = (
        sound.seconds for sound in speak(engine, *(line(engine, text) for text in texts))
    )
    assert short < middle < long
    assert again == pytest.approx(short, rel=0.1)
    assert last == pytest.approx(long, rel=0.1)


def test_one_bad_line_does_not_spoil_the_others(engine: Engine) -> None:
    lines = [line(engine), line(engine, voice="no such voice"), line(engine)]
    first, bad, last = engine.synthesize(lines)
    assert isinstance(first, Audio)
    assert isinstance(last, Audio)
    assert isinstance(bad, SpeechRejected)
    assert "no such voice" in str(bad)
    assert engine.spec.base or all(voice in str(bad) for voice in engine.spec.voices)


def test_without_cloning_the_voice_of_a_reference_is_refused_in_few_words(engine: Engine) -> None:
    if engine.spec.clones:
        pytest.skip("it clones")
    (refused,) = engine.synthesize([line(engine, voice={"form": np.zeros(10_000)})])
    assert isinstance(refused, SpeechRejected)
    assert "cannot clone" in str(refused)
    assert len(str(refused)) < 200


def test_no_lines_are_no_work(engine: Engine) -> None:
    assert engine.synthesize([]) == []


def test_its_own_speed_changes_the_length(engine: Engine) -> None:
    slowest, fastest = engine.spec.speed
    speeds = [slowest, 1.0, fastest]
    slow, natural, fast = (
        sound.seconds
        for sound in speak(engine, *(line(engine, TEXTS[2], speed=speed) for speed in speeds))
    )
    if slowest < 1.0:
        assert slow / natural == pytest.approx(1 / slowest, rel=0.2)
    if fastest > 1.0:
        assert natural / fast == pytest.approx(fastest, rel=0.2)


def test_lengths_are_foreseen(engine: Engine) -> None:
    (sound,) = speak(engine, line(engine, TEXTS[2]))
    foreseen = engine.spec.foresee(TEXTS[2], line(engine).language)
    assert sound.seconds == pytest.approx(foreseen, rel=0.25)


def test_pitch_is_honoured_where_the_spec_says_so(engine: Engine) -> None:
    if "pitch" not in engine.spec.delivery:
        pytest.skip("it has no pitch of its own")
    # Several long lines: eSpeak draws its noise anew, which may mislead the estimate of one line,
    # and hides the pitch of a word.
    first, _, last = TEXTS
    texts = (first, last, f"{first} {last}")
    plain = speak(engine, *(line(engine, text) for text in texts))
    for semitones in (-4, 4):
        moved = speak(engine, *(line(engine, text, pitch=semitones) for text in texts))
        shifts = [12 * np.log2(pitch(m) / pitch(p)) for m, p in zip(moved, plain, strict=True)]
        assert np.median(shifts) == pytest.approx(semitones, abs=1)


def test_an_emotion_is_heard_where_the_spec_says_so(engine: Engine) -> None:
    told: dict[Means, Emotion] = {
        "feelings": Emotion(angry=1),
        "text": Emotion(text="furious"),
        "text_strength": Emotion(text="furious", strength=0.5),
        "voice": Emotion(voice="ab" * 32),
    }
    if not engine.spec.emotions:
        pytest.skip("it cannot be told an emotion")
    shown = engine.extract(recording("high"), "")
    plain, *felt = speak(
        engine,
        line(engine),
        *(
            line(
                engine,
                emotion=told[means],
                emotion_voice=shown if means == "voice" else None,
            )
            for means in engine.spec.emotions
        ),
    )
    assert all(pitch(sound) != pytest.approx(pitch(plain), rel=0.05) for sound in felt)


def test_its_model_has_a_stable_digest(engine: Engine) -> None:
    assert re.fullmatch(r"[0-9a-f]{8,64}", engine.model)
    before = engine.model
    engine.unload()
    engine.load("cpu")
    assert engine.model == before


def test_it_speaks_again_after_it_was_unloaded(engine: Engine) -> None:
    engine.unload()
    engine.load("cpu")
    (sound,) = spoken(engine, line(engine))
    judge(sound, longest=LONGEST)


def test_it_clones_or_refuses_to_as_its_spec_says(engine: Engine) -> None:
    if not engine.spec.clones:
        with pytest.raises(SpeechRejected, match="clone"):
            engine.extract(recording(), TEXTS[0])
        return
    form = engine.extract(recording(), TEXTS[0])
    assert form
    assert all(np.isfinite(array).all() for array in form.values())
    (sound,) = spoken(engine, line(engine, voice=form))
    judge(sound, longest=LONGEST)


def test_a_silent_reference_is_refused(engine: Engine) -> None:
    silence = Audio(samples=np.zeros(48_000, np.float32), rate=24_000)
    with pytest.raises(SpeechRejected):
        engine.extract(silence, "")


def test_an_engine_that_is_not_installed_is_named() -> None:
    with pytest.raises(EngineMissing, match=r"'nobody'.*tone"):
        Catalogue().create("nobody")

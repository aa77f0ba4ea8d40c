"""What XTTS promises beyond the contract of every engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny
from services import unavailable
from speech import TEXTS, line, recording, spoken

from dubbing.engines.adapters.xtts import AT_ONCE, PAUSE, XTTS
from dubbing.engines.engine import Engine, Line, missing_libraries
from dubbing.errors import EngineFailed, SpeechRejected
from dubbing.media.samples import Audio

if missing_libraries(XTTS()):
    unavailable("coqui-tts")

from tiny import xtts as tiny_xtts

TOLERANCE = 1e-5
"""Fraction of full scale by which a line may differ from one batch to another."""
ANN, BOB = "Ann Other", "Bob Sample"
LONG = " ".join(f"{TEXTS[0]} {TEXTS[2]}" for _ in range(5))
"""More text than is spoken at once."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for a test's own model."""
    (tmp_path / "xtts").mkdir()
    return tmp_path / "xtts"


@pytest.fixture(scope="module")
def xtts(models: Path) -> Iterator[XTTS]:
    tiny.make("xtts", models / "xtts")
    engine = loaded(models / "xtts")
    yield engine
    engine.unload()


def loaded(folder: Path) -> XTTS:
    engine = XTTS("xtts", folder)
    engine.load("cpu")
    return engine


def test_a_line_is_spoken_in_a_batch_as_it_is_alone(xtts: Engine) -> None:
    cloned = xtts.extract(recording(), "")
    lines = [
        Line(text=text, language=language, voice=voice, speed=speed, seed=seed)
        for seed, (text, language, voice, speed) in enumerate(
            [
                (TEXTS[2], "en", ANN, 1.0),
                (TEXTS[1], "en", BOB, 0.5),
                ("Ich weiß, wo du gewesen bist.", "de-AT", cloned, 1.0),
                ("Não sei.", "pt-BR", BOB, 1.3),
                (LONG, "en", cloned, 1.7),
            ]
        )
    ]
    for asked, together in zip(lines, spoken(xtts, *lines), strict=True):
        (alone,) = spoken(xtts, asked)
        assert len(together.samples) == len(alone.samples)
        assert np.abs(together.samples - alone.samples).max() < TOLERANCE


@pytest.mark.parametrize("speed", [1.0, 1.25])
def test_the_likeliest_tokens_sound_as_coqui_tts_itself_does(folder: Path, speed: float) -> None:
    tiny_xtts.make(folder, top_k=1)
    engine = loaded(folder)
    asked = line(engine, voice=BOB, speed=speed)
    _, together, _ = spoken(engine, line(engine, TEXTS[2]), asked, line(engine, TEXTS[1]))
    theirs = by_coqui_tts(folder, asked)
    assert len(together.samples) == len(theirs)
    # Past the end of a line, coqui-tts decodes nothing and we its last latent again: the last 0.1 s
    # or so depend on that.
    end = -round(0.15 * engine.spec.sample_rate)
    assert np.abs(together.samples[:end] - theirs[:end]).max() < TOLERANCE


def by_coqui_tts(folder: Path, asked: Line) -> np.ndarray:
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import Xtts

    config = XttsConfig()
    config.from_dict(json.loads((folder / "config.json").read_text()))
    model = Xtts(config)
    model.load_checkpoint(config, checkpoint_dir=str(folder))
    heard: np.ndarray = model.inference(
        asked.text,
        asked.language,
        *model.speaker_manager.speakers[asked.voice].values(),
        do_sample=False,
        repetition_penalty=config.repetition_penalty,
        speed=asked.speed,
    )["wav"]
    return heard


def test_a_seed_tells_how_a_line_is_spoken(xtts: Engine) -> None:
    one, again, other = (
        spoken(xtts, line(xtts, seed=seed))[0].samples for seed in (1, 1, 2**70 + 5)
    )
    assert np.array_equal(one, again)
    assert len(one) != len(other) or np.abs(one - other).max() > 0.01


def test_lines_of_a_batch_differ_in_speed(xtts: Engine) -> None:
    slow, natural, fast = (
        sound.seconds
        for sound in spoken(xtts, *(line(xtts, speed=speed) for speed in (0.5, 1.0, 2.0)))
    )
    token = 1024 / 22_050
    assert slow == pytest.approx(2 * natural, abs=token)
    assert fast == pytest.approx(natural / 2, abs=token)


def test_voices_sound_different(xtts: Engine) -> None:
    ann, bob = spoken(xtts, line(xtts, TEXTS[1], voice=ANN), line(xtts, TEXTS[1], voice=BOB))
    shortest = min(len(ann.samples), len(bob.samples))
    assert np.abs(ann.samples[:shortest] - bob.samples[:shortest]).max() > 0.01


def test_a_long_line_is_spoken_in_parts_with_pauses(xtts: Engine) -> None:
    assert len(LONG) > 2 * AT_ONCE["en"]
    (sound,) = spoken(xtts, line(xtts, LONG))
    assert sound.seconds == pytest.approx(xtts.spec.foresee(LONG, "en"), rel=0.15)
    silence = np.zeros(round(PAUSE * sound.rate), np.float32).tobytes()
    assert sound.samples.tobytes().count(silence) == len(LONG) // AT_ONCE["en"]


def test_a_line_that_comes_to_no_end_is_refused_and_not_cut(folder: Path) -> None:
    tiny_xtts.make(folder, endless=True)
    engine = loaded(folder)
    for refused in engine.synthesize([line(engine), line(engine, LONG)]):
        assert isinstance(refused, SpeechRejected)
        assert "no end of" in str(refused)


def test_a_line_without_an_end_does_not_spoil_the_others(folder: Path) -> None:
    tiny_xtts.make(folder)
    # In German, a line of more than some two seconds is taken to have no end.
    paces = {"*": tiny_xtts.PACE, "de": 1000}
    (folder / "dubbing.json").write_text(json.dumps({"characters_per_second": paces}))
    engine = loaded(folder)
    in_parts = " ".join([TEXTS[2]] * 3) + " Yes, yes, yes, yes, yes."
    assert len(in_parts) > AT_ONCE["de"]
    first, endless, half, last = engine.synthesize(
        [
            line(engine, TEXTS[2]),
            line(engine, TEXTS[2], language="de"),
            line(engine, in_parts, language="de"),
            line(engine, TEXTS[2]),
        ]
    )
    for refused, text in ((endless, TEXTS[2]), (half, in_parts)):
        assert isinstance(refused, SpeechRejected)
        assert text in str(refused)
    assert isinstance(first, Audio)
    assert isinstance(last, Audio)
    assert np.array_equal(first.samples, last.samples)


def test_what_it_cannot_read_is_refused(xtts: Engine) -> None:
    heard, foreign, empty, other = xtts.synthesize(
        [line(xtts, "Да, yes."), line(xtts, "Да"), line(xtts, " "), line(xtts, language="fi")]
    )
    assert isinstance(heard, Audio)
    assert isinstance(foreign, SpeechRejected)
    assert "Да" in str(foreign)
    assert isinstance(empty, SpeechRejected)
    assert isinstance(other, SpeechRejected)
    assert "does not speak 'fi'" in str(other)


@pytest.mark.parametrize(
    ("language", "text", "library", "extra"),
    [("zh-CN", "你好。", "pypinyin", "coqui-zh"), ("ja", "はい。", "cutlet", "coqui-ja")],
)
def test_a_language_whose_reader_is_missing_names_its_extra(
    xtts: Engine,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    text: str,
    library: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    unread, heard = xtts.synthesize([line(xtts, text, language=language), line(xtts)])
    assert isinstance(unread, SpeechRejected)
    assert f"dubbing[{extra}]" in str(unread)
    assert isinstance(heard, Audio)


@pytest.mark.parametrize("seconds", [10, 45])
def test_a_voice_has_the_shapes_that_were_published(xtts: Engine, seconds: int) -> None:
    long = Audio(samples=np.resize(recording().samples, seconds * 24_000), rate=24_000)
    form = xtts.extract(long, "")
    assert {name: array.shape for name, array in form.items()} == {
        "gpt_cond_latent": (1, 32, 32),
        "speaker_embedding": (1, 512, 1),
    }
    assert {array.dtype for array in form.values()} == {np.dtype(np.float32)}


def test_another_recording_is_another_voice(xtts: Engine) -> None:
    one = recording()
    other = Audio(samples=one.samples[::2].copy(), rate=one.rate)
    forms = [xtts.extract(sound, "") for sound in (one, other)]
    for name in forms[0]:
        assert np.abs(forms[0][name] - forms[1][name]).max() > 1e-3


def test_of_a_long_reference_every_half_minute_counts(xtts: Engine) -> None:
    low, high = (np.resize(recording().samples[::step], 22 * 24_000) for step in (1, 2))
    whole, *halves = (
        xtts.extract(Audio(samples=samples, rate=24_000), "")["speaker_embedding"]
        for samples in (np.concatenate([low, high]), low, high)
    )
    assert np.abs(whole - np.mean(halves, axis=0)).max() < TOLERANCE


def test_a_silent_reference_is_refused(xtts: Engine) -> None:
    silence = Audio(samples=np.zeros(240_000, np.float32), rate=24_000)
    with pytest.raises(SpeechRejected, match="silent"):
        xtts.extract(silence, "")


def test_a_reference_that_is_too_short_is_refused(xtts: Engine) -> None:
    short = Audio(samples=recording().samples[:24_000], rate=24_000)
    with pytest.raises(SpeechRejected, match="needs a reference of 3"):
        xtts.extract(short, "")


def test_it_says_so_when_it_is_not_loaded() -> None:
    with pytest.raises(EngineFailed, match="not loaded"):
        XTTS().synthesize([Line(text="x", language="en", voice=ANN)])

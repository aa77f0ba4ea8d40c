"""The contract of every engine that is installed, and what the built-in ones promise besides."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soxr
from conftest import PLUGINS, unavailable

from dubbing.audio import Audio, judge, trim
from dubbing.engine import Catalogue, Engine, EngineSpec, Line, VoiceForm
from dubbing.engines.tone import Tone
from dubbing.errors import DubbingError, EngineMissing, SpeechRejected

TEXTS = (
    "You told me the ship would leave before dawn.",
    "Yes.",
    "I never said that I would stay here with you, not for a day, not for an hour.",
)
LONGEST = 15.0


@pytest.fixture(params=Catalogue().names())
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each engine that is installed, loaded."""
    yield from loaded(request.param)


@pytest.fixture
def espeak() -> Iterator[Engine]:
    yield from loaded("espeak")


@pytest.fixture
def tone() -> Iterator[Engine]:
    yield from loaded("tone")


def loaded(name: str) -> Iterator[Engine]:
    engine = Catalogue().create(name)
    try:
        engine.load("cpu")
    except EngineMissing as exc:
        unavailable(str(exc))
    yield engine
    engine.unload()


def line(engine: Engine, text: str = TEXTS[0], **fields: object) -> Line:
    """A line in a language and a voice that the engine has."""
    language = "en" if engine.spec.covers("en") else engine.spec.languages[0]
    plain = Line(text=text, language=language, voice=a_voice(engine))
    return replace(plain, **fields)


def a_voice(engine: Engine) -> str | VoiceForm:
    if engine.spec.voices:
        return engine.spec.voices[0]
    return engine.extract(recording(), TEXTS[0])


def recording() -> Audio:
    """Ten seconds that sound like a voice."""
    hum = Tone().synthesize([Line(text="x" * 150, language="en", voice="low")])[0]
    assert isinstance(hum, Audio)
    return hum


def speak(engine: Engine, *lines: Line) -> list[Audio]:
    """What the engine says, each without the silence around it."""
    return [trim(sound) for sound in spoken(engine, *lines)]


def spoken(engine: Engine, *lines: Line) -> list[Audio]:
    results = engine.synthesize(lines)
    assert len(results) == len(lines)
    sounds = [result for result in results if isinstance(result, Audio)]
    assert sounds == results
    return sounds


def spectrum(sound: Audio) -> np.ndarray:
    """The mean spectrum in 16 bands up to 8 kHz, in dB about its mean."""
    samples = soxr.resample(sound.samples, sound.rate, 16_000)
    frames = samples[: len(samples) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    power = np.square(np.abs(np.fft.rfft(frames)[:, 1:])).mean(axis=0)
    decibels = 10 * np.log10(power.reshape(16, 16).mean(axis=1) + 1e-9)
    return decibels - decibels.mean()


def pitch(sound: Audio) -> float:
    """The median fundamental in Hz."""
    return float(Tone().extract(sound, "")["f0"][0])


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
        (sound,) = spoken(engine, line(engine, voice=voice))
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
    for semitones in (-4, 4):
        plain, moved = speak(engine, line(engine), line(engine, pitch=semitones))
        assert 12 * np.log2(pitch(moved) / pitch(plain)) == pytest.approx(semitones, abs=1)


def test_its_model_has_a_stable_digest(engine: Engine) -> None:
    assert re.fullmatch(r"[0-9a-f]{8,64}", engine.model)
    other = Catalogue().create(engine.spec.name)
    other.load("cpu")
    assert other.model == engine.model


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


def test_a_library_that_is_missing_names_its_extra() -> None:
    blocked = "import sys; sys.modules['espeakng_loader'] = None\n"
    ask = "from dubbing.engines.espeak import ESpeak; ESpeak().load('cpu')"
    ended = subprocess.run(
        [sys.executable, "-c", blocked + ask], capture_output=True, text=True, check=False
    )
    assert "EngineMissing" in ended.stderr
    assert "pip install 'dubbing[espeak]'" in ended.stderr


def test_the_first_voices_of_espeak_are_told_apart(espeak: Engine) -> None:
    voices = espeak.spec.voices[:4]
    sounds = speak(espeak, *(line(espeak, TEXTS[2], voice=voice) for voice in voices))
    for one, other in combinations(sounds, 2):
        semitones = abs(12 * np.log2(pitch(one) / pitch(other)))
        decibels = np.sqrt(np.mean(np.square(spectrum(one) - spectrum(other))))
        assert semitones > 5 or decibels > 5


def test_espeak_knows_every_language_of_its_spec(
    espeak: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    for language in espeak.spec.languages:
        (sound,) = spoken(espeak, line(espeak, "1 2 3", language=language))
        judge(sound, longest=LONGEST)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        ("en-US", "en-GB", "I can't take a bath after dark, doctor."),
        ("pt-BR", "pt-PT", "O menino de verdade tinha leite quente."),
        ("es-419", "es", "Cinco cervezas y zapatos azules."),
        ("fr-BE", "fr", "70 et 90"),
        ("zh-HK", "zh", "你好，世界。"),
    ],
)
def test_espeak_speaks_a_region_its_own_way(
    espeak: Engine, one: str, other: str, text: str
) -> None:
    assert difference(espeak, text, one, other) > 2


@pytest.mark.parametrize(
    ("region", "nearest", "text"),
    [
        ("es-MX", "es-419", "Cinco cervezas y zapatos azules."),
        ("fr-CA", "fr", "70 et 90"),
        ("zh-TW", "zh", "你好，世界。"),
        ("en-AU", "en-GB", "I can't take a bath after dark, doctor."),
    ],
)
def test_a_region_that_espeak_lacks_is_spoken_as_the_nearest(
    espeak: Engine, region: str, nearest: str, text: str
) -> None:
    assert difference(espeak, text, region, nearest) < 0.5


def difference(espeak: Engine, text: str, *languages: str) -> float:
    """How far apart two languages sound, in dB, in a voice that always sounds the same."""
    lines = (line(espeak, text, voice="shelby", language=language) for language in languages)
    one, other = (spectrum(sound) for sound in speak(espeak, *lines))
    return float(np.abs(one - other).max())


def test_espeak_reads_markup_as_plain_text(espeak: Engine) -> None:
    pause, phonemes, name = spoken(
        espeak,
        line(espeak, 'Wait <break time="20s"/> here.'),
        line(espeak, "[[h@'loU]]"),
        line(espeak, "hello"),
    )
    assert pause.seconds < 8
    assert phonemes.seconds > 1.5 * name.seconds


def test_threads_that_speak_at_once_do_not_mix_their_lines(espeak: Engine) -> None:
    voices = espeak.spec.voices[:4]
    alone = [speak(espeak, line(espeak, TEXTS[0], voice=voice))[0] for voice in voices]

    def speak_often(voice: str) -> list[Audio]:
        own = Catalogue().create("espeak")
        own.load("cpu")
        return speak(own, *[line(own, TEXTS[0], voice=voice)] * 20)

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(speak_often, voices))
    for one, many in zip(alone, together, strict=True):
        for sound in many:
            assert sound.seconds == pytest.approx(one.seconds, rel=0.01)
            assert np.abs(spectrum(sound) - spectrum(one)).max() < 2


def test_espeak_says_so_when_it_is_not_loaded() -> None:
    with pytest.raises(DubbingError, match="not loaded"):
        Catalogue().create("espeak").synthesize([Line(text="x", language="en", voice="m3")])


def test_a_hummed_line_is_as_long_as_its_text_to_the_sample(tone: Engine) -> None:
    for text, speed, frames in (("x" * 30, 1.0, 48_000), ("x" * 30, 2.0, 24_000), ("x", 1.0, 1600)):
        (sound,) = spoken(tone, line(tone, text, speed=speed))
        assert len(sound.samples) == frames
        assert trim(sound).seconds == pytest.approx(sound.seconds, abs=0.005)


def test_the_same_line_and_seed_hum_the_same_and_another_seed_does_not(tone: Engine) -> None:
    one, same, other = spoken(tone, line(tone), line(tone), line(tone, seed=1))
    assert one.samples.tobytes() == same.samples.tobytes()
    assert one.samples.tobytes() != other.samples.tobytes()


@pytest.mark.parametrize("hertz", [90, 180, 300])
def test_a_hum_is_cloned_at_its_pitch(tone: Engine, hertz: float) -> None:
    (sound,) = spoken(tone, line(tone, "x" * 60, voice={"f0": np.array([hertz])}))
    assert tone.extract(sound, "")["f0"][0] == pytest.approx(hertz, rel=0.06)


@pytest.mark.parametrize("frames", [0, 100, 24_000])
def test_noise_and_fragments_have_no_pitch(tone: Engine, frames: int) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, frames).astype(np.float32)
    with pytest.raises(SpeechRejected, match="no pitch"):
        tone.extract(Audio(samples=noise, rate=24_000), "")


def test_an_engine_on_the_path_is_found_by_its_entry_point() -> None:
    ask = "from dubbing.engine import Catalogue; print(*Catalogue().names())"
    names = subprocess.run(
        [sys.executable, "-c", ask],
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert names == sorted([*Catalogue().names(), "faulty"])


def test_the_faulty_engine_fails_as_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    log = tmp_path / "spoken"
    monkeypatch.setenv("FAULTY_LOG", str(log))
    faulty = Catalogue().create("faulty")
    faulty.load("cpu")
    for text in ("[nan]", "[silence]", "[nothing]", "[long]", "[flaky]", "[flaky:7]"):
        (sound,) = spoken(faulty, line(faulty, text, seed=7 if "7" in text else 0))
        with pytest.raises(SpeechRejected):
            judge(sound, longest=faulty.spec.longest(text, "en", 1.0))
    (good,) = spoken(faulty, line(faulty, "[flaky]", seed=1))
    judge(good, longest=2)
    with pytest.raises(RuntimeError):
        faulty.synthesize([line(faulty, "[raise]")])
    with pytest.raises(MemoryError):
        faulty.synthesize([line(faulty), line(faulty, "[oom]")])
    (alone,) = spoken(faulty, line(faulty, "[oom]"))
    judge(alone, longest=2)
    assert len(log.read_text().splitlines()) == 9

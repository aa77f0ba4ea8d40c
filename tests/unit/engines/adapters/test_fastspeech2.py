"""What FastSpeech2 and its vocoder promise beyond the contract of every engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from pickles import Evil
from services import unavailable
from speech import TEXTS, line, spoken

from dubbing.engines.adapters.fastspeech2 import FastSpeech2
from dubbing.engines.engine import Engine, missing_libraries
from dubbing.errors import BadInput, EngineFailed, EngineMissing, SpeechRejected
from dubbing.media.samples import judge

if missing_libraries(FastSpeech2()):
    unavailable("coqui-tts")

from tiny import fastspeech2 as tiny_fastspeech2

TOLERANCE = 1e-4
"""Fraction of full scale by which a line may differ from one batch to another."""
VOCODER = ("vocoder.pth", "vocoder_config.json")
INSIDE = 16 * 128
"""Samples at either end that depend on the frames with which coqui-tts pads the spectrogram."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for a test's own model."""
    (tmp_path / "fastspeech2").mkdir()
    return tmp_path / "fastspeech2"


@pytest.fixture(scope="module")
def fastspeech2(models: Path) -> Iterator[Engine]:
    tiny.make("fastspeech2", models / "fastspeech2")
    engine = loaded(models / "fastspeech2")
    yield engine
    engine.unload()


def made(folder: Path, **changes: Any) -> FastSpeech2:
    tiny_fastspeech2.make(folder, **changes)
    return loaded(folder)


def loaded(folder: Path) -> FastSpeech2:
    engine = FastSpeech2("fastspeech2", folder)
    engine.load("cpu")
    return engine


def assert_each_is_as_alone(engine: Engine) -> None:
    asked = [(TEXTS[2], "ann", 1.0), (TEXTS[1], "bob", 0.5), (TEXTS[0], "bob", 2.0)]
    lines = [line(engine, text, voice=voice, speed=speed) for text, voice, speed in asked]
    for one, together in zip(lines, spoken(engine, *lines), strict=True):
        (alone,) = spoken(engine, one)
        assert len(together.samples) == len(alone.samples)
        assert np.abs(together.samples - alone.samples).max() < TOLERANCE


def test_a_line_is_spoken_in_a_batch_as_it_is_alone(folder: Path) -> None:
    engine = made(folder)
    for together in (2, 4):
        engine._vocoder.together = together
        assert_each_is_as_alone(engine)


@pytest.mark.parametrize("model", ["fast_pitch", "fast_speech"])
def test_its_kin_speak_too(folder: Path, model: str) -> None:
    told = {"use_energy": False, "use_pitch": model == "fast_pitch", "positional_encoding": False}
    assert_each_is_as_alone(made(folder, model=model, model_args=told))


def test_it_speaks_as_coqui_tts_itself_does(folder: Path) -> None:
    engine = made(folder)
    (sound,) = spoken(engine, line(engine, voice="bob"))
    theirs = tiny_fastspeech2.by_coqui_tts(folder, TEXTS[0], speaker=1)
    assert len(sound.samples) == len(theirs)
    inside = slice(INSIDE, -INSIDE)
    assert np.abs(sound.samples[inside] - theirs[inside]).max() < TOLERANCE


@pytest.mark.parametrize(
    "audio",
    [
        {"sample_rate": 24_000},
        {"signal_norm": True, "symmetric_norm": True, "max_norm": 4.0, "min_level_db": -10},
    ],
    ids=["rate", "norm"],
)
def test_spectrograms_are_as_the_vocoder_was_trained(folder: Path, audio: dict[str, Any]) -> None:
    engine = made(folder, vocoder={"audio": tiny_fastspeech2.audio(**audio)})
    (sound,) = spoken(engine, line(engine, voice="bob"))
    assert sound.rate == engine.spec.sample_rate == audio.get("sample_rate", 16_000)
    assert sound.seconds == pytest.approx(len(TEXTS[0]) / engine.spec.pace("en"), rel=0.02)
    theirs = tiny_fastspeech2.by_coqui_tts(folder, TEXTS[0], speaker=1)
    inside = slice(2 * INSIDE, -2 * INSIDE)
    assert np.abs(sound.samples[inside] - theirs[inside]).max() < TOLERANCE


def test_lines_of_a_batch_differ_in_speed(fastspeech2: Engine) -> None:
    slow, natural, fast = (
        sound.seconds
        for sound in spoken(
            fastspeech2, *(line(fastspeech2, speed=speed) for speed in (0.5, 1.0, 2.0))
        )
    )
    assert slow == pytest.approx(2 * natural)
    assert fast == pytest.approx(natural / 2)


def test_voices_sound_different(fastspeech2: Engine) -> None:
    ann, bob = (
        spoken(fastspeech2, line(fastspeech2, voice=voice))[0].samples for voice in ("ann", "bob")
    )
    assert np.abs(ann - bob).max() > 0.01


def test_without_a_vocoder_it_is_heard_too(folder: Path) -> None:
    import torch

    tiny_fastspeech2.make(folder)
    for name in VOCODER:
        (folder / name).unlink()
    engine = loaded(folder)
    before = torch.get_rng_state()
    one, again, other = spoken(engine, *(line(engine, seed=seed) for seed in (2**40, 2**40, 7)))
    judge(one, longest=15.0)
    assert one.seconds == pytest.approx(len(TEXTS[0]) / engine.spec.pace("en"), rel=0.02)
    # Not to the bit: some processors sum the rows of a call in different orders.
    assert np.allclose(one.samples, again.samples, atol=1e-3)
    assert not np.allclose(one.samples, other.samples, atol=1e-2)
    assert torch.equal(torch.get_rng_state(), before)
    # Shorter than half a window, which is mirrored at either end.
    (short,) = engine._vocoder.sounds([np.zeros((tiny_fastspeech2.MELS, 2), np.float32)], [0])
    assert len(short) == INSIDE // 16


def test_a_model_of_one_speaker_has_one_voice(folder: Path) -> None:
    engine = made(folder, model_args={"use_speaker_embedding": False})
    assert engine.spec.voices == ("default",)
    spoken(engine, line(engine))


@pytest.mark.parametrize("numbers", [32, 3])
def test_vectors_of_speakers_are_voices_too(folder: Path, numbers: int) -> None:
    entries = {f"{n}.wav": {"name": f"v{n % 2}", "embedding": [n] * numbers} for n in range(4)}
    (folder / "speakers.json").write_text(json.dumps(entries))
    told = {"use_d_vector_file": True, "d_vector_file": "/train/x.json", "d_vector_dim": numbers}
    engine = made(folder, model_args={"use_speaker_embedding": False, **told}, **told)
    assert engine.spec.voices == ("v0", "v1")
    one, other = spoken(engine, *(line(engine, voice=voice) for voice in engine.spec.voices))
    assert np.abs(one.samples - other.samples).max() > 0.01


def test_a_text_without_any_known_symbol_is_refused(fastspeech2: Engine) -> None:
    (foreign,) = fastspeech2.synthesize([line(fastspeech2, "Да")])
    assert isinstance(foreign, SpeechRejected)


@pytest.mark.parametrize(("slowness", "words"), [(100.0, "at most"), (20.0, "at most 40.0 s")])
def test_a_line_that_is_too_long_for_the_model_is_refused(
    folder: Path, slowness: float, words: str
) -> None:
    # The second is not too long for its text, but for the model's 5000 frames.
    engine = made(folder, model_args={"length_scale": slowness})
    if slowness < 100:
        engine.spec = engine.spec.model_copy(update={"characters_per_second": {"*": 2.0}})
    (endless,) = engine.synthesize([line(engine, TEXTS[2])])
    assert isinstance(endless, SpeechRejected)
    assert words in str(endless)


def test_it_is_loaded_from_what_a_gan_is_trained_as(folder: Path) -> None:
    import torch

    before = spoken(engine := made(folder), line(engine))[0].samples
    weights = torch.load(folder / VOCODER[0], weights_only=True)["model"]
    whole = {f"model_g.{key}": value for key, value in weights.items()}
    torch.save({"model": whole | {"model_d.x": torch.zeros(1)}}, folder / VOCODER[0])
    after = spoken(engine := loaded(folder), line(engine))[0].samples
    assert np.array_equal(before, after)


@pytest.mark.parametrize("name", VOCODER)
def test_half_a_vocoder_is_told(folder: Path, name: str) -> None:
    tiny_fastspeech2.make(folder)
    (folder / name).unlink()
    with pytest.raises(EngineMissing, match=f"lacks {name}"):
        loaded(folder)


def test_a_vocoder_of_other_spectrograms_is_refused(folder: Path) -> None:
    tiny_fastspeech2.make(folder, vocoder={"audio": tiny_fastspeech2.audio(num_mels=20)})
    with pytest.raises(EngineFailed, match=r"20 mels.*have 16"):
        loaded(folder)


@pytest.mark.parametrize("name", ["config.json", VOCODER[1]])
def test_statistics_that_only_unpickling_reads_are_refused(folder: Path, name: str) -> None:
    tiny_fastspeech2.make(folder)
    audio = tiny_fastspeech2.audio(signal_norm=True, stats_path="/train/scale_stats.npy")
    change(folder / name, audio=audio)
    with pytest.raises(BadInput, match=f"{name}.*stats_path"):
        loaded(folder)


@pytest.mark.parametrize(
    ("name", "told", "words"),
    [
        ("config.json", {"model": "vits"}, "'vits' is not one of fastspeech2"),
        (
            "config.json",
            {"model_args": {"decoder_type": "residual_conv_bn"}},
            "decoder_type: 'residual_conv_bn' is not 'fftransformer'",
        ),
        (VOCODER[1], {"generator_model": "melgan_generator"}, "'melgan_generator' is not"),
    ],
)
def test_a_model_of_another_kind_is_refused(
    folder: Path, name: str, told: dict[str, Any], words: str
) -> None:
    tiny_fastspeech2.make(folder)
    change(folder / name, **told)
    with pytest.raises(BadInput, match=f"{name}: .*{words}"):
        loaded(folder)


def change(path: Path, **settings: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def test_files_that_are_missing_are_named(folder: Path) -> None:
    with pytest.raises(EngineMissing, match=r"config\.json, \*\.pth.*github.com"):
        loaded(folder)


@pytest.mark.parametrize("name", ["model.pth", VOCODER[0]])
def test_a_pickle_that_runs_code_is_refused(folder: Path, name: str) -> None:
    import torch

    tiny_fastspeech2.make(folder)
    trace = folder / "was here"
    torch.save({"model": Evil(trace)}, folder / name)
    with pytest.raises(EngineFailed, match="more than weights"):
        loaded(folder)
    assert not trace.exists()
    torch.load(folder / name, weights_only=False)
    assert trace.exists()


@pytest.mark.parametrize("name", ["model.pth", VOCODER[0]])
def test_a_damaged_file_is_told(folder: Path, name: str) -> None:
    tiny_fastspeech2.make(folder)
    (folder / name).write_bytes(b"PK damaged")
    with pytest.raises(EngineFailed, match="the model of 'fastspeech2' in"):
        loaded(folder)


@pytest.mark.parametrize("name", ["config.json", VOCODER[1]])
def test_a_configuration_with_an_address_is_refused(folder: Path, name: str) -> None:
    tiny_fastspeech2.make(folder)
    change(folder / name, generator_model="https://example.org/x")
    with pytest.raises(BadInput, match=r"generator_model: 'https://example\.org"):
        FastSpeech2("fastspeech2", folder)


@pytest.mark.parametrize("name", ["model.pth", *VOCODER])
def test_a_file_that_leads_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    tiny_fastspeech2.make(folder)
    (folder / name).rename(folder.parent / name)
    (folder / name).symlink_to(folder.parent / name)
    with pytest.raises(BadInput, match="outside the model's folder"):
        loaded(folder)


def test_another_vocoder_is_another_model(folder: Path, fastspeech2: Engine) -> None:
    tiny_fastspeech2.make(folder)
    assert loaded(folder).model == fastspeech2.model
    with (folder / VOCODER[0]).open("ab") as file:
        file.write(b"\0")
    assert loaded(folder).model != fastspeech2.model


def test_what_was_unloaded_does_not_speak(folder: Path) -> None:
    engine = made(folder)
    engine.unload()
    with pytest.raises(EngineFailed, match="not loaded"):
        engine.synthesize([line(engine)])

"""What YourTTS promises beyond the contract of every engine."""

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
from speech import TEXTS, line, recording, spoken

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.adapters.yourtts import YourTTS
from dubbing.engines.engine import Engine, VoiceForm, missing_libraries
from dubbing.errors import BadInput, EngineFailed, EngineMissing, SpeechRejected
from dubbing.media.samples import Audio

if missing_libraries(YourTTS()):
    unavailable("coqui-tts")

from tiny import yourtts as tiny_yourtts

TOLERANCE = 1e-4
"""Fraction of full scale by which a line may differ from one batch to another."""


@pytest.fixture(scope="module")
def yourtts(models: Path) -> Iterator[Engine]:
    tiny.make("yourtts", models / "yourtts")
    engine = loaded(models / "yourtts")
    yield engine
    engine.unload()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a test's own model."""
    (tmp_path / "yourtts").mkdir()
    tiny_yourtts.make(tmp_path / "yourtts")
    return tmp_path / "yourtts"


def loaded(folder: Path) -> YourTTS:
    engine = YourTTS("yourtts", folder)
    engine.load("cpu")
    return engine


def cloned(engine: Engine, pitch: float) -> VoiceForm:
    """Return the voice of a hum of this pitch, in Hz."""
    tone = Tone()
    tone.load("cpu")
    (hum,) = spoken(tone, line(tone, "x" * 150, voice={"f0": np.array([pitch])}))
    return engine.extract(hum, "")


def test_a_voice_is_the_vector_of_the_speaker_encoder(yourtts: Engine) -> None:
    low, again, high = (cloned(yourtts, pitch)["d_vector"] for pitch in (100.0, 100.0, 300.0))
    assert low.shape == (tiny_yourtts.NUMBERS,)
    assert low.dtype == np.float32
    assert np.array_equal(low, again)
    assert np.abs(low - high).max() > 0.01


# coqui-tts reads files by librosa, which looks for modules that Python has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_vector_is_what_coqui_tts_computes(folder: Path, tmp_path: Path) -> None:
    import soundfile
    from TTS.tts.utils.speakers import SpeakerManager

    engine = loaded(folder)
    hum = Tone().synthesize([line(Tone(), "x" * 150, voice="low")])[0]
    assert isinstance(hum, Audio)
    path = tmp_path / "hum.wav"
    soundfile.write(path, hum.samples, hum.rate, subtype="FLOAT")
    theirs = SpeakerManager(
        encoder_model_path=str(folder / "model_se.pth"),
        encoder_config_path=str(folder / "config_se.json"),
    ).compute_embedding_from_clip(str(path))
    assert engine.extract(hum, "")["d_vector"] == pytest.approx(theirs, abs=1e-3)


def test_voices_and_languages_are_mixed_in_a_batch(yourtts: Engine) -> None:
    low, high = cloned(yourtts, 100.0), cloned(yourtts, 300.0)
    asked: list[dict[str, Any]] = [
        {"voice": low, "language": "en"},
        {"voice": high, "language": "fr-CA"},
        {"voice": "male-pt-3", "language": "pt-BR"},
        {"voice": low, "language": "fr"},
    ]
    lines = [
        line(yourtts, text, seed=7, **fields)
        for text, fields in zip((TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[0]), asked, strict=True)
    ]
    together = [sound.samples for sound in spoken(yourtts, *lines)]
    for own, samples in zip(lines, together, strict=True):
        (alone,) = spoken(yourtts, own)
        assert len(samples) == len(alone.samples)
        assert np.abs(samples - alone.samples).max() < TOLERANCE
    shortest = min(len(together[0]), len(together[3]))
    assert np.abs(together[0][:shortest] - together[3][:shortest]).max() > 0.01


def test_its_languages_and_stock_voices_are_told_before_it_is_loaded(models: Path) -> None:
    tiny.make("yourtts", models / "yourtts")
    spec = YourTTS("yourtts", models / "yourtts").spec
    assert spec.languages == ("en", "fr", "pt-BR")
    assert spec.voices == ("female-en-5", "male-pt-3")
    assert "non-commercial" in spec.licence


def test_without_vectors_of_its_own_it_only_clones(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "speakers.json").unlink()
    config["model_args"]["d_vector_file"] = None
    (folder / "config.json").write_text(json.dumps(config))
    engine = loaded(folder)
    assert engine.spec.voices == ()
    spoken(engine, line(engine))


def test_a_language_that_it_lacks_is_refused(yourtts: Engine) -> None:
    (german,) = yourtts.synthesize([line(yourtts, language="de")])
    assert isinstance(german, SpeechRejected)
    assert "'de'" in str(german)


def test_a_voice_of_another_model_is_refused(yourtts: Engine) -> None:
    (spoken_by_none,) = yourtts.synthesize([line(yourtts, voice={"d_vector": np.ones(7)})])
    assert isinstance(spoken_by_none, SpeechRejected)
    assert "extract it again" in str(spoken_by_none)


def test_a_form_of_another_engine_is_refused(yourtts: Engine) -> None:
    (spoken_by_none,) = yourtts.synthesize([line(yourtts, voice={"f0": np.ones(1)})])
    assert isinstance(spoken_by_none, SpeechRejected)


def test_a_model_that_cannot_clone_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"languages": ["en"]}')
    with pytest.raises(BadInput, match="it is one for 'vits'"):
        YourTTS("yourtts", tmp_path)


def test_a_missing_encoder_is_named(folder: Path) -> None:
    (folder / "model_se.pth").unlink()
    with pytest.raises(EngineMissing, match=r"lacks model_se\.pth"):
        loaded(folder)


def test_an_encoder_that_does_not_belong_to_the_model_is_refused(folder: Path) -> None:
    tiny_yourtts.make(folder, model_args={"d_vector_dim": 8, "d_vector_file": None})
    with pytest.raises(EngineFailed, match="do not belong together"):
        loaded(folder)


def test_an_address_in_the_encoders_configuration_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config_se.json").read_text())
    config["restore_path"] = "s3://bucket/model.pth"
    (folder / "config_se.json").write_text(json.dumps(config))
    with pytest.raises(BadInput, match="restore_path"):
        loaded(folder)


def test_statistics_that_run_code_are_refused(folder: Path) -> None:
    np.save(
        folder / "stats.npy", np.array(Evil(folder / "was here"), dtype=object), allow_pickle=True
    )
    config = json.loads((folder / "config_se.json").read_text())
    config["audio"] |= {"stats_path": str(folder / "stats.npy"), "signal_norm": True}
    (folder / "config_se.json").write_text(json.dumps(config))
    with pytest.raises(BadInput, match="stats_path"):
        loaded(folder)
    assert not (folder / "was here").exists()


def test_an_encoder_that_runs_code_is_refused(folder: Path) -> None:
    import torch

    trace = folder / "was here"

    torch.save({"model": Evil(trace)}, folder / "model_se.pth")
    with pytest.raises(EngineFailed, match="more than weights"):
        loaded(folder)
    assert not trace.exists()


def test_another_encoder_makes_another_model(folder: Path) -> None:
    import torch

    before = loaded(folder).model
    weights = torch.load(folder / "model_se.pth", weights_only=True)
    weights["step"] = 1
    torch.save(weights, folder / "model_se.pth")
    assert loaded(folder).model != before


def test_it_says_so_when_it_is_not_loaded() -> None:
    with pytest.raises(EngineFailed, match="not loaded"):
        YourTTS().extract(recording(), "")

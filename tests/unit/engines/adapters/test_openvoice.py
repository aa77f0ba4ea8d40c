"""What OpenVoice promises beyond the contract of every engine."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from services import unavailable
from speech import recording

from dubbing.engines.adapters.openvoice import OpenVoice
from dubbing.engines.engine import VoiceForm, missing_libraries
from dubbing.errors import BadInput, DubbingError, EngineFailed, EngineMissing, SpeechRejected
from dubbing.media.samples import Audio

TOLERANCE = 1e-5
"""Fraction of full scale by which a sound converted alone and in a batch may differ."""
LENGTHS = (24_000, 100, 50_001, 7_000, 1, 33_333)


@pytest.fixture(scope="module")
def folder(models: Path) -> Path:
    if missing_libraries(OpenVoice()):
        unavailable("coqui-tts")
    tiny.make("openvoice", models / "openvoice")
    return models / "openvoice"


@pytest.fixture(scope="module")
def converter(folder: Path) -> OpenVoice:
    converter = OpenVoice("openvoice", folder)
    converter.load("cpu")
    return converter


@pytest.fixture
def own_folder(folder: Path, tmp_path: Path) -> Path:
    """The folder of a model that a test may change."""
    own = tmp_path / "openvoice"
    own.mkdir()
    for name in ("config.json", "checkpoint.pth"):
        (own / name).write_bytes((folder / name).read_bytes())
    return own


def noise(frames: int, seed: int = 0, rate: int = 24_000) -> Audio:
    random = np.random.default_rng(seed)
    return Audio(samples=random.normal(0, 0.1, frames).astype(np.float32), rate=rate)


@pytest.fixture(scope="module")
def voices(converter: OpenVoice) -> list[VoiceForm]:
    return [converter.extract(noise(72_000, seed), "") for seed in range(3)]


def converted(converter: OpenVoice, sounds: list[Audio], voices: list[VoiceForm]) -> list[Audio]:
    results = converter.convert(sounds, voices)
    return [result for result in results if isinstance(result, Audio)]


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("together", [None, 2, len(LENGTHS)])
def test_a_sound_becomes_the_same_alone_and_beside_others(
    converter: OpenVoice,
    voices: list[VoiceForm],
    together: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(converter, "together", together)
    sounds = [noise(frames, seed) for seed, frames in enumerate(LENGTHS)]
    mixed = [voices[number % len(voices)] for number in range(len(sounds))]
    together = converted(converter, sounds, mixed)
    for sound, voice, beside in zip(sounds, mixed, together, strict=True):
        (alone,) = converted(converter, [sound], [voice])
        np.testing.assert_allclose(beside.samples, alone.samples, atol=TOLERANCE)


def test_each_sound_is_given_the_voice_beside_it(
    converter: OpenVoice, voices: list[VoiceForm]
) -> None:
    sound = noise(24_000)
    one, other, again = converted(converter, [sound] * 3, [voices[0], voices[1], voices[0]])
    assert np.abs(one.samples - other.samples).max() > 1000 * TOLERANCE
    np.testing.assert_allclose(one.samples, again.samples, atol=TOLERANCE)


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_a_sound_keeps_its_length(converter: OpenVoice, voices: list[VoiceForm], rate: int) -> None:
    sounds = [noise(frames, rate=rate) for frames in LENGTHS]
    for sound, now in zip(sounds, converted(converter, sounds, voices * 2), strict=True):
        assert now.rate == converter.spec.sample_rate
        assert now.seconds == pytest.approx(sound.seconds, abs=1 / now.rate)
        assert now.samples.dtype == np.float32
        assert np.abs(now.samples).max(initial=0) <= 1


def test_a_voice_is_as_many_numbers_as_the_model_has_channels(converter: OpenVoice) -> None:
    form = converter.extract(recording(), "")
    assert {name: (array.shape, array.dtype) for name, array in form.items()} == {
        "se": ((32,), np.float32)
    }


def test_all_of_a_long_reference_counts(converter: OpenVoice) -> None:
    first, second = noise(240_000, 1), noise(240_000, 2)
    whole = Audio(samples=np.concatenate([first.samples, second.samples]), rate=first.rate)
    parts = [converter.extract(part, "")["se"] for part in (first, second)]
    np.testing.assert_allclose(converter.extract(whole, "")["se"], np.mean(parts, 0), atol=0.05)
    assert np.abs(parts[0] - parts[1]).max() > 0.1


def test_the_first_versions_configuration_is_taken_as_its_authors_do(own_folder: Path) -> None:
    model = json.loads((own_folder / "config.json").read_text())["model"]
    sounds = []
    for zero_g in ({"zero_g": True}, {"zero_g": False}, {}):
        del model["zero_g"]
        model |= zero_g
        rewrite(own_folder, model=model)
        converter = OpenVoice("openvoice", own_folder)
        converter.load("cpu")
        sounds += converted(converter, [noise(24_000)], [converter.extract(recording(), "")])
        model.setdefault("zero_g", None)
    with_nothing, with_voice, unnamed = (sound.samples for sound in sounds)
    np.testing.assert_allclose(unnamed, with_voice, atol=TOLERANCE)
    assert np.abs(with_nothing - with_voice).max() > 0.01


def test_a_library_that_is_missing_names_its_extra() -> None:
    blocked = "import sys; sys.modules['TTS'] = None\n"
    ask = "from dubbing.engines.adapters.openvoice import OpenVoice; OpenVoice().load('cpu')"
    ended = subprocess.run(
        [sys.executable, "-c", blocked + ask], capture_output=True, text=True, check=False
    )
    assert "EngineMissing" in ended.stderr
    assert "pip install 'dubbing[coqui]'" in ended.stderr


def test_a_model_that_is_not_there_is_told_with_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match=r"config\.json, checkpoint\.pth.*myshell-ai"):
        OpenVoice("openvoice", tmp_path).load("cpu")


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("plain", [True, False])
def test_a_checkpoint_that_runs_code_is_refused_and_runs_none(
    own_folder: Path, tmp_path: Path, plain: bool
) -> None:
    import torch

    mark = tmp_path / "it ran"
    checkpoint = own_folder / "checkpoint.pth"
    if plain:
        checkpoint.write_bytes(pickle.dumps({"model": Bomb(mark)}, protocol=2))
    else:
        torch.save({"model": Bomb(mark)}, checkpoint)
    with pytest.raises(EngineFailed, match=r"'openvoice'.*more than weights"):
        OpenVoice("openvoice", own_folder).load("cpu")
    assert not mark.exists()


def test_a_damaged_checkpoint_is_told(own_folder: Path) -> None:
    whole = (own_folder / "checkpoint.pth").read_bytes()
    for damaged in (b"", b"no model", whole[: len(whole) // 2]):
        (own_folder / "checkpoint.pth").write_bytes(damaged)
        with pytest.raises(EngineFailed, match="openvoice"):
            OpenVoice("openvoice", own_folder).load("cpu")


def test_a_checkpoint_of_another_model_is_told(own_folder: Path) -> None:
    model = json.loads((own_folder / "config.json").read_text())["model"]
    rewrite(own_folder, model=model | {"gin_channels": 16})
    with pytest.raises(EngineFailed, match="cannot be loaded"):
        OpenVoice("openvoice", own_folder).load("cpu")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"sampling_rate": 22050}}, r"filter_length"),
        ({"model": None}, "model"),
        ({"base": "https://example.org/x.pth"}, "is an address"),
        ({"more": [{"file": "s3://bucket/x.pth"}]}, "is an address"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(
    own_folder: Path, changes: dict[str, Any], words: str
) -> None:
    rewrite(own_folder, **changes)
    with pytest.raises(BadInput, match=words) as refused:
        OpenVoice("openvoice", own_folder)
    assert "config.json" in str(refused.value)


@pytest.mark.parametrize("name", ["config.json", "checkpoint.pth"])
def test_a_link_out_of_the_folder_is_refused(own_folder: Path, folder: Path, name: str) -> None:
    (own_folder / name).unlink()
    (own_folder / name).symlink_to(folder / name)
    with pytest.raises(BadInput, match="outside the model's folder"):
        OpenVoice("openvoice", own_folder).load("cpu")


def test_the_rate_is_the_models(own_folder: Path) -> None:
    data = json.loads((own_folder / "config.json").read_text())["data"]
    rewrite(own_folder, data=data | {"sampling_rate": 16_000})
    converter = OpenVoice("openvoice-low", own_folder)
    assert (converter.spec.name, converter.spec.sample_rate) == ("openvoice-low", 16_000)
    converter.load("cpu")
    (sound,) = converted(converter, [noise(24_000)], [converter.extract(recording(), "")])
    assert (sound.rate, len(sound.samples)) == (16_000, 16_000)


def test_what_was_unloaded_does_not_convert(own_folder: Path, voices: list[VoiceForm]) -> None:
    converter = OpenVoice("openvoice", own_folder)
    converter.load("cpu")
    converter.unload()
    with pytest.raises(DubbingError, match="not loaded"):
        converter.convert([noise(1000)], voices[:1])


def test_a_silent_reference_is_refused(converter: OpenVoice) -> None:
    with pytest.raises(SpeechRejected, match="silent"):
        converter.extract(Audio(samples=np.zeros(72_000, np.float32), rate=24_000), "")

"""What IndexTTS-2.5 promises beyond the contract of every engine, and which files it loads."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny
from pickles import Evil
from speech import TEXTS, line, recording, spoken

from dubbing.engines.adapters.indextts25 import IndexTTS25
from dubbing.engines.engine import missing_libraries
from dubbing.errors import BadInput, EngineFailed, EngineMissing, SpeechRejected
from dubbing.job.emotion import Emotion

if missing_libraries(IndexTTS25()):
    pytest.skip("scripts/setup does not install indextts25", allow_module_level=True)


@pytest.fixture(scope="module")
def indextts(models: Path) -> Iterator[IndexTTS25]:
    tiny.make("indextts25", models / "indextts25")
    engine = loaded(models / "indextts25")
    yield engine
    engine.unload()


@pytest.fixture
def folder(models: Path, tmp_path: Path) -> Path:
    """A model of a test's own."""
    tiny.make("indextts25", models / "indextts25")
    return Path(shutil.copytree(models / "indextts25", tmp_path / "indextts25"))


def loaded(folder: Path) -> IndexTTS25:
    engine = IndexTTS25("indextts25", folder)
    engine.load("cpu")
    return engine


def refusal(engine: IndexTTS25, **fields: object) -> str:
    (refused,) = engine.synthesize([line(engine, **fields)])
    assert isinstance(refused, SpeechRejected)
    return str(refused)


def test_a_seed_tells_how_a_line_is_spoken(indextts: IndexTTS25) -> None:
    one, again, other = (
        sound.samples
        for sound in spoken(indextts, *(line(indextts, seed=seed) for seed in (7, 7, 8)))
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one[:5000], other[:5000])


def test_the_language_of_a_line_is_heard(indextts: IndexTTS25) -> None:
    english, spanish, mexican = spoken(
        indextts, *(line(indextts, language=tag) for tag in ("en", "es", "es-MX"))
    )
    assert not np.array_equal(english.samples[:5000], spanish.samples[:5000])
    assert np.array_equal(spanish.samples, mexican.samples)


def test_an_emotion_is_as_strong_as_is_asked(indextts: IndexTTS25) -> None:
    told = [Emotion(angry=1, strength=strength) for strength in (0.01, 0.5, 1.0)]
    faint, half, full = (
        sound.samples[:5000]
        for sound in spoken(indextts, *(line(indextts, emotion=each) for each in told))
    )
    assert not np.array_equal(faint, half)
    assert not np.array_equal(half, full)


def test_lines_that_it_cannot_speak_are_refused(indextts: IndexTTS25) -> None:
    assert "nothing to say in '…'" in refusal(indextts, text="…")
    assert "does not speak 'de'" in refusal(indextts, language="de")


def test_speech_without_an_end_is_refused(folder: Path) -> None:
    from tiny.indextts25 import make

    shutil.rmtree(folder)
    folder.mkdir()
    make(folder, endless=True)
    engine = loaded(folder)
    assert "found no end of 'Yes.'" in refusal(engine, text=TEXTS[1])
    engine.unload()


def test_recordings_lie_on_disk_only_while_it_is_loaded(folder: Path) -> None:
    engine = loaded(folder)
    other = engine.extract(recording("high"), "")
    spoken(engine, *(line(engine, TEXTS[1], **fields) for fields in ({}, {}, {"voice": other})))
    assert engine._recordings
    place = Path(engine._recordings.name)
    assert place.stat().st_mode & 0o077 == 0
    assert len(list(place.iterdir())) == 2
    engine.unload()
    assert not place.exists()


def test_it_connects_to_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it connects")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    engine = loaded(folder)
    spoken(engine, line(engine))
    engine.unload()


def test_files_that_are_missing_are_named(folder: Path) -> None:
    (folder / "codec.pth").unlink()
    shutil.rmtree(folder / "hf_cache" / "bigvgan")
    missing = r"lacks codec\.pth, hf_cache/bigvgan/config\.json, hf_cache/bigvgan/bigvgan_gen.*hugg"
    with pytest.raises(EngineMissing, match=missing):
        loaded(folder)


@pytest.mark.parametrize("name", ["/etc/passwd", "../gpt.pth", "https://example.org/gpt.pth"])
def test_a_configuration_that_names_other_files_is_refused(folder: Path, name: str) -> None:
    config = folder / "config.yaml"
    config.write_text(
        config.read_text().replace("gpt_checkpoint: gpt.pth", f"gpt_checkpoint: {name}")
    )
    with pytest.raises(BadInput, match=f"gpt_checkpoint: '{name}' has to be 'gpt.pth'"):
        loaded(folder)


@pytest.mark.parametrize("content", ["- a list", "key: [", "gpt_checkpoint: ${nowhere}"])
def test_a_configuration_that_cannot_be_read_is_told(folder: Path, content: str) -> None:
    (folder / "config.yaml").write_text(content)
    with pytest.raises(BadInput, match=r"config\.yaml"):
        loaded(folder)


@pytest.mark.parametrize("name", ["gpt.pth", "hf_cache/campplus_cn_common.bin", "glossary.yaml"])
def test_a_file_that_leads_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    outside = folder.parent / "outside"
    (folder / name).rename(outside) if (folder / name).exists() else outside.touch()
    (folder / name).symlink_to(outside)
    with pytest.raises(BadInput, match="outside the model's folder"):
        loaded(folder)


@pytest.mark.parametrize("name", ["gpt.pth", "feat2.pt", "hf_cache/campplus_cn_common.bin"])
def test_a_pickle_that_runs_code_is_refused(folder: Path, name: str) -> None:
    import torch

    trace = folder / "was here"
    torch.save({"model": Evil(trace)}, folder / name)
    with pytest.raises(EngineFailed, match="more than weights"):
        loaded(folder)
    assert not trace.exists()


@pytest.mark.parametrize("name", ["gpt.pth", "hf_cache/w2v-bert-2.0/model.safetensors"])
def test_a_damaged_file_is_told(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"PK damaged")
    with pytest.raises(EngineFailed, match="indextts25"):
        loaded(folder)

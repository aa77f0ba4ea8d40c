"""Which files XTTS loads as its model, and which it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny
from pickles import Evil
from services import unavailable
from speech import line, spoken

from dubbing.engines.adapters.xtts import XTTS
from dubbing.engines.engine import missing_libraries
from dubbing.errors import BadInput, EngineFailed, EngineMissing, SpeechRejected

if missing_libraries(XTTS()):
    unavailable("coqui-tts")

from tiny import xtts as tiny_xtts

ANN, BOB = "Ann Other", "Bob Sample"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for a test's own model."""
    (tmp_path / "xtts").mkdir()
    return tmp_path / "xtts"


@pytest.fixture(scope="module")
def xtts(models: Path) -> XTTS:
    tiny.make("xtts", models / "xtts")
    return loaded(models / "xtts")


def loaded(folder: Path) -> XTTS:
    engine = XTTS("xtts", folder)
    engine.load("cpu")
    return engine


def test_the_studio_is_known_before_anything_heavy_is_imported(xtts: XTTS, models: Path) -> None:
    ask = (
        "import sys; from pathlib import Path; from dubbing.engines.adapters.xtts import XTTS;"
        "print(*XTTS('xtts', Path(sys.argv[1])).spec.voices, sep='|');"
        "assert not {'torch', 'TTS'} & set(sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", ask, str(models / "xtts")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == f"{ANN}|{BOB}"
    assert xtts.spec.voices == (ANN, BOB)


def test_without_the_studio_it_needs_a_reference(folder: Path) -> None:
    tiny_xtts.make(folder)
    with_studio = loaded(folder).model
    (folder / "speakers_xtts.pth").unlink()
    engine = loaded(folder)
    assert engine.model != with_studio
    assert engine.spec.voices == ()
    (refused,) = engine.synthesize([line(engine, voice=ANN)])
    assert isinstance(refused, SpeechRejected)
    assert "needs a reference" in str(refused)


def test_the_configuration_tells_languages_and_rate(folder: Path) -> None:
    config = {"languages": ["en", "zh-cn", "tlh"], "model_args": {"output_sample_rate": 22_050}}
    (folder / "config.json").write_text(json.dumps(config))
    spec = XTTS("xtts-fine", folder).spec
    assert (spec.name, spec.languages, spec.sample_rate) == ("xtts-fine", ("en", "zh"), 22_050)


def test_published_weights_are_read_and_not_written(folder: Path, xtts: XTTS) -> None:
    import torch
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import _legacy_safe_globals

    tiny_xtts.make(folder)
    weights = torch.load(folder / "model.pth", weights_only=True)
    with _legacy_safe_globals():
        torch.save({"config": XttsConfig(), **weights}, folder / "model.pth")
    before = (folder / "model.pth").read_bytes()
    engine = loaded(folder)
    assert (folder / "model.pth").read_bytes() == before
    assert engine.model != xtts.model
    ours, theirs = (spoken(own, line(own))[0].samples for own in (engine, xtts))
    assert np.array_equal(ours, theirs)


def test_files_that_are_missing_are_named(folder: Path) -> None:
    with pytest.raises(EngineMissing, match=r"model\.pth, config\.json, vocab\.json.*huggingface"):
        loaded(folder)


@pytest.mark.parametrize("name", ["model.pth", "vocab.json", "speakers_xtts.pth"])
def test_a_damaged_file_is_told(folder: Path, name: str) -> None:
    tiny_xtts.make(folder)
    (folder / name).write_bytes(b"PK damaged")
    with pytest.raises((EngineFailed, BadInput), match="xtts"):
        loaded(folder)


def test_weights_of_another_size_are_told(folder: Path) -> None:
    tiny_xtts.make(folder)
    config = json.loads((folder / "config.json").read_text())
    config["model_args"]["gpt_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineFailed, match=r"the model of 'xtts' in .*cannot be loaded"):
        loaded(folder)


@pytest.mark.parametrize("name", ["model.pth", "speakers_xtts.pth"])
def test_a_pickle_that_runs_code_is_refused(folder: Path, name: str) -> None:
    import torch

    tiny_xtts.make(folder)
    trace = folder / "was here"
    torch.save({"model": Evil(trace)}, folder / name)
    with pytest.raises((EngineFailed, BadInput), match=r"more than weights|not names and"):
        loaded(folder)
    assert not trace.exists()
    torch.load(folder / name, weights_only=False)
    assert trace.exists()


def test_a_configuration_with_an_address_is_refused(folder: Path) -> None:
    config = {"model_args": {"tokenizer_file": "https://example.org/vocab.json"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BadInput, match=r"model_args\.tokenizer_file: 'https://example\.org"):
        XTTS("xtts", folder)


@pytest.mark.parametrize("name", ["model.pth", "speakers_xtts.pth"])
def test_a_file_that_leads_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    tiny_xtts.make(folder)
    (folder / name).rename(folder.parent / name)
    (folder / name).symlink_to(folder.parent / name)
    with pytest.raises(BadInput, match="outside the model's folder"):
        loaded(folder)

"""What VITS promises beyond the contract of every engine."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from pickles import Evil
from services import unavailable
from speech import TEXTS, line, spoken

from dubbing.engines.adapters._coqui import vits as network
from dubbing.engines.adapters.vits import Vits
from dubbing.engines.engine import Engine, Line, missing_libraries
from dubbing.errors import BadInput, DubbingError, EngineFailed, EngineMissing, SpeechRejected

if missing_libraries(Vits()):
    unavailable("coqui-tts")

from tiny import vits as tiny_vits

TOLERANCE = 1e-4
"""Fraction of full scale by which a line may differ from one batch to another."""
PHONEMES = "abdefhijklmnoprstuvwzæðŋɐɑɔəɛɜɡɪɹʃʊʌʒθˈˌːᵻ"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for a test's own model."""
    (tmp_path / "vits").mkdir()
    return tmp_path / "vits"


@pytest.fixture(scope="module")
def vits(models: Path) -> Iterator[Vits]:
    tiny.make("vits", models / "vits")
    engine = loaded(models / "vits")
    yield engine
    engine.unload()


def loaded(folder: Path) -> Vits:
    engine = Vits("vits", folder)
    engine.load("cpu")
    return engine


def test_a_line_is_spoken_in_a_batch_as_it_is_alone(vits: Engine) -> None:
    lines = [
        line(vits, text, voice=voice, speed=speed, seed=seed)
        for seed, (text, voice, speed) in enumerate(
            [(TEXTS[2], "ann", 1.0), (TEXTS[1], "bob", 0.5), (TEXTS[0], "bob", 2.0)]
        )
    ]
    for asked, together in zip(lines, spoken(vits, *lines), strict=True):
        (alone,) = spoken(vits, asked)
        assert len(together.samples) == len(alone.samples)
        assert np.abs(together.samples - alone.samples).max() < TOLERANCE


def test_rows_that_sound_together_as_on_a_card_are_as_they_are_alone(vits: Vits) -> None:
    rows = [vits._row(line(vits, text, seed=seed)) for seed, text in enumerate(TEXTS)]
    together = network.speak(vits._model, rows, together=2)
    for own, alone in zip(together, network.speak(vits._model, rows), strict=True):
        assert len(own.samples) == len(alone.samples)
        assert np.abs(own.samples - alone.samples).max() < TOLERANCE


def test_a_seed_tells_how_a_line_is_spoken(vits: Engine) -> None:
    one, again, other = (
        spoken(vits, line(vits, seed=seed))[0].samples for seed in (1, 1, 2**70 + 5)
    )
    assert np.array_equal(one, again)
    assert len(one) != len(other) or np.abs(one - other).max() > 0.01


def test_lines_of_a_batch_differ_in_speed(vits: Engine) -> None:
    slow, natural, fast = (
        sound.seconds
        for sound in spoken(vits, *(line(vits, speed=speed) for speed in (0.5, 1.0, 2.0)))
    )
    assert slow > 1.6 * natural > 2.9 * fast


def test_voices_sound_different(vits: Engine) -> None:
    ann, bob = spoken(vits, line(vits, voice="ann"), line(vits, voice="bob"))
    shortest = min(len(ann.samples), len(bob.samples))
    assert np.abs(ann.samples[:shortest] - bob.samples[:shortest]).max() > 0.01


@pytest.mark.parametrize("stochastic", [True, False])
def test_without_noise_it_speaks_as_coqui_tts_itself_does(folder: Path, stochastic: bool) -> None:
    quiet = {"inference_noise_scale": 0.0, "inference_noise_scale_dp": 0.0, "use_sdp": stochastic}
    tiny_vits.make(folder, model_args=quiet)
    engine = loaded(folder)
    (sound,) = spoken(engine, line(engine, TEXTS[0], voice="bob"))
    theirs = by_coqui_tts(folder, TEXTS[0], speaker=1)
    assert len(sound.samples) == len(theirs)
    # Its last frames depend on what follows them.
    end = -16 * 128
    assert np.abs(sound.samples[:end] - theirs[:end]).max() < TOLERANCE


def by_coqui_tts(folder: Path, text: str, speaker: int) -> np.ndarray:
    import torch
    from TTS.config import load_config
    from TTS.tts.models.vits import Vits as Theirs

    config = load_config(folder / "config.json")
    config.model_args.speakers_file = str(folder / "speaker_ids.json")
    model = Theirs(config)
    model.load_checkpoint(config, str(folder / "model.pth"), eval=True)
    symbols = torch.tensor([model.tokenizer.text_to_ids(text, "en")])
    told = {"x_lengths": torch.tensor([symbols.shape[1]]), "speaker_ids": torch.tensor([speaker])}
    return model.inference(symbols, told)["model_outputs"].squeeze().numpy()


def test_a_text_without_any_known_symbol_is_refused(vits: Engine) -> None:
    heard, foreign, silent = vits.synthesize(
        [line(vits, "Да, yes."), line(vits, "Да"), line(vits, "...")]
    )
    assert not isinstance(heard, DubbingError)
    assert isinstance(foreign, SpeechRejected)
    assert "Да" in str(foreign)
    assert isinstance(silent, SpeechRejected)


def test_a_line_that_would_not_end_is_not_decoded(folder: Path) -> None:
    tiny_vits.make(folder, model_args={"length_scale": 100.0})
    engine = loaded(folder)
    (endless,) = engine.synthesize([line(engine)])
    assert isinstance(endless, SpeechRejected)
    assert "at most" in str(endless)


def test_a_model_of_one_speaker_has_one_voice(folder: Path) -> None:
    tiny_vits.make(folder, model_args={"use_speaker_embedding": False})
    engine = loaded(folder)
    assert engine.spec.voices == ("default",)
    spoken(engine, line(engine))


def test_vectors_of_speakers_are_voices_too(folder: Path) -> None:
    entries = {f"{n}.wav": {"name": f"v{n % 2}\n", "embedding": [n, 1.0]} for n in range(4)}
    (folder / "speakers.json").write_text(json.dumps(entries))
    arguments = {"use_d_vector_file": True, "d_vector_file": "/train/x.json", "d_vector_dim": 2}
    tiny_vits.write(folder, arguments, phoneme_language="de")
    engine = loaded(folder)
    assert engine.spec.voices == ("v0", "v1")
    spoken(engine, *(line(engine, voice=voice) for voice in engine.spec.voices))


def test_names_of_speakers_are_read_from_what_torch_wrote(folder: Path) -> None:
    import torch

    tiny_vits.make(folder)
    torch.save({"cy\n": 1, "di": 0}, folder / "speakers.pth")
    (folder / "speaker_ids.json").unlink()
    engine = loaded(folder)
    assert engine.spec.voices == ("di", "cy")
    spoken(engine, line(engine, voice="cy"))


def test_a_model_of_several_speakers_without_their_names_says_what_it_lacks(folder: Path) -> None:
    tiny_vits.make(folder)
    (folder / "speaker_ids.json").unlink()
    with pytest.raises(EngineMissing, match=r"speaker_ids\.json"):
        loaded(folder)


@pytest.mark.parametrize(
    ("told", "languages"),
    [
        ({"phoneme_language": "fr-fr"}, ("fr",)),
        ({"phoneme_language": "en-us"}, ("en",)),
        ({"datasets": [{"language": "pt-br"}]}, ("pt-BR",)),
        ({"datasets": [{"language": ""}], "text_cleaner": "basic_german_cleaners"}, ("de",)),
        ({"languages": ["cmn", "en_GB"]}, ("zh", "en-GB")),
    ],
)
def test_the_language_is_told_by_the_configuration(
    folder: Path, told: dict[str, Any], languages: tuple[str, ...]
) -> None:
    write_config(folder, told)
    assert Vits("vits", folder).spec.languages == languages


def test_a_language_that_nothing_tells_is_asked_for(folder: Path) -> None:
    write_config(folder, {"text_cleaner": "multilingual_cleaners"})
    with pytest.raises(BadInput, match=r"write dubbing\.json.*languages"):
        Vits("vits", folder)
    (folder / "dubbing.json").write_text('{"languages": ["sw"]}')
    assert Vits("vits", folder).spec.languages == ("sw",)


def write_config(folder: Path, config: dict[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def in_phonemes(folder: Path) -> Vits:
    """Return a model whose symbols are phonemes."""
    tiny_vits.make(
        folder,
        use_phonemes=True,
        phonemizer="espeak",
        phoneme_language="en-us",
        datasets=[],
        text_cleaner="phoneme_cleaners",
        characters=tiny_vits.common()["characters"] | {"characters": PHONEMES},
    )
    return loaded(folder)


def test_phonemes_need_no_program_of_espeak(folder: Path) -> None:
    engine = in_phonemes(folder)
    spelled, said = spoken(
        engine, line(engine, "2,000 doctors."), line(engine, "two thousand doctors.")
    )
    assert spelled.seconds == pytest.approx(said.seconds, rel=0.2)


@pytest.mark.parametrize("text", ["— Yes", "¿Yes?", "…and then", "Yes —"])
def test_a_line_may_begin_or_end_in_punctuation(folder: Path, text: str) -> None:
    engine = in_phonemes(folder)
    bare, marked = spoken(engine, line(engine, text.strip("—¿?… ")), line(engine, text))
    assert marked.seconds >= 0.8 * bare.seconds


def test_files_that_are_missing_are_named(folder: Path) -> None:
    with pytest.raises(EngineMissing, match=r"config\.json, \*\.pth.*github.com"):
        loaded(folder)


def test_two_checkpoints_are_not_chosen_from(folder: Path) -> None:
    tiny_vits.make(folder)
    (folder / "model.pth").rename(folder / "checkpoint_2.pth")
    (folder / "checkpoint_1.pth").write_bytes(b"x")
    with pytest.raises(EngineMissing, match=r"checkpoint_1\.pth, checkpoint_2\.pth"):
        loaded(folder)


@pytest.mark.parametrize("damage", [b"", b"PK damaged", b"\x80\x02N."])
def test_a_damaged_checkpoint_is_told(folder: Path, damage: bytes) -> None:
    tiny_vits.make(folder)
    (folder / "model.pth").write_bytes(damage)
    with pytest.raises(EngineFailed, match=r"the model of 'vits' in .*vits"):
        loaded(folder)


@pytest.mark.parametrize("name", ["model.pth", "speakers.pth"])
def test_a_pickle_that_runs_code_is_refused(folder: Path, name: str) -> None:
    import torch

    tiny_vits.make(folder)
    (folder / "speaker_ids.json").unlink()
    torch.save({"ann": 0, "bob": 1}, folder / "speakers.pth")
    trace = folder / "was here"
    torch.save({"model": Evil(trace)}, folder / name)
    with pytest.raises((EngineFailed, BadInput), match=r"more than weights|not names and"):
        loaded(folder)
    assert not trace.exists()
    pickle.loads(pickle.dumps(Evil(trace)))
    assert trace.exists()


def test_a_configuration_with_an_address_is_refused(folder: Path) -> None:
    write_config(folder, {"model_args": {"speakers_file": "https://example.org/speakers.json"}})
    with pytest.raises(BadInput, match=r"model_args\.speakers_file: 'https://example\.org"):
        Vits("vits", folder)


def test_a_class_that_is_not_of_coqui_tts_is_not_imported(folder: Path) -> None:
    write_config(folder, {"languages": ["en"], "characters": {"characters_class": "os.path"}})
    with pytest.raises(BadInput, match=r"os\.path"):
        Vits("vits", folder)


def test_a_file_that_leads_outside_the_folder_is_refused(folder: Path) -> None:
    tiny_vits.make(folder)
    (folder / "model.pth").rename(folder.parent / "model.pth")
    (folder / "model.pth").symlink_to(folder.parent / "model.pth")
    with pytest.raises(BadInput, match="outside the model's folder"):
        loaded(folder)


def test_another_model_has_another_digest(folder: Path, vits: Engine) -> None:
    tiny_vits.make(folder, model_args={"length_scale": 1.1})
    assert loaded(folder).model != vits.model


def test_listing_it_imports_nothing_heavy(models: Path, vits: Engine) -> None:
    ask = (
        "import sys; from pathlib import Path; from dubbing.engines.adapters.vits import Vits;"
        "Vits('vits', Path(sys.argv[1])); assert not {'torch', 'TTS'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", ask, str(models / "vits")], check=True)


def test_it_says_so_when_it_is_not_loaded() -> None:
    with pytest.raises(EngineFailed, match="not loaded"):
        Vits().synthesize([Line(text="x", language="en", voice="default")])

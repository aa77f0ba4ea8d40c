"""What the engines of ONNX graphs promise beyond the contract of every engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from services import unavailable
from speech import TEXTS, line, spoken

from dubbing.engines.adapters._onnx.graph import Graph
from dubbing.engines.adapters.fastspeech2_onnx import FastSpeech2Onnx
from dubbing.engines.engine import missing_libraries
from dubbing.errors import BadInput, EngineFailed, EngineMissing, SpeechRejected
from dubbing.media.samples import Audio

if missing_libraries(FastSpeech2Onnx()):
    unavailable("onnxruntime")

onnx = pytest.importorskip("onnx")

from tiny import fastspeech2_onnx as tiny_model  # noqa: E402 - after what it needs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for a test's own model."""
    (tmp_path / "fastspeech2-onnx").mkdir()
    return tmp_path / "fastspeech2-onnx"


@pytest.fixture(scope="module")
def engine(models: Path) -> Iterator[FastSpeech2Onnx]:
    tiny.make("fastspeech2-onnx", models / "fastspeech2-onnx")
    engine = loaded(models / "fastspeech2-onnx")
    yield engine
    engine.unload()


def made(folder: Path, **changes: Any) -> FastSpeech2Onnx:
    tiny_model.make(folder, **changes)
    return loaded(folder)


def loaded(folder: Path) -> FastSpeech2Onnx:
    engine = FastSpeech2Onnx("fastspeech2-onnx", folder)
    engine.load("cpu")
    return engine


def change(folder: Path, place: str, value: Any) -> None:
    """Set a field of config.json, or remove it with None."""
    config = json.loads((folder / "config.json").read_text())
    *parts, last = place.split(".")
    inner = config
    for part in parts:
        inner = inner[part]
    inner[last] = value
    if value is None:
        del inner[last]
    (folder / "config.json").write_text(json.dumps(config))


def count_calls(engine: FastSpeech2Onnx, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that collects the names of graphs as they run."""
    calls = []
    run = Graph.run

    def counted(graph: Graph, *asked: Any) -> Any:
        calls.append(graph.path.stem)
        return run(graph, *asked)

    monkeypatch.setattr(Graph, "run", counted)
    return calls


@pytest.mark.parametrize(("speed", "batches"), [("row", 1), ("scale", 1), ("all", 3)], ids=str)
def test_a_line_is_spoken_in_a_batch_as_it_is_alone(
    folder: Path, speed: str, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = made(folder, speed=speed)
    asked = zip((*TEXTS, "No."), ("ann", "bob", "ann", "bob"), (1.0, 0.5, 2.0, 1.0), strict=True)
    lines = [line(engine, text, voice=voice, speed=pace) for text, voice, pace in asked]
    calls = count_calls(engine, monkeypatch)
    sounds = spoken(engine, *lines)
    assert calls.count("acoustic") == batches
    for asked, together in zip(lines, sounds, strict=True):
        (alone,) = spoken(engine, asked)
        assert np.array_equal(together.samples, alone.samples)
        assert together.seconds == pytest.approx(
            len(asked.text) / engine.spec.pace("en") / asked.speed
        )


def test_without_lengths_lines_are_spoken_one_by_one(
    folder: Path, engine: FastSpeech2Onnx, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_model.make(folder)
    change(folder, "acoustic.outputs.durations", None)
    other = loaded(folder)
    calls = count_calls(other, monkeypatch)
    sounds = spoken(other, *(line(other, text) for text in TEXTS))
    assert calls.count("acoustic") == len(TEXTS)
    for text, sound in zip(TEXTS, sounds, strict=True):
        assert np.array_equal(sound.samples, spoken(engine, line(engine, text))[0].samples)


def test_a_graph_may_take_no_batch_and_put_frames_first(
    folder: Path, engine: FastSpeech2Onnx
) -> None:
    other = made(folder, rows=False)
    for text, sound in zip(
        TEXTS, spoken(other, *(line(other, text) for text in TEXTS)), strict=True
    ):
        assert np.array_equal(sound.samples, spoken(engine, line(engine, text))[0].samples)


def test_a_model_of_one_speaker_has_one_voice(folder: Path) -> None:
    tiny_model.make(folder)
    graph = onnx.load(folder / "acoustic.onnx")
    (speaker,) = [each for each in graph.graph.input if each.name == "sid"]
    graph.graph.input.remove(speaker)
    graph.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1], np.int32), "sid"))
    onnx.save(graph, folder / "acoustic.onnx")
    change(folder, "speakers", None)
    change(folder, "acoustic.inputs.speaker", None)
    engine = loaded(folder)
    assert engine.spec.voices == ("default",)
    spoken(engine, line(engine))


def test_a_graph_without_a_pace_has_no_speed_of_its_own(folder: Path) -> None:
    tiny_model.make(folder)
    change(folder, "acoustic.inputs.speed", None)
    assert FastSpeech2Onnx("fastspeech2-onnx", folder).spec.speed == (1.0, 1.0)
    with pytest.raises(BadInput, match=r"config\.json: acoustic\.onnx needs 'pace', too"):
        loaded(folder)


def test_symbols_may_be_phonemes_of_several_letters(folder: Path) -> None:
    pytest.importorskip("espeakng_loader")
    numbers = {symbol: 1 + n for n, symbol in enumerate(["t", "ʃ", "tʃ", "ɛ", "ˈ", "k", ".", "s"])}
    ends = {"blank": 20, "start": 21, "end": 22}
    engine = made(folder, symbols={"numbers": numbers, "phonemes": "en-us", **ends})
    read = engine._symbols.of(engine._reading("Check."))
    assert read == [21, 20, 3, 20, 5, 20, 4, 20, 6, 20, 7, 20, 22]


@pytest.mark.parametrize("text", ["Да", "...", "!?"])
def test_a_text_without_a_letter_that_is_known_is_refused(
    engine: FastSpeech2Onnx, text: str
) -> None:
    refused, heard = engine.synthesize([line(engine, text), line(engine, f"{text} yes")])
    assert isinstance(refused, SpeechRejected)
    assert isinstance(heard, Audio)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("acoustic.inputs.tokens", "text", r"acoustic\.inputs\.tokens: acoustic\.onnx has no input "
         "'text'; it has: x, x_lengths, sid, pace"),
        ("acoustic.outputs.durations", "d", r"acoustic\.outputs\.durations: .* has no output 'd'"),
        ("vocoder.input", "m", r"vocoder\.input: vocoder\.onnx has no input 'm'; it has: mel"),
        ("vocoder.output", "y", r"vocoder\.output: vocoder\.onnx has no output 'y'; it has: wave"),
        ("acoustic.inputs.lengths", None, r"acoustic\.onnx needs 'x_lengths', too"),
    ],
)  # fmt: skip
def test_what_a_graph_does_not_have_is_told(
    folder: Path, place: str, value: Any, words: str
) -> None:
    tiny_model.make(folder)
    change(folder, place, value)
    with pytest.raises(BadInput, match=rf"config\.json: {words}"):
        loaded(folder)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("sample_rate", 0, "sample_rate is 0"),
        ("acoustic.inputs.token", "x", "token is not known; did you mean 'tokens'"),
        ("acoustic.inputs.length_scale", "pace", "both speed and length_scale"),
        ("acoustic.inputs.speaker", None, "speakers and .* need each other"),
        ("vocoder.file", "https://example.org/v.onnx", r"vocoder\.file: 'https.* is an address"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(
    folder: Path, place: str, value: Any, words: str
) -> None:
    tiny_model.make(folder)
    change(folder, place, value)
    with pytest.raises(BadInput, match=rf"config\.json: (?s:.*){words}"):
        FastSpeech2Onnx("fastspeech2-onnx", folder)


def test_files_that_are_missing_are_named(folder: Path) -> None:
    with pytest.raises(EngineMissing, match=r"config\.json, \*\.onnx"):
        loaded(folder)
    tiny_model.make(folder)
    (folder / "vocoder.onnx").unlink()
    with pytest.raises(BadInput, match=r"vocoder\.onnx: there is no such file"):
        loaded(folder)


@pytest.mark.parametrize("name", ["acoustic", "vocoder"])
def test_a_damaged_graph_is_told(folder: Path, name: str) -> None:
    tiny_model.make(folder)
    (folder / f"{name}.onnx").write_bytes(b"no model")
    with pytest.raises(EngineFailed, match=rf"{name}\.onnx is not an ONNX model"):
        loaded(folder)


@pytest.mark.parametrize("way", ["config", "link"])
def test_a_graph_outside_the_folder_is_refused(folder: Path, way: str) -> None:
    tiny_model.make(folder)
    (folder / "vocoder.onnx").rename(folder.parent / "vocoder.onnx")
    if way == "link":
        (folder / "vocoder.onnx").symlink_to(folder.parent / "vocoder.onnx")
    else:
        change(folder, "vocoder.file", "../vocoder.onnx")
    with pytest.raises(BadInput, match="outside the model's folder"):
        loaded(folder)


def move_weights(folder: Path, place: str) -> bytes:
    """Have the vocoder take its weights from a file; return them."""
    from onnx.external_data_helper import set_external_data

    model = onnx.load(folder / "vocoder.onnx")
    (waves,) = [tensor for tensor in model.graph.initializer if tensor.name == "waves"]
    data = waves.raw_data
    set_external_data(waves, place)
    waves.ClearField("raw_data")
    (folder / "vocoder.onnx").write_bytes(model.SerializeToString())
    return data


@pytest.mark.parametrize("way", ["above", "absolute", "link", "folder"])
def test_a_graph_reads_no_weights_outside_the_folder(folder: Path, way: str) -> None:
    tiny_model.make(folder)
    outside = folder.parent / "outside.bin"
    place = {"above": "../outside.bin", "absolute": str(outside), "link": "vocoder.bin",
             "folder": "in/outside.bin"}[way]  # fmt: skip
    outside.write_bytes(move_weights(folder, place))
    if way == "link":
        (folder / place).symlink_to(outside)
    if way == "folder":
        (folder / "in").symlink_to(folder.parent)
    with pytest.raises((EngineFailed, BadInput), match=r"vocoder|outside"):
        loaded(folder)


def test_weights_beside_a_graph_are_of_the_model(folder: Path, engine: FastSpeech2Onnx) -> None:
    tiny_model.make(folder)
    data = move_weights(folder, "vocoder.onnx.data")
    (folder / "vocoder.onnx.data").write_bytes(data)
    one = loaded(folder)
    assert np.array_equal(
        spoken(one, line(one))[0].samples, spoken(engine, line(engine))[0].samples
    )
    (folder / "vocoder.onnx.data").write_bytes(data[::-1])
    assert len({one.model, engine.model, loaded(folder).model}) == 3


def test_a_card_that_onnxruntime_cannot_use_is_told(folder: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("it can use one")
    tiny_model.make(folder)
    with pytest.raises(EngineMissing, match="cannot use 'cuda:1': install onnxruntime-gpu"):
        FastSpeech2Onnx("fastspeech2-onnx", folder).load("cuda:1")


def test_a_graph_that_fails_is_an_engines_failure(engine: FastSpeech2Onnx) -> None:
    (graph, _) = engine._graphs
    with pytest.raises(EngineFailed, match=r"acoustic\.onnx: "):
        graph.run({"x": np.zeros((1, 2, 3), np.int64)}, ["mel"])


def test_neither_pytorch_nor_coqui_tts_is_imported(models: Path, engine: FastSpeech2Onnx) -> None:
    ask = (
        "import sys; from pathlib import Path; from dubbing.engines.engine import Line\n"
        "from dubbing.engines.adapters.fastspeech2_onnx import FastSpeech2Onnx as Engine\n"
        "engine = Engine('fastspeech2-onnx', Path(sys.argv[1])); engine.load('cpu')\n"
        "(sound,) = engine.synthesize([Line(text='yes', language='en', voice='ann')])\n"
        "assert sound.seconds and not {'torch', 'TTS'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", ask, str(models / "fastspeech2-onnx")], check=True)

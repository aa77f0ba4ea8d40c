"""An acoustic graph that gives each letter its own six frames, and a vocoder that hums them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE, HOP, MELS = 16_000, 128, 8
FRAMES = 6
"""Frames per symbol at natural speed."""
LETTERS = " abcdefghijklmnopqrstuvwxyz,."
SPEAKERS = {"ann": 0, "bob": 1}


def make(folder: Path, speed: str = "row", rows: bool = True, **changes: Any) -> None:
    """Write both graphs, and config.json with ``changes``.

    speed: whether the graph takes one for each ``row``, one for ``all``, or a length ``scale`` for
    each row. rows: whether the graphs have an axis of rows; those without put frames first.
    """
    onnx.save(acoustic(speed, rows), folder / "acoustic.onnx")
    onnx.save(vocoder(rows), folder / "vocoder.onnx")
    inputs = {"tokens": "x", "speaker": "sid"} | ({"lengths": "x_lengths"} if rows else {})
    inputs["length_scale" if speed == "scale" else "speed"] = "pace"
    outputs = {"mel": "mel"} | ({"durations": "durations"} if rows else {})
    config = {
        "languages": ["en"],
        "sample_rate": RATE,
        "speakers": SPEAKERS,
        "symbols": {
            "numbers": {letter: number for number, letter in enumerate(LETTERS, 1)},
            "lower": True,
        },
        "acoustic": {
            "file": "acoustic.onnx",
            "inputs": inputs,
            "outputs": outputs,
            "frames_first": not rows,
        },
        "vocoder": {
            "file": "vocoder.onnx",
            "input": "mel",
            "output": "wave",
            "frames_first": not rows,
        },
        **changes,
    }
    (folder / "config.json").write_text(json.dumps(config))
    pace = RATE / HOP / FRAMES
    (folder / "dubbing.json").write_text(json.dumps({"characters_per_second": {"*": pace}}))


def acoustic(speed: str, rows: bool) -> onnx.ModelProto:
    """Return a graph in which durations stretch embeddings; padding gets no frames."""
    random = np.random.default_rng(0)
    constants = {
        "symbols": random.uniform(0.1, 1, (len(LETTERS) + 1, MELS)).astype(np.float32),
        "voices": np.array([[0.5], [1.0]], np.float32),
        "natural": np.float32(FRAMES),
        "zero": np.int64(0),
        "one": np.int64(1),
        "row": np.array([0], np.int64),
        "column": np.array([1], np.int64),
        "outer": np.array([0, 2], np.int64),
    }
    nodes = [
        ("Identity", ["x"], "tokens") if rows else ("Unsqueeze", ["x", "row"], "tokens"),
        ("Gather", ["symbols", "tokens"], "embedded"),
        ("Gather", ["voices", "sid"], "voice"),
        ("Unsqueeze", ["voice", "column"], "voice_of_row"),
        ("Mul", ["embedded", "voice_of_row"], "said"),
        *_durations(speed),
        ("CumSum", ["durations", "one"], "ends"),
        ("Sub", ["ends", "durations"], "starts"),
        ("ReduceMax", ["ends"], "longest"),
        ("Range", ["zero", "longest", "one"], "frames"),
        ("Unsqueeze", ["ends", "column"], "ends_of_row"),
        ("Unsqueeze", ["starts", "column"], "starts_of_row"),
        ("Unsqueeze", ["frames", "outer"], "frame"),
        ("Less", ["frame", "ends_of_row"], "before_end"),
        ("GreaterOrEqual", ["frame", "starts_of_row"], "after_start"),
        ("And", ["before_end", "after_start"], "within"),
        ("Cast", ["within"], "path"),
        ("MatMul", ["path", "said"], "stretched"),
        ("Transpose", ["stretched"], "mel") if rows else ("Squeeze", ["stretched", "row"], "mel"),
    ]
    of_rows = ["batch"] if rows else [1]
    inputs = [
        ("x", TensorProto.INT64, [*(of_rows if rows else []), "symbols"]),
        *([("x_lengths", TensorProto.INT64, of_rows)] if rows else []),
        ("sid", TensorProto.INT32, of_rows),
        ("pace", TensorProto.FLOAT, [1] if speed == "all" else of_rows),
    ]
    mel = ["batch", MELS, "frames"] if rows else ["frames", MELS]
    outputs = [
        ("mel", TensorProto.FLOAT, mel),
        ("durations", TensorProto.INT64, ["batch", "symbols"]),
    ]
    return _model(nodes, inputs, outputs, constants)


def _durations(speed: str) -> list[tuple[str, list[str], str]]:
    """Return nodes that give each symbol whole frames, and padding none."""
    by = ("Mul" if speed == "scale" else "Div", ["natural", "pace"], "lasting")
    column = ("Identity", ["lasting"], "each") if speed == "all" else (
        "Unsqueeze", ["lasting", "column"], "each"
    )  # fmt: skip
    return [
        by,
        column,
        ("Sign", ["tokens"], "there"),
        ("Cast", ["each"], "whole"),
        ("Mul", ["there", "whole"], "durations"),
    ]


def vocoder(rows: bool) -> onnx.ModelProto:
    """Each mel is a harmonic, whose loudness its value is; neighbouring frames overlap."""
    phase = 2 * np.pi * np.arange(2 * HOP) / (2 * HOP)
    waves = [np.sin(phase * (2 + mel)) * np.hanning(2 * HOP) / MELS for mel in range(MELS)]
    turned = [("Unsqueeze", ["mel", "row"], "mels_last"), ("Transpose", ["mels_last"], "given")]
    nodes = [
        *([("Identity", ["mel"], "given")] if rows else turned),
        ("ConvTranspose", ["given", "waves"], "loud"),
        ("Tanh", ["loud"], "wave"),
    ]
    return _model(
        nodes,
        [("mel", TensorProto.FLOAT, ["batch", MELS, "frames"] if rows else ["frames", MELS])],
        [("wave", TensorProto.FLOAT, ["batch", 1, "samples"])],
        {"waves": np.array(waves, np.float32)[:, None], "row": np.array([0], np.int64)},
    )


ATTRIBUTES: dict[str, dict[str, Any]] = {
    "Transpose": {"perm": [0, 2, 1]},
    "ReduceMax": {"keepdims": 0},
    "ConvTranspose": {"strides": [HOP], "pads": [HOP // 2, HOP // 2]},
}
CASTS = {"path": TensorProto.FLOAT, "whole": TensorProto.INT64}


def _model(
    nodes: list[tuple[str, list[str], str]],
    inputs: list[tuple[str, int, list[Any]]],
    outputs: list[tuple[str, int, list[Any]]],
    constants: dict[str, Any],
) -> onnx.ModelProto:
    made = [
        helper.make_node(
            kind,
            given,
            [name],
            **ATTRIBUTES.get(kind, {} if kind != "Cast" else {"to": CASTS[name]}),
        )
        for kind, given, name in nodes
    ]
    graph = helper.make_graph(
        made,
        "tiny",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

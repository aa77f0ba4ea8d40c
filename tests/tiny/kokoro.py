"""A Kokoro that hums: each symbol has its own tone, and a style raises all of them.

The graph has the inputs and the output of the published ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE = 24_000
FRAME = 1600
"""Samples per symbol at natural speed."""
STYLE = 256
VOICES = {"af_heart": 2.0, "am_michael": 1.0, "bm_george": 1.25, "ff_siwis": 1.75}
"""How much each voice raises the tones."""


def make(folder: Path, voices: Mapping[str, float] = VOICES, tokens: str = "input_ids") -> None:
    folder.mkdir(exist_ok=True)
    onnx.save(_graph(tokens), folder / "model.onnx")
    for name, height in voices.items():
        voice(folder, name, [height] * 510)
    (folder / "dubbing.json").write_text(json.dumps({"characters_per_second": {"*": 14.0}}))


def voice(folder: Path, name: str, heights: list[float]) -> None:
    """Write a voice with a height of the tones for each length of a line."""
    styles = np.zeros((len(heights), STYLE), np.float32)
    styles[:, 0] = heights
    styles.tofile(folder / f"{name}.bin")


def _graph(tokens: str) -> onnx.ModelProto:
    constants = {
        "pitches": np.random.default_rng(0).uniform(90, 130, 178).astype(np.float32),
        "first": np.int64(0),
        "frame": np.float32(FRAME),
        "turn": np.float32(2 * np.pi / RATE),
        "loud": np.float32(0.3),
        "zero": np.float32(0),
        "one": np.float32(1),
        "scalar": np.array([], np.int64),
        "column": np.array([-1, 1], np.int64),
        "row": np.array([1, -1], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["style", "first"], ["height"], axis=1),
        *(
            helper.make_node(kind, names, [name])
            for kind, names, name in [
                ("Gather", ["pitches", tokens], "plain"),
                ("Mul", ["plain", "height"], "raised"),
                ("Reshape", ["raised", "column"], "rows"),
                ("Div", ["frame", "speed"], "lengths"),
                ("Reshape", ["lengths", "scalar"], "length"),
                ("Range", ["zero", "length", "one"], "time"),
                ("Mul", ["rows", "time"], "turns"),
                ("Mul", ["turns", "turn"], "phase"),
                ("Sin", ["phase"], "tone"),
                ("Mul", ["tone", "loud"], "quiet"),
                ("Reshape", ["quiet", "row"], "waveform"),
            ]
        ),
    ]
    inputs = [
        helper.make_tensor_value_info(tokens, TensorProto.INT64, [1, "symbols"]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, STYLE]),
        helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
    ]
    graph = helper.make_graph(
        nodes,
        "kokoro",
        inputs,
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, [1, "samples"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

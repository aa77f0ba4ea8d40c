"""A Piper voice that hums: each phoneme has its own tone, all of the same length.

The graph has the inputs and the output of the published voices.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE = 22050
FRAME = 900
"""Samples per phoneme id: Piper sets a pad after each phoneme, so a phoneme has two ids."""
SPEAKERS = ("amy", "ben")


def make(
    folder: Path, name: str = "en_US-tiny", speakers: tuple[str, ...] = SPEAKERS, **config: Any
) -> None:
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    folder.mkdir(exist_ok=True)
    onnx.save(_graph(len(speakers)), folder / f"{name}.onnx")
    told = {
        "audio": {"sample_rate": RATE, "quality": "low"},
        "dataset": "tiny",
        "espeak": {"voice": "en-us"},
        "language": {"code": "en_US", "family": "en", "region": "US"},
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": 256,
        "num_speakers": len(speakers),
        "speaker_id_map": {who: number for number, who in enumerate(speakers)},
        "piper_version": "1.0.0",
        **config,
    }
    (folder / f"{name}.onnx.json").write_text(json.dumps(told))
    (folder / "dubbing.json").write_text(json.dumps({"characters_per_second": {"*": 11.5}}))


def _graph(speakers: int) -> onnx.ModelProto:
    random = np.random.default_rng(0)
    constants = {
        "pitches": random.uniform(90, 200, 256).astype(np.float32),
        "voices": np.linspace(1.0, 2.0, max(speakers, 1), dtype=np.float32),
        "frame": np.float32(FRAME),
        "turn": np.float32(2 * np.pi / RATE),
        "loud": np.float32(0.3),
        "soft": np.float32(0.01),
        "zero": np.float32(0),
        "one": np.float32(1),
        "noise_at": np.int64(0),
        "length_at": np.int64(1),
        "column": np.array([-1, 1], np.int64),
        "shape": np.array([1, 1, 1, -1], np.int64),
    }
    several = speakers > 1
    nodes = [
        ("Gather", ["pitches", "input"], "plain"),
        ("Gather", ["voices", "sid"], "voice") if several else ("Identity", ["one"], "voice"),
        ("Mul", ["plain", "voice"], "pitched"),
        ("Reshape", ["pitched", "column"], "rows"),
        ("Gather", ["scales", "length_at"], "slowness"),
        ("Mul", ["frame", "slowness"], "length"),
        ("Range", ["zero", "length", "one"], "time"),
        ("Mul", ["rows", "time"], "turns"),
        ("Mul", ["turns", "turn"], "phase"),
        ("Sin", ["phase"], "tone"),
        ("Mul", ["tone", "loud"], "quiet"),
        ("RandomNormalLike", ["quiet"], "random"),
        ("Gather", ["scales", "noise_at"], "noise_scale"),
        ("Mul", ["random", "noise_scale"], "scaled"),
        ("Mul", ["scaled", "soft"], "noise"),
        ("Add", ["quiet", "noise"], "sum"),
        ("Reshape", ["sum", "shape"], "output"),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, ["batch", "phonemes"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["batch"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if several:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, ["batch"]))
    graph = helper.make_graph(
        [helper.make_node(kind, names, [name]) for kind, names, name in nodes],
        "piper",
        inputs,
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "time"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

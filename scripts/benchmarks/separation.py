"""The cost of removing the speech from a film's sound by Demucs, on the processor.

The model has the published sizes and random weights, on which its time does not depend.

- ``stereo_cpu``, ``surround_cpu``: CPU seconds for each second of stereo, and of 5.1.
- ``peak_mb``: the largest memory of the process.

Takes a minute.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks._system import from_tests
from dubbing.assembly.demucs import Separator, VoiceModel
from dubbing.assembly.separation import without_voices
from dubbing.media.probe import RATE

PUBLISHED = {
    "channels": 48,
    "dconv_comp": 8,
    "bottom_channels": 512,
    "t_layers": 5,
    "t_heads": 8,
    "t_hidden_scale": 4.0,
    "segment": 7.8,
}
"""Sizes of `adefossez/HTDemucs`."""
SECONDS = 30
CHANNELS = {"stereo": 2, "surround": 6}


def run() -> dict[str, float]:
    """Return the figures."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        from_tests("tiny.demucs").make(Path(folder), **PUBLISHED)
        with Separator(Path(folder), "cpu").loaded() as model:
            for name, channels in CHANNELS.items():
                figures[f"{name}_cpu"] = cost(model, channels)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return figures | {"peak_mb": peak * 1024 / 1e6}


def cost(model: VoiceModel, channels: int) -> float:
    """Return the CPU seconds for each second of sound."""
    second = np.random.default_rng(0).normal(0, 0.1, (RATE, channels)).astype(np.float32)
    sound = [second] * SECONDS
    began = time.process_time()
    for _ in without_voices(sound, model, channels=channels, check=lambda: None):
        pass
    return (time.process_time() - began) / SECONDS

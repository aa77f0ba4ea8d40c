"""GPU speed: lines per second, real-time factor and memory of XTTS and VITS by batch size.

The models have the published sizes and random weights, on which the time does not depend. Without
a GPU, small models run on one thread of the CPU.

- ``<engine>.batch<n>.lines_per_second``: n lines of similar length in one call, some 3 s each in
  XTTS; the median of several repeats.
- ``<engine>.rtf<n>``: seconds of computation ÷ seconds of speech.
- ``<engine>.batch<n>.gib``: peak GPU memory, including the model.
- ``<engine>.speedup<n>``: lines per second ÷ those of calls with one line.
- ``device``: the device they ran on.
- ``cuda_in_spawned_child``: whether a spawned process can use the GPU while this one does, as a
  worker's processes do; null without a GPU.

Takes two minutes.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks._system import from_tests
from dubbing.engines.adapters._torch import prepare
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, Line
from dubbing.engines.models.folders import ModelFolders
from dubbing.engines.residency import GPU
from dubbing.media.samples import Audio

ENGINES = ("xtts", "vits")
BATCHES = (1, 4, 16, 64)
# Bounds for an H200.
AT_LEAST = {"xtts.speedup16": 8.0} if GPU.exists() else {}
AT_MOST = {"xtts.rtf16": 0.02} if GPU.exists() else {}

REPEATS = 3
SMALL = 4
"""Channels without a GPU, as a multiple of those of the tests' models."""
TEXT = "You told me that the ship would leave before dawn, and we are here."
VITS_AUDIO = {
    "sample_rate": 22_050,
    "fft_size": 1024,
    "win_length": 1024,
    "hop_length": 256,
    "num_mels": 80,
}

Figures = dict[str, Any]


def run() -> Figures:
    """Return the figures."""
    prepare()
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    figures: Figures = {}
    for name in ENGINES:
        with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
            engine = load(name, Path(folder), device)
            own = measured(engine, device)
            engine.unload()
        figures |= {f"{name}.{key}": value for key, value in own.items()}
    return figures | {"device": described(device), "cuda_in_spawned_child": spawned(device)}


def load(name: str, root: Path, device: str) -> Engine:
    """Return a loaded engine, of the published size on a GPU."""
    tiny, folder = from_tests(f"tiny.{name}"), root / name
    folder.mkdir()
    if device == "cpu":
        tiny.make(folder, size=SMALL)
    elif name == "xtts":
        tiny.write(folder, tiny.PUBLISHED)
    else:
        tiny.make(folder, model_args=published_vits(), audio=VITS_AUDIO)
    told = json.loads((folder / "dubbing.json").read_text())
    (folder / "dubbing.json").write_text(json.dumps(told | {"batch_lines": max(BATCHES)}))
    engine: Engine = Catalogue(ModelFolders(root=root)).create(name)  # type: ignore[assignment]
    engine.load(device)
    return engine


def published_vits() -> dict[str, Any]:
    """Return the sizes of the published VITS, which are coqui-tts's defaults."""
    from TTS.tts.configs.vits_config import VitsArgs

    return asdict(VitsArgs()) | {"init_discriminator": False}


def measured(engine: Engine, device: str) -> Figures:
    """Return the figures of an engine."""
    figures: Figures = {}
    for batch in BATCHES:
        seconds, speech, peak = spoken(engine, batch, device)
        figures[f"batch{batch}.lines_per_second"] = batch / seconds
        figures[f"rtf{batch}"] = seconds / speech
        if peak is not None:
            figures[f"batch{batch}.gib"] = peak
    alone = figures["batch1.lines_per_second"]
    for batch in BATCHES[1:]:
        figures[f"speedup{batch}"] = figures[f"batch{batch}.lines_per_second"] / alone
    return figures


def spoken(engine: Engine, batch: int, device: str) -> tuple[float, float, float | None]:
    """Return a batch's seconds of computation, seconds of speech, and peak GiB of the GPU."""
    import torch

    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    times, speech = zip(*repeats(engine, batch), strict=True)
    # The first repeat selects the fastest kernels.
    median = statistics.median(times[1:])
    peak = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else None
    return median, statistics.mean(speech), peak


def repeats(engine: Engine, batch: int) -> Iterator[tuple[float, float]]:
    """Yield a batch's seconds of computation and of speech."""
    voices = engine.spec.voices
    lines = [
        Line(text=TEXT, language="en", voice=voices[number % len(voices)], seed=number)
        for number in range(batch)
    ]
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        sounds = engine.synthesize(lines)
        seconds = time.perf_counter() - started
        assert all(isinstance(sound, Audio) for sound in sounds), sounds
        yield seconds, sum(sound.seconds for sound in sounds if isinstance(sound, Audio))


def described(device: str) -> str:
    """Return the device's name."""
    import torch

    return torch.cuda.get_device_name() if device == "cuda" else "cpu"


def spawned(device: str) -> bool | None:
    """Return whether a spawned process can use the GPU while this one does; None without a GPU."""
    if device == "cpu":
        return None
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply_async(reckon).get(timeout=120)


def reckon() -> bool:
    """Return whether the GPU computes a sum correctly."""
    import torch

    return torch.ones(1000, device="cuda").sum().item() == 1000

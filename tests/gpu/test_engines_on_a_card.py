"""Engines on a card: what they promise on a CPU, and what a card asks besides."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny
from speech import TEXTS, line, loaded, recording, speak, spoken

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine
from dubbing.engines.residency import GPU
from dubbing.media.samples import Audio, judge

# A machine without a card is no worse for it, on CI either.
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not GPU.exists(), reason="there is no NVIDIA card"),
]

TOLERANCE = 0.01
"""Of full scale: a card adds in another order for each size of a batch, and rounds more."""
ENGINES = [
    name for name, spec in Catalogue().specs().items() if spec.device == "cuda" and not spec.base
]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, models: Path) -> Iterator[Engine]:
    yield from on_card(request.param, models)


def on_card(name: str, models: Path) -> Iterator[Engine]:
    for on_cpu in loaded(name, models):
        on_cpu.unload()
        on_cpu.load("cuda")
        yield on_cpu


def test_a_line_is_spoken_in_a_batch_as_it_is_alone(engine: Engine) -> None:
    lines = [
        line(engine, text, speed=speed, seed=seed)
        for seed, (text, speed) in enumerate(zip(TEXTS, (1.0, 1.25, 0.8), strict=True))
    ]
    for asked, together in zip(lines, spoken(engine, *lines), strict=True):
        (alone,) = spoken(engine, asked)
        judge(together, longest=engine.spec.longest(asked.text, asked.language, asked.speed))
        assert len(together.samples) == len(alone.samples)
        assert np.abs(together.samples - alone.samples).max() < TOLERANCE


def test_a_seed_tells_how_a_line_is_spoken(engine: Engine) -> None:
    one, again = (spoken(engine, line(engine, seed=7))[0].samples for _ in range(2))
    assert len(one) == len(again)
    assert np.abs(one - again).max() < TOLERANCE


def test_a_line_lasts_as_long_as_on_a_cpu(engine: Engine) -> None:
    asked = line(engine, TEXTS[2])
    (here,) = speak(engine, asked)
    engine.unload()
    engine.load("cpu")
    (there,) = speak(engine, asked)
    assert here.seconds == pytest.approx(there.seconds, rel=0.05)


def test_a_voice_is_the_same_as_on_a_cpu(engine: Engine) -> None:
    if not engine.spec.clones:
        pytest.skip("it has stock voices only")
    here = engine.extract(recording(), TEXTS[0])
    engine.unload()
    engine.load("cpu")
    there = engine.extract(recording(), TEXTS[0])
    assert here.keys() == there.keys()
    for name, array in here.items():
        assert np.abs(array - there[name]).max() < TOLERANCE * np.abs(there[name]).max()


def test_unloading_gives_the_card_back(engine: Engine) -> None:
    import torch

    spoken(engine, line(engine))
    held = torch.cuda.memory_allocated()
    engine.unload()
    assert torch.cuda.memory_allocated() < held / 2


@pytest.mark.parametrize("name", ENGINES)
def test_a_spawned_process_speaks_on_the_card(name: str, models: Path) -> None:
    tiny.make(name, models / name)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(seconds_spoken, (name, models)).get(timeout=150) > 0.1


def seconds_spoken(name: str, models: Path) -> float:
    """How long a line lasts that this process speaks."""
    if name == "xtts":
        from plugins.small_decoder import shrink

        shrink()
    engine = tiny.catalogue(models).create(name)
    engine.load("cuda")
    (sound,) = engine.synthesize([line(engine)])
    assert isinstance(sound, Audio)
    return sound.seconds

"""What the humming engine promises, and the engine that fails on demand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from services import PLUGINS
from speech import line, loaded, spoken

from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine
from dubbing.errors import SpeechRejected
from dubbing.media.samples import Audio, judge, trim


@pytest.fixture
def tone() -> Iterator[Engine]:
    yield from loaded("tone", Path())


def test_a_hummed_line_is_as_long_as_its_text_to_the_sample(tone: Engine) -> None:
    for text, speed, frames in (("x" * 30, 1.0, 48_000), ("x" * 30, 2.0, 24_000), ("x", 1.0, 1600)):
        (sound,) = spoken(tone, line(tone, text, speed=speed))
        assert len(sound.samples) == frames
        assert trim(sound).seconds == pytest.approx(sound.seconds, abs=0.005)


def test_the_same_line_and_seed_hum_the_same_and_another_seed_does_not(tone: Engine) -> None:
    one, same, other = spoken(tone, line(tone), line(tone), line(tone, seed=1))
    assert one.samples.tobytes() == same.samples.tobytes()
    assert one.samples.tobytes() != other.samples.tobytes()


@pytest.mark.parametrize("hertz", [90, 180, 300])
def test_a_hum_is_cloned_at_its_pitch(tone: Engine, hertz: float) -> None:
    (sound,) = spoken(tone, line(tone, "x" * 60, voice={"f0": np.array([hertz])}))
    assert tone.extract(sound, "")["f0"][0] == pytest.approx(hertz, rel=0.06)


@pytest.mark.parametrize("frames", [0, 100, 24_000])
def test_noise_and_fragments_have_no_pitch(tone: Engine, frames: int) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, frames).astype(np.float32)
    with pytest.raises(SpeechRejected, match="no pitch"):
        tone.extract(Audio(samples=noise, rate=24_000), "")


def test_an_engine_on_the_path_is_found_by_its_entry_point() -> None:
    ask = "from dubbing.engines.catalogue import Catalogue; print(*Catalogue().names())"
    names = subprocess.run(
        [sys.executable, "-c", ask],
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert names == sorted([*Catalogue().names(), "faulty"])


def test_the_faulty_engine_fails_as_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    log = tmp_path / "spoken"
    monkeypatch.setenv("FAULTY_LOG", str(log))
    faulty = Catalogue().create("faulty")
    faulty.load("cpu")
    for text in ("<nan>", "<silence>", "<nothing>", "<long>", "<flaky>", "<flaky:7>"):
        (sound,) = spoken(faulty, line(faulty, text, seed=7 if "7" in text else 0))
        with pytest.raises(SpeechRejected):
            judge(sound, longest=faulty.spec.longest(text, "en", 1.0))
    (good,) = spoken(faulty, line(faulty, "<flaky>", seed=1))
    judge(good, longest=2)
    with pytest.raises(RuntimeError):
        faulty.synthesize([line(faulty, "<raise>")])
    with pytest.raises(MemoryError):
        faulty.synthesize([line(faulty), line(faulty, "<oom>")])
    (alone,) = spoken(faulty, line(faulty, "<oom>"))
    judge(alone, longest=2)
    assert len(log.read_text().splitlines()) == 9

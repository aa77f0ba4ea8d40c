"""Gain and waste of batches: 16 lines together against one by one, and padding.

- ``speedup.<engine>``: CPU time of 16 lines spoken one by one ÷ that of the same lines in one
  batch, with the tests' tiny model on one thread. Both are medians of several interleaved repeats.
  The lines are as similar in length as in a batch from the middle of a film.
- ``speedup_middle.<engine>``: the same with a model of four times the channels.
- ``padding_waste``: the share of padding in the planned batches of one voice's 1,500 lines:
  1 - the lines' seconds ÷ the sum of each batch's number of lines × its longest. The worst engine
  counts.
- ``padding_waste_cast``: the same for a film of as many lines and 12 voices, of which the first
  says most; a batch has one voice, so there are fewer lines to choose from.

Takes two minutes.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks._script import LANGUAGE, WORDS
from benchmarks._system import from_tests
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, EngineSpec, Line
from dubbing.engines.models.folders import ModelFolders
from dubbing.planning.plan import CastLine, PlannedLine, plan_round
from dubbing.voices.voice import VoiceRef

ENGINES = ("vits", "yourtts", "fastspeech2", "xtts")
SIZES = {"speedup": 1, "speedup_middle": 4}

AT_LEAST = {f"speedup.{engine}": 1.2 for engine in ENGINES}
AT_MOST = {"padding_waste": 0.10}

LINES = 16
REPEATS = 7
FILM_LINES = 1500
VOICES = 12
MEDIAN_LENGTH, SPREAD = 32, 0.65
"""Median characters of a film's lines, and the standard deviation of their logarithm."""
SHORTEST, LONGEST = 2, 200


def run() -> dict[str, float]:
    """Return the figures."""
    figures = {
        f"{figure}.{engine}": in_process(engine, size)
        for figure, size in SIZES.items()
        for engine in ENGINES
    }
    specs = {engine: Catalogue().create(engine).spec for engine in ENGINES}
    texts = film()
    alone = [0] * len(texts)
    return figures | {
        "padding_waste": max(padding_waste(spec, texts, alone) for spec in specs.values()),
        "padding_waste_cast": max(padding_waste(spec, texts, cast()) for spec in specs.values()),
    }


def in_process(engine: str, size: int) -> float:
    """Return the speed-up, measured in a separate process, as a tiny XTTS alters its process."""
    command = [sys.executable, __file__, engine, str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return float(json.loads(done.stdout))


def speedup(name: str, size: int) -> float:
    """Return how much faster a batch is than its lines one by one."""
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        engine = load(name, size, Path(folder))
        texts = sorted(film(), key=len)
        middle = len(texts) // 2
        lines = [ask(engine, text) for text in texts[middle : middle + LINES]]

        def together() -> None:
            speak(engine, lines)

        def one_by_one() -> None:
            for line in lines:
                speak(engine, [line])

        batched, single = alternately(together, one_by_one)
        return single / batched


def load(name: str, size: int, root: Path) -> Engine:
    """Return an engine with a tiny model."""
    folder = root / name
    folder.mkdir()
    from_tests(f"tiny.{name}").make(folder, size=size)
    engine: Engine = Catalogue(ModelFolders(root=root)).create(name)  # type: ignore[assignment]
    engine.load("cpu")
    import torch

    torch.set_num_threads(1)
    return engine


def ask(engine: Engine, text: str) -> Line:
    """Return a line in a voice that the engine has."""
    return Line(text=text, language=LANGUAGE, voice=engine.spec.voices[0], seed=len(text))


def speak(engine: Engine, lines: list[Line]) -> None:
    """Speak lines; every line has to succeed."""
    for result in engine.synthesize(lines):
        assert not isinstance(result, Exception), result


def alternately(*tasks: Callable[[], None]) -> list[float]:
    """Return the median CPU seconds of each task; the first turn warms up."""
    seconds: list[list[float]] = [[] for _ in tasks]
    for _ in range(REPEATS + 1):
        for task, times in zip(tasks, seconds, strict=True):
            started = time.process_time()
            task()
            times.append(time.process_time() - started)
    return [statistics.median(times[1:]) for times in seconds]


def film() -> list[str]:
    """Return the lines of a film: mostly short, some long, each of whole words."""
    source, words = random.Random("film"), WORDS.split()
    return [text_of(length, source, words) for length in lengths(source)]


def lengths(source: random.Random) -> Iterable[int]:
    """Yield lengths of lines in characters."""
    for _ in range(FILM_LINES):
        length = round(source.lognormvariate(math.log(MEDIAN_LENGTH), SPREAD))
        yield min(max(length, SHORTEST), LONGEST)


def text_of(length: int, source: random.Random, words: list[str]) -> str:
    """Return words of about ``length`` characters."""
    text = source.choice(words)
    while len(text) < length:
        text += f" {source.choice(words)}"
    return f"{text[:length].strip().capitalize()}."


def cast() -> list[int]:
    """Return the voice of each line: the second speaks half as much as the first, and so on."""
    shares = [1 / (number + 1) for number in range(VOICES)]
    return random.Random("cast").choices(range(VOICES), shares, k=FILM_LINES)


def padding_waste(spec: EngineSpec, texts: Iterable[str], voices: Iterable[int]) -> float:
    """Return the share of padding in the batches that are planned."""
    lines = [
        CastLine(
            spec.name,
            VoiceRef(stock=str(voice)),
            PlannedLine(id=str(number), spoken=text, speed=1, room=1, max_rate=1),
        )
        for number, (text, voice) in enumerate(zip(texts, voices, strict=True))
    ]
    spoken = padded = 0.0
    for batch in plan_round(lines, LANGUAGE, {spec.name: spec}):
        seconds = [spec.foresee(line.spoken, LANGUAGE) for line in batch.lines]
        spoken += sum(seconds)
        padded += len(seconds) * max(seconds)
    return 1 - spoken / padded


if __name__ == "__main__":
    print(json.dumps(speedup(sys.argv[1], int(sys.argv[2]))))

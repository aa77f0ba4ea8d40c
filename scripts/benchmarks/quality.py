"""How a dubbed film sounds: what a listener hears, measured in finished programmes.

- ``speech_lu_off``: LU by which the speech misses the profile at worst, measured while somebody
  speaks, over films that are ducked and music-and-effects tracks, noise and music, at −26, −17 and
  −9 LUFS.
- ``over_background``: LU from a line down to the background under it, the least over all lines of
  these programmes.

Both are measured by pyloudnorm. A part of this benchmark is a function in ``PARTS``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks._script import LANGUAGE, sentences
from benchmarks._system import from_tests
from dubbing.assembly.profiles import PROFILES
from dubbing.assembly.report import Report
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Line
from dubbing.job import Background, Job, Output, Segment
from dubbing.media.probe import RATE
from dubbing.media.samples import Audio, trim
from dubbing.storage import Storage

AT_MOST = {"speech_lu_off": 1.0}
AT_LEAST = {"over_background": 10.0}

SECONDS = 60
SLOT = 6.0
"""Seconds from one line to the next."""
LEVELS = (-26, -17, -9)
"""LUFS of the backgrounds."""
PROFILE = "ebu-r128"


def run() -> dict[str, Any]:
    """Return the figures; takes a minute on two cores."""
    figures: dict[str, Any] = {}
    for measure in PARTS:
        figures |= measure()
    return figures


def speak(texts: Iterator[str]) -> Iterator[Audio]:
    """Yield the lines in the voice that is measured, without the silence around them."""
    engine = Catalogue().create("espeak")
    engine.load("cpu")
    for text in texts:
        said = engine.synthesize([Line(text=text, language=LANGUAGE, voice=engine.spec.voices[0])])[
            0
        ]
        assert isinstance(said, Audio)
        yield trim(said)


def balance_of_speech() -> dict[str, float]:
    """Return ``speech_lu_off`` and ``over_background``."""
    backgrounds = from_tests("backgrounds")
    off, over = [], []
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        storage = Storage.at(f"{folder}/storage")
        lines = list(islice(speak(sentences("quality")), int(SECONDS // SLOT)))
        sounds = (backgrounds.noise, backgrounds.music)
        for number, (sound, lufs, mode) in enumerate(product(sounds, LEVELS, ("duck", "track"))):
            path = Path(folder) / "storage" / "media" / str(number)
            path.parent.mkdir(exist_ok=True, parents=True)
            soundfile.write(path, backgrounds.at(sound(SECONDS), lufs), RATE, "FLOAT", format="WAV")
            report, track = dubbed(storage, f"job-{number}", lines, f"media/{number}", mode)
            said, worst = measured(report, track)
            off.append(abs(said - PROFILES[PROFILE].loudness))
            over.append(worst)
    return {"speech_lu_off": max(off), "over_background": min(over)}


PARTS: tuple[Callable[[], dict[str, float]], ...] = (balance_of_speech,)


def dubbed(
    storage: Storage, name: str, lines: list[Audio], media: str, mode: Any
) -> tuple[Report, np.ndarray]:
    """Return the report and the sound of a programme of these lines over a background."""
    scenes = from_tests("scenes")
    segments = tuple(
        Segment(id=str(n), start=SLOT * n + 1, end=SLOT * (n + 1), text="A line.")
        for n in range(len(lines))
    )
    background = Background(mode=mode, track=media if mode == "track" else None)
    job = Job(
        id=name,
        language=LANGUAGE,
        segments=segments,
        media=media if mode == "duck" else None,
        background=background,
        output=Output(formats=("wav",), loudness=PROFILE),
    )
    takes = [scenes.store_take(storage, f"{name}-{n}", line) for n, line in enumerate(lines)]
    results = [scenes.spoken(*pair) for pair in zip(segments, takes, strict=True)]
    scenes.store_round(storage, job, 1, results)
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as workdir:
        report = scenes.dub(job, storage, Path(workdir))
    return report, scenes.heard(report, storage, "dub.wav", 2)


def measured(report: Report, track: np.ndarray) -> tuple[float, float]:
    """Return the LUFS of the speech, and the least LU from a line to the background under it."""
    backgrounds, loudness = from_tests("backgrounds"), from_tests("meters").loudness
    spans = [(line.actual_start, line.actual_end) for line in report.lines]
    speech, under = backgrounds.apart(track)
    over = [
        loudness(backgrounds.part(speech, *span), RATE)
        - loudness(backgrounds.part(under, *span), RATE)
        for span in spans
    ]
    said = np.concatenate([backgrounds.part(track, *span) for span in spans])
    return loudness(said, RATE), min(over)

"""The audible quality of a dub with real voices: joe (Piper) and a voice of Kokoro.

- ``on_time``, ``too_long``, ``hurried`` and ``rate_change``: the fit of lines to their time
  (`fit`), for each voice, and the worse of both.
- ``speech_lu_off``: largest deviation of the speech from the profile's loudness in LU, measured
  during speech, over ducked films and over music-and-effects tracks, each of noise and of music, at
  −26, −17 and −9 LUFS. ``over_background``: LU of a line above the background under it, the least
  over all lines of these programmes. pyloudnorm measures both. ``words_read``: share of the words
  that Whisper finds, line by line, in the finished sound of the programmes at −9 LUFS.
- ``detected`` and ``proof_cpu``: share of wrong takes found by proof of words, and its CPU seconds
  a line (`words`).
- ``piper_efficiency``: joe's lines spoken by bare processes ÷ the same through the whole stack
  (`pipeline`).

Needs the extras `kokoro`, `piper` and `words`, and the weights that `scripts/weights` fetches.

Takes twenty minutes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import soundfile

from benchmarks import fit, pipeline, voices, words
from benchmarks._dialogue import LINES
from benchmarks._script import LANGUAGE, sentences
from benchmarks._system import CORES, from_tests
from dubbing.assembly.profiles import PROFILES
from dubbing.assembly.report import Report
from dubbing.engines.engine import Line
from dubbing.engines.threads import VARIABLE
from dubbing.job import Background, Job, Output, Segment
from dubbing.media.probe import RATE
from dubbing.media.samples import Audio, trim
from dubbing.proof.rivals import letters
from dubbing.proof.words import WordJudge
from dubbing.storage import Storage

AT_MOST = {
    "too_long": 0.03, "hurried": 0.08, "rate_change": 0.04, "speech_lu_off": 1.0, "proof_cpu": 0.35,
}  # fmt: skip
AT_LEAST = {
    "on_time": 1.0, "over_background": 10.0, "words_read": 0.95, "detected": 0.9,
    "piper_efficiency": 0.95,
}  # fmt: skip

VOICES = {"piper": 320, "kokoro": 300}
"""The lines that each engine speaks to be fitted."""
SECONDS = 60
SLOT = 6.0
"""Seconds from one line to the next."""
LEVELS = (-26, -17, -9)
"""LUFS of the backgrounds."""
PROFILE = "ebu-r128"
PIPER = pipeline.Course(
    engine="piper", slots=CORES, lines=256, pairs=3, chunk=8, texts=sentences, speakers=1
)


def run() -> dict[str, Any]:
    """Return the figures."""
    figures: dict[str, Any] = {}
    for measure in PARTS:
        figures |= measure()
    return figures


def fit_of_lines() -> dict[str, float]:
    """Return the figures of the fit of each engine's lines, and the worse of each."""
    told: dict[str, float] = {}
    worse: dict[str, list[float]] = {
        "on_time": [],
        "too_long": [],
        "hurried": [],
        "rate_change": [],
    }
    for name, lines in VOICES.items():
        with patch.dict(os.environ, {VARIABLE: str(CORES)}):
            engine = voices.load(name)
        found = fit.figures(engine, lines)
        told |= {f"{name}.{figure}": value for figure, value in found.items()}
        for figure, values in worse.items():
            values.append(found[figure])
    told |= {figure: max(values) for figure, values in worse.items()}
    return told | {"on_time": min(worse["on_time"])}


def proof_of_words() -> dict[str, float]:
    """Return ``detected``, ``proof_cpu``, and the share found of each kind of wrong take."""
    return words.run()


def efficiency_of_piper() -> dict[str, float]:
    """Return ``piper_efficiency``, with as many processes and threads on both sides."""
    models = str(from_tests("weights").fetch("piper").parent)
    # Proof of words runs beside the engine and takes longer than the speech, so it is off.
    with patch.dict(os.environ, {"DUBBING_MODELS": models, "DUBBING_PROVE_WORDS": "false"}):
        return {"piper_efficiency": pipeline.efficiency(pipeline.compare(PIPER))}


def speak(texts: Iterable[str]) -> Iterator[Audio]:
    """Yield the lines in joe's voice, without the silence around them."""
    engine = voices.load("piper")
    for text in texts:
        line = Line(text=text, language=LANGUAGE, voice=engine.spec.voices[0])
        (said,) = engine.synthesize([line])
        assert isinstance(said, Audio), said
        yield trim(said)


def balance_of_speech() -> dict[str, float]:
    """Return ``speech_lu_off``, ``over_background`` and ``words_read``."""
    backgrounds = from_tests("backgrounds")
    judge = WordJudge(from_tests("weights").fetch("whisper"))
    off, over, read = [], [], []
    with tempfile.TemporaryDirectory(prefix="dubbing-bench-") as folder:
        storage = Storage.at(f"{folder}/storage")
        texts = LINES[: int(SECONDS // SLOT)]
        lines = list(speak(texts))
        sounds = (backgrounds.noise, backgrounds.music)
        for number, (sound, lufs, mode) in enumerate(product(sounds, LEVELS, ("duck", "track"))):
            path = Path(folder) / "storage" / "media" / str(number)
            path.parent.mkdir(exist_ok=True, parents=True)
            soundfile.write(path, backgrounds.at(sound(SECONDS), lufs), RATE, "FLOAT", format="WAV")
            report, track = dubbed(storage, f"job-{number}", lines, f"media/{number}", mode)
            said, worst = measured(report, track)
            off.append(abs(said - PROFILES[PROFILE].loudness))
            over.append(worst)
            if lufs == max(LEVELS):
                read += [*words_read(judge, texts, report, track)]
    return {
        "speech_lu_off": max(off),
        "over_background": min(over),
        "words_read": float(np.mean(read)),
    }


PARTS: tuple[Callable[[], dict[str, float]], ...] = (
    fit_of_lines, balance_of_speech, proof_of_words, efficiency_of_piper,
)  # fmt: skip


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


def words_read(
    judge: WordJudge, texts: Sequence[str], report: Report, track: np.ndarray
) -> Iterator[bool]:
    """Yield for each word of the lines whether Whisper finds it at its place in the track."""
    from rapidfuzz.distance import Levenshtein

    for text, line in zip(texts, report.lines, strict=True):
        span = slice(round(line.actual_start * RATE), round(line.actual_end * RATE))
        sound = Audio(samples=track[span].mean(1).astype(np.float32), rate=RATE)
        heard = judge.fit(LANGUAGE, text, sound)
        assert isinstance(heard, words.Fit), heard
        asked, read = ([*map(letters, one.split())] for one in (text, heard.text))
        same = [edit for edit in Levenshtein.opcodes(asked, read) if edit.tag == "equal"]
        kept = sum(edit.src_end - edit.src_start for edit in same)
        yield from [True] * kept + [False] * (len(asked) - kept)

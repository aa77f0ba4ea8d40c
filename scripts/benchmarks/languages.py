"""Proof of words in languages other than English, with the figures of ``words`` for each.

The multilingual Whisper base listens. Kokoro speaks Spanish, and eSpeak German, because no package
has a natural German voice; Whisper understands eSpeak badly.

Takes ten minutes.
"""

from __future__ import annotations

from benchmarks import words
from benchmarks._languages import LINES
from benchmarks._system import from_tests
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.models.folders import ModelFolders
from dubbing.proof.words import WordJudge

VOICES = {"de": ("espeak", "m3"), "es": ("kokoro", "ef_dora")}


def run() -> dict[str, float]:
    """Return the figures of each language."""
    weights = from_tests("weights")
    judge = WordJudge(weights.fetch("whisper-base"))
    catalogue = Catalogue(ModelFolders(named={"kokoro": weights.fetch("kokoro")}))
    told: dict[str, float] = {}
    for language, (engine, voice) in VOICES.items():
        ear = words.Ear(judge, catalogue.create(engine), voice, language)
        found = words.figures(ear, LINES[language])
        told |= {f"{language}.{name}": value for name, value in found.items()}
    return told

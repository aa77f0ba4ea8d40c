"""Proof of words with its default thresholds: takes that lack a word, and takes with names.

Each figure is the share of takes that are ``refused``, ``named`` as uncertain, or judged ``right``:

- ``joe.complete`` and ``kokoro.complete``: a hundred lines of a voice, spoken correctly.
- ``joe.lacking`` and ``kokoro.lacking``: each line without one word, neither the first nor the
  last; joe's lines three times, each time without a different word. The thresholds were set with
  other takes and words of joe, and without Kokoro.
- ``verbs.complete`` and ``verbs.lacking``: "we are", which sounds like "we're", and "we".
- ``names.complete``, ``names.alike`` and ``names.unlike``: the requested name, a name with similar
  letters, and a different name. ``odd.complete``: names that Whisper does not know.
- ``es.complete``, ``es.lacking`` and so on: lines of Kokoro in other languages, to which the
  multilingual Whisper base listens. Japanese needs the extra ``kokoro-ja``, or is left out.

Takes half an hour.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.util import find_spec

from benchmarks import _marked
from benchmarks._dialogue import LINES
from benchmarks._system import from_tests
from benchmarks.words import Ear
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.models.folders import ModelFolders
from dubbing.proof.thresholds import Thresholds
from dubbing.proof.words import WordJudge

AT_MOST = {
    "joe.complete.refused": 0.03,
    "kokoro.complete.refused": 0.03,
    "joe.lacking.right": 0.01,
    "kokoro.lacking.right": 0.01,
    "verbs.lacking.right": 0.0,
}
VOICES = {"joe": ("piper", "joe", 3), "kokoro": ("kokoro", "bf_emma", 1)}
"""Engine, voice, and number of takes of each line that lack a word."""
VERDICTS = {True: "right", None: "named", False: "refused"}
VERBS = {
    "are": ("We", "You", "They"),
    "is": ("He", "It", "There"),
    "have": ("I", "You", "We"),
    "will": ("I", "She", "We"),
}
AFTER_VERBS = {
    "are": ("ready to go home now.", "going to the station tomorrow."),
    "is": ("nothing left to eat in the house.", "hiding behind the door."),
    "have": ("seen the letter on the table.", "been waiting for an hour."),
    "will": ("never speak of it again.", "leave before the others wake up."),
}
NAMED = (
    "You should have told {} that the boat had left.",
    "Nobody in this town has seen {} since the storm began.",
)
ALIKE = """
Marta Martin, Anna Hanna, Tom Tim, John Joan, Maria Mario, Daniel Danielle, Peter Petra, Karl Karla,
Robert Roberta, Julia Julian, Simon Simone, Paul Paula, Eric Erica, Nina Nino, Mark Marcus,
Lena Elena, Jack Jake, Harry Henry, Helen Ellen, Adam Ada
"""
ODD = ("Ysolde Marrin", "Ysolde", "Katarzyna", "Siobhan", "Okonkwo", "Thaddeus Quill")

Saying = tuple[str, str]
"""The requested words and the spoken words."""


def run() -> dict[str, float]:
    """Return the figures."""
    weights = from_tests("weights")
    judge = WordJudge(weights.fetch("whisper"))
    folders = {engine: weights.fetch(engine) for engine, _, _ in VOICES.values()}
    catalogue = Catalogue(ModelFolders(named=folders))
    figures: dict[str, float] = {}
    for name, (engine, voice, times) in VOICES.items():
        ear = Ear(judge, catalogue.create(engine), voice, "en")
        ear.engine.load("cpu")
        figures |= judged(ear, f"{name}.complete", complete(LINES))
        figures |= judged(ear, f"{name}.lacking", lacking(times))
        if name == "joe":
            for kind, sayings in {**verbs(), **names()}.items():
                figures |= judged(ear, kind, sayings)
    return figures | in_other_languages(WordJudge(weights.fetch("whisper-base")), catalogue)


def in_other_languages(judge: WordJudge, catalogue: Catalogue) -> dict[str, float]:
    """Return the figures of Kokoro's lines in each language that this machine can speak."""
    engine = catalogue.create("kokoro")
    engine.load("cpu")
    figures: dict[str, float] = {}
    for language, voice in _marked.VOICES.items():
        if language == "ja" and not find_spec("pyopenjtalk"):
            continue
        ear, pairs = Ear(judge, engine, voice, language), [*_marked.complete_and_lacking(language)]
        figures |= judged(ear, f"{language}.complete", complete(whole for whole, _ in pairs))
        figures |= judged(ear, f"{language}.lacking", pairs)
    return figures


def judged(ear: Ear, kind: str, sayings: Iterable[Saying]) -> dict[str, float]:
    """Return the share of takes with each verdict."""
    threshold = Thresholds({}).of(ear.engine.spec.name, ear.language)
    fits = (ear.hear((asked, ear.say(said))) for asked, said in sayings)
    counts = Counter(fit.judged(threshold).right for fit in fits)
    return {f"{kind}.{word}": counts[right] / counts.total() for right, word in VERDICTS.items()}


def complete(texts: Iterable[str]) -> list[Saying]:
    """Return texts that are spoken as requested."""
    return [(text, text) for text in texts]


def lacking(times: int) -> Iterator[Saying]:
    """Yield each line ``times`` times, each time without a different word."""
    source = random.Random(2)
    for text in LINES:
        words = text.split()
        for place in source.sample(range(1, len(words) - 1), times):
            yield text, " ".join(words[:place] + words[place + 1 :])


def verbs() -> dict[str, list[Saying]]:
    """Return lines whose verb Whisper may transcribe as part of the word before it."""
    pairs = [
        (f"{who} {verb} {rest}", f"{who} {rest}")
        for verb, people in VERBS.items()
        for who in people
        for rest in AFTER_VERBS[verb]
    ]
    return {"verbs.complete": complete(asked for asked, _ in pairs), "verbs.lacking": pairs}


def names() -> dict[str, list[Saying]]:
    """Return lines with names."""
    pairs = [tuple(pair.split()) for pair in ALIKE.split(",")]
    asked = [name for name, _ in pairs]
    others = asked[7:] + asked[:7]

    def said(names: Iterable[tuple[str, str]]) -> list[Saying]:
        return [(text.format(one), text.format(other)) for one, other in names for text in NAMED]

    return {
        "names.complete": said((name, name) for name in asked),
        "names.alike": said((one, other) for one, other in pairs),
        "names.unlike": said(zip(asked, others, strict=True)),
        "odd.complete": said((name, name) for name in ODD),
    }

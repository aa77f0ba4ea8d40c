"""Jobs of random lines, seeded by the job's name, so that no job finds clips of another one."""

from __future__ import annotations

import random
from collections.abc import Iterator

from dubbing.job import Output, Segment
from dubbing.script.manifest import Manifest

LANGUAGE = "en"
SYLLABLES = tuple(c + v for c in "bdfgjklmnprstvz" for v in "aeiou")
WORDS = (
    "after again all always another answer around away before bring brother called captain "
    "children city come could daughter day door doctor down early enough evening every father "
    "find first follow forest found garden give gone good great hand happened hear heart help "
    "here home horse hour house hundred idea inside keep knew last later leave letter light listen "
    "little long look lost made many market maybe mind minute moment money morning mother mountain "
    "must name never next night nothing number often old once only open other our paper people "
    "perhaps picture place please promise question quiet rain ready remember river road room "
    "said sea second secret ship should silence small somebody something soon station stay story "
    "street strong summer sure take talk tell thing think thousand ticket time today together "
    "tomorrow town train tree trouble true under until village wait walk want water week "
    "whole window winter with without woman wonder word work world write year yesterday young"
)


def sentences(name: str) -> Iterator[str]:
    """Yield sentences of 5 to 15 words: 2 to 5 s of speech."""
    source, known = random.Random(name), WORDS.split()
    while True:
        yield f"{' '.join(source.choices(known, k=source.randint(5, 15))).capitalize()}."


def slow_sentences(name: str) -> Iterator[str]:
    """Yield sentences that take the engine ``faulty`` 300 ms each."""
    for text in sentences(name):
        yield f"{text} <slow>"


def cries(name: str) -> Iterator[str]:
    """Yield single words of 3 to 5 syllables: about half a second of speech."""
    source = random.Random(name)
    while True:
        yield f"{''.join(source.choices(SYLLABLES, k=source.randint(3, 5))).capitalize()}."


def make_job(
    name: str, texts: Iterator[str], lines: int, *, slot: float, speakers: int
) -> Manifest:
    """Return a job of ``lines`` different texts; the speakers take turns.

    slot: seconds from one line to the next; a tenth of it is silence.
    """
    distinct: dict[str, None] = {}
    while len(distinct) < lines:
        distinct[next(texts)] = None
    segments = tuple(
        Segment(
            id=str(number + 1),
            start=round(number * slot, 3),
            end=round((number + 0.9) * slot, 3),
            speaker=f"speaker {number % speakers}",
            text=text,
        )
        for number, text in enumerate(distinct)
    )
    return Manifest(id=name, language=LANGUAGE, segments=segments, output=Output(formats=("flac",)))

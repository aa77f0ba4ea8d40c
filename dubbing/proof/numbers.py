"""The words of a transcript, with each number worded as close as possible to the requested words.

Whisper writes numbers in digits, and may group them differently than the script: "three forty-five"
becomes 345, and a telephone number gets other groups. The same digits can be spoken in several
ways; of these, the one nearest to the requested words is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubbing.proof.rivals import letters
from dubbing.text.wording import Wording

MOST = 20
"""Most numbers of a transcript that are tried in several ways; a take of 30 s has fewer."""
NUMBER = re.compile(r"[$€£]?\d(?:[\d.,:/() -]*\d)?")
"""Digits, with the signs that Whisper writes before and between them."""
SIGN = re.compile(r"[.,:/-]")


def as_asked(heard: str, asked: str, language: str) -> str:
    """Return a transcript in words, as `Wording` writes them for engines.

    heard: the transcript, with digits. asked: `letters` of the requested words. language: BCP 47
    tag.
    """
    from rapidfuzz.distance import Levenshtein

    wording = Wording(language)

    def distance(text: str) -> int:
        return Levenshtein.distance(asked, letters(wording.spoken(text)))

    # From the last to the first, so that a replacement does not move the earlier matches.
    for match in [*NUMBER.finditer(heard)][:MOST][::-1]:
        before, after = heard[: match.start()], heard[match.end() :]
        heard = min((before + one + after for one in _written(match.group())), key=distance)
    return wording.spoken(heard)


def _written(number: str) -> Iterator[str]:
    """Yield a number unchanged, then other ways to write its digits that are spoken differently."""
    yield number
    if not number[0].isdecimal():
        # Whisper may write "fifty cents" as "$50 cents".
        number = number[1:]
        yield number
    figures = "".join(filter(str.isdecimal, number))
    if len(figures) > 1:
        yield " ".join(figures)
    if figures != number:
        yield figures
    for sign in SIGN.finditer(number):
        yield f"{number[: sign.end()]} {number[sign.end() :]}"
    if len(figures) in {3, 4}:
        yield f"{figures[:-2]}:{figures[-2:]}"
        yield f"{figures[:-2]} {figures[-2:]}"

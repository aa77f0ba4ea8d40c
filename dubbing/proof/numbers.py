"""The words of a text that was heard, with its numbers read as they were asked for.

Whisper writes numbers in figures, and not always in those of the script: "three forty-five" becomes
345, and the groups of a telephone number fall elsewhere. The same figures can be said in several
ways, so each number counts as it comes nearest to the words asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubbing.proof.rivals import letters
from dubbing.text.wording import Wording

MOST = 20
"""Most numbers that are read in several ways; a take of half a minute has fewer."""
NUMBER = re.compile(r"[$€£]?\d(?:[\d.,:/() -]*\d)?")
"""Figures, with all signs that Whisper writes before and between them."""
SIGN = re.compile(r"[.,:/-]")


def as_asked(heard: str, asked: str, language: str) -> str:
    """Return a text that was heard in the words that engines are asked for.

    asked: the letters of the words asked for, as `letters` returns them.
    """
    from rapidfuzz.distance import Levenshtein

    wording = Wording(language)

    def distance(text: str) -> int:
        return Levenshtein.distance(asked, letters(wording.spoken(text)))

    # From the last to the first: the places of those before stay as they are.
    for match in [*NUMBER.finditer(heard)][:MOST][::-1]:
        before, after = heard[: match.start()], heard[match.end() :]
        heard = min((before + one + after for one in _written(match.group())), key=distance)
    return wording.spoken(heard)


def _written(number: str) -> Iterator[str]:
    """Yield a number as it is, and its figures as other numbers that sound alike."""
    yield number
    if not number[0].isdecimal():
        # Fifty cents may be written $50 cents.
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

"""Which of the words that were asked for Whisper did not read, and how well they fit all the same.

Whisper mishears, and writes words in other ways, so a word that it did not read is not wrong yet. A
forced alignment tells the probability of that word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

NAME_LETTERS = 3
"""Letters from which on a name is told from another one."""
ALIKE = 65.0
"""Hundredths of its letters, with those heard in its place, in which a name has to be alike."""


class Word(NamedTuple):
    """A word that was asked for."""

    text: str
    probability: float
    """That of the token of the word that fits the sound least."""
    known: bool = False
    """Whether it is one token, a word that Whisper knows."""


def unheard(asked: Iterable[Word], heard: Iterable[str]) -> Iterator[float]:
    """Yield the probability of each word that was not heard, nor a name like it.

    Words that are only divided otherwise, as "any more", were heard.
    """
    from rapidfuzz.distance import Levenshtein

    words = [word for word in asked if letters(word.text)]
    others = [word for word in heard if letters(word)]
    edits = Levenshtein.opcodes([_written(word.text) for word in words], [*map(_written, others)])
    for first, last, start, end in _stretches(edits):
        found = "".join(map(letters, others[start:end]))
        fewer = end - start < last - first
        stretch = words[first:last]
        for at in _changed([letters(word.text) for word in stretch], found):
            name = _name(stretch, at, alone=fewer)
            if not (name and _is_alike(name, found)):
                yield stretch[at].probability


def letters(text: str) -> str:
    """Return the letters, their marks and digits of a text, of which case does not matter."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LMN")


def _written(word: str) -> str:
    """Return a word's letters and apostrophes: "we're" is not "were"."""
    return "'".join(map(letters, word.replace("’", "'").split("'")))


def _stretches(edits: Iterable[Any]) -> Iterator[tuple[int, int, int, int]]:
    """Yield where the words differ: from, to in those asked for, and from, to in those heard.

    Edits that follow one another are one stretch.
    """
    for same, group in groupby(edits, lambda edit: edit.tag == "equal"):
        if not same:
            stretch = [*group]
            first, last = stretch[0], stretch[-1]
            yield first.src_start, last.src_end, first.dest_start, last.dest_end


def _changed(words: Sequence[str], found: str) -> Iterator[int]:
    """Yield the index of each word that was heard with another letter, one more or one less.

    "We were" that is heard as "we're" may lack either word: both are meant.
    """
    asked = "".join(words)
    back = _edits(asked[::-1], found[::-1])
    mirrored = [(len(asked) - end, len(asked) - start) for start, end in back]
    edits = [*_edits(asked, found), *mirrored]
    end = 0
    for at, word in enumerate(words):
        start, end = end, end + len(word)
        if any(first < end and last > start for first, last in edits):
            yield at


def _edits(asked: str, found: str) -> list[tuple[int, int]]:
    """Return where letters asked for differ from those found: added ones, in those beside them."""
    from rapidfuzz.distance import Levenshtein

    edits = Levenshtein.opcodes(asked, found)
    return [
        (edit.src_start - (edit.tag == "insert"), edit.src_end + (edit.tag == "insert"))
        for edit in edits
        if edit.tag != "equal"
    ]


def _name(words: Sequence[Word], at: int, *, alone: bool) -> str:
    """Return the letters of a name, with the names beside it unless it is to stand alone.

    ``""`` for a word that is no name, and for a name that Whisper knows, which it would have read.
    """
    first, end = at, at + 1
    while not alone and first and _is_name(words[first - 1]):
        first -= 1
    while not alone and end < len(words) and _is_name(words[end]):
        end += 1
    name = "".join(letters(word.text) for word in words[first:end])
    unknown = _is_name(words[at]) and not words[at].known
    return name if unknown and len(name) >= NAME_LETTERS else ""


def _is_name(word: Word) -> bool:
    return word.text.strip()[:1].isupper()


def _is_alike(name: str, found: str) -> bool:
    """Whether a name that Whisper does not know was heard: a Mara is a Mario to it."""
    from rapidfuzz.fuzz import partial_ratio, ratio

    alike = ratio(name, found) if len(found) < len(name) else partial_ratio(name, found)
    return alike >= ALIKE

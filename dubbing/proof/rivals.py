"""Texts that a take may say instead of the one that was asked for.

It may lack any word, and it may say what Whisper read. Both are compared with the text that was
asked for (`proof/evidence`): Whisper reads words that were not said where it expects them, and
mishears others, so neither is proof of anything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

MOST_WORDS = 40
"""Words of a text up to which each may be missing though it was read: the time grows with their
square, and 40 take a second."""
ALIKE = 0.5
"""Share of letters that words have in common if one may be the other, misheard: Gull and Gold."""
TELLING = 4
"""Letters of a word from which on a like one tells that the word was said: small words are alike by
chance."""


class Kind(NamedTuple):
    """How much the model's expectations count, as takes of a real voice showed."""

    expected: float
    """Share of the evidence without any sound that is taken off."""
    advantage: float = 0.0
    """What is added to the evidence, as words that were read are likelier than any others."""


FIRST = Kind(expected=0.0)
"""The text without its first word, which has none before it that would let expect it."""
OMITTED = Kind(expected=0.6)
"""The text without another word."""
READ = Kind(expected=0.6, advantage=7.0)
"""The text with words as they were read."""
NAMED = Kind(expected=1.5, advantage=7.0)
"""The same in the place of a name: the model knows few, and expects none that it does not know."""
DIVIDED = Kind(expected=1.5, advantage=16.0)
"""The same in like letters and another number of words, as "us old" for "Ysolde": an engine that
says another name does not divide it otherwise, but a model that mishears one does."""


class Word(NamedTuple):
    """A word of a text."""

    text: str
    tokens: Sequence[int]


class Rival(NamedTuple):
    """Another text."""

    words: str
    """The words of the text asked for that it lacks."""
    tokens: list[int]
    kind: Kind


class Change(NamedTuple):
    """A stretch of the text, and the words in its place."""

    place: slice
    """The stretch, in words and signs of the text."""
    asked: Sequence[Word]
    """Its words."""
    others: Sequence[Word]
    first: bool
    """Whether the text begins with the stretch."""

    @property
    def kind(self) -> Kind:
        """Return how much the model's expectations count."""
        if not self.others:
            return FIRST if self.first else OMITTED
        # Any first word is written as a name is.
        if not any(word.text.strip()[:1].isupper() for word in self.asked[self.first :]):
            return READ
        divided = len(self.asked) != len(self.others)
        return DIVIDED if divided and self._alike else NAMED

    @property
    def misheard(self) -> bool:
        """Return whether one word was read as a like one, so that it was said.

        Whisper fills in words that it expects, but none because they sound like those asked for.
        """
        one = len(self.asked) == len(self.others) == 1
        shorter = min(map(len, (_letters(self.asked), _letters(self.others))))
        return one and shorter >= TELLING and self._alike

    @property
    def _alike(self) -> bool:
        from rapidfuzz.distance import Levenshtein

        alike = Levenshtein.normalized_similarity(_letters(self.asked), _letters(self.others))
        return alike >= ALIKE


def rivals(asked: Sequence[Word], heard: Sequence[Word]) -> list[Rival]:
    """Return the rivals of a text. heard: the words that were read."""
    changes = [*_readings(asked, [word for word in heard if letters(word.text)])]
    if len(asked) <= MOST_WORDS:
        misheard = {change.place.start for change in changes if change.misheard}
        changes[:0] = (each for each in _omissions(asked) if each.place.start not in misheard)
    return [rival for change in changes if (rival := _rival(asked, change)).tokens]


def letters(text: str) -> str:
    """Return the letters, their marks and digits of a text, of which case does not matter."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LMN")


def _rival(asked: Sequence[Word], change: Change) -> Rival:
    before, after = asked[: change.place.start], asked[change.place.stop :]
    words = "".join(word.text for word in change.asked).strip()
    return Rival(words, _tokens([*before, *change.others, *after]), change.kind)


def _omissions(asked: Sequence[Word]) -> Iterator[Change]:
    """Yield the text without each word; a single word has no rival."""
    said = [at for at, word in enumerate(asked) if letters(word.text)]
    for at in said if len(said) > 1 else ():
        yield Change(slice(at, at + 1), [asked[at]], [], first=at == said[0])


def _readings(asked: Sequence[Word], heard: Sequence[Word]) -> Iterator[Change]:
    """Yield the text with each stretch of words as it was read.

    Words that are only divided otherwise, as "any more", were read as they were asked for.
    """
    from rapidfuzz.distance import Levenshtein

    places = [at for at, word in enumerate(asked) if letters(word.text)]
    edits = Levenshtein.opcodes(
        [_written(asked[at].text) for at in places], [_written(word.text) for word in heard]
    )
    for first, last, start, end in _stretches(edits):
        meant = [asked[at] for at in places[first:last]]
        found = heard[start:end]
        if meant and _letters(meant) != _letters(found):
            place = slice(places[first], places[last - 1] + 1)
            yield Change(place, meant, found, first=not first)


def _tokens(words: Iterable[Word]) -> list[int]:
    return [token for word in words for token in word.tokens]


def _letters(words: Iterable[Word]) -> str:
    return "".join(letters(word.text) for word in words)


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

"""The rivals of a requested text: other texts that a take may contain instead.

One rival omits each word of the text, and one has each stretch of words as Whisper transcribed it.
A transcript alone proves nothing: Whisper adds words that it expects and mishears others. So
`proof/evidence` compares each rival with the requested text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

MOST_WORDS = 40
"""Most words of a text for which omissions are rivals: the time grows with the square of their
number, and 40 words take a second."""
ALIKE = 0.5
"""Least similarity of the letters of two words if one may be the other, misheard: Gull, Gold."""
TELLING = 4
"""Fewest letters of a word whose likeness means something: short words are alike by chance."""
POINTS = frozenset({*range(10, 36), 230})
"""Unicode's combining classes of the points of Hebrew and Arabic, and of accents above a letter
with which they form no letter of their own."""


class Kind(NamedTuple):
    """A kind of rival, with the corrections of its evidence, measured on takes of a real voice."""

    expected: float
    """Share of the ratio without sound that is subtracted from the evidence."""
    advantage: float = 0.0
    """Nats added to the evidence for the text, because a transcript is always a likely rival."""


FIRST = Kind(expected=0.0)
"""The text without its first word; no word before it makes the model expect it."""
OMITTED = Kind(expected=0.6)
"""The text without another word."""
READ = Kind(expected=0.6, advantage=7.0)
"""The text with some words as Whisper transcribed them."""
NAMED = Kind(expected=1.5, advantage=7.0)
"""The same where the text has a name: the model knows few names, and expects no unknown ones."""
DIVIDED = Kind(expected=1.5, advantage=16.0)
"""The same in similar letters and another number of words, such as "us old" for "Ysolde": a model
that mishears a name divides it so, but an engine that says another name does not."""


class Word(NamedTuple):
    """A word of a text."""

    text: str
    tokens: Sequence[int]


class Rival(NamedTuple):
    """A text that a take may contain instead of the requested one."""

    words: str
    """The requested words that it lacks."""
    tokens: list[int]
    kind: Kind


class Change(NamedTuple):
    """A stretch of the text, and the words that replace it."""

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
        # The first word of a text is capitalised whether it is a name or not.
        if not any(word.text.strip()[:1].isupper() for word in self.asked[self.first :]):
            return READ
        divided = len(self.asked) != len(self.others)
        return DIVIDED if divided and self._alike else NAMED

    @property
    def misheard(self) -> bool:
        """Whether one word was transcribed as a similar one, which shows that it was said.

        Whisper inserts words that it expects; such words are not similar to the missing word.
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
    """Return the rivals of a text. asked: its words. heard: the words of the transcript."""
    changes = [*_readings(asked, [word for word in heard if letters(word.text)])]
    if len(asked) <= MOST_WORDS:
        misheard = {change.place.start for change in changes if change.misheard}
        changes[:0] = (each for each in _omissions(asked) if each.place.start not in misheard)
    return [rival for change in changes if (rival := _rival(asked, change)).tokens]


def plain(text: str) -> str:
    """Return a text without marks of stress and vowels, and with plain apostrophes.

    Whisper does not write these marks, of Russian, Hebrew or Arabic for learners, and a text with
    them is unlikely in any sound.
    """
    composed = unicodedata.normalize("NFC", text).replace("ʼ", "'")
    return "".join(sign for sign in composed if unicodedata.combining(sign) not in POINTS)


def letters(text: str) -> str:
    """Return the letters, their marks and digits of a text, of which case does not matter."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LMN")


def _rival(asked: Sequence[Word], change: Change) -> Rival:
    before, after = asked[: change.place.start], asked[change.place.stop :]
    words = "".join(word.text for word in change.asked).strip()
    return Rival(words, _tokens([*before, *change.others, *after]), change.kind)


def _omissions(asked: Sequence[Word]) -> Iterator[Change]:
    """Yield the omission of each word; nothing for a single word."""
    said = [at for at, word in enumerate(asked) if letters(word.text)]
    for at in said if len(said) > 1 else ():
        yield Change(slice(at, at + 1), [asked[at]], [], first=at == said[0])


def _readings(asked: Sequence[Word], heard: Sequence[Word]) -> Iterator[Change]:
    """Yield each differing stretch of words as Whisper transcribed it.

    Words that differ only in their spaces, such as "any more" and "anymore", count as equal.
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
    """Yield where the words differ: (asked from, asked to, heard from, heard to).

    Adjacent edits form one stretch.
    """
    for same, group in groupby(edits, lambda edit: edit.tag == "equal"):
        if not same:
            stretch = [*group]
            first, last = stretch[0], stretch[-1]
            yield first.src_start, last.src_end, first.dest_start, last.dest_end

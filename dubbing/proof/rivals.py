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


def rivals(asked: Sequence[Word], heard: Sequence[Word]) -> list[Rival]:
    """Return the rivals of a text. asked: its words. heard: the words of the transcript."""
    read = [*_readings(asked, [word for word in heard if letters(word.text)])]
    return read if len(asked) > MOST_WORDS else [*_omissions(asked), *read]


def letters(text: str) -> str:
    """Return the letters, combining marks and digits of a text, case-folded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LMN")


def _omissions(asked: Sequence[Word]) -> Iterator[Rival]:
    """Yield the text without each of its words in turn; nothing for a single word."""
    said = [at for at, word in enumerate(asked) if letters(word.text)]
    for at in said if len(said) > 1 else ():
        rest = [*asked[:at], *asked[at + 1 :]]
        yield Rival(asked[at].text.strip(), _tokens(rest), OMITTED if at else FIRST)


def _readings(asked: Sequence[Word], heard: Sequence[Word]) -> Iterator[Rival]:
    """Yield the text with each differing stretch of words as Whisper transcribed it.

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
            before, after = asked[: places[first]], asked[places[last - 1] + 1 :]
            words = "".join(word.text for word in meant).strip()
            kind = _read(meant, start=not first) if found else OMITTED if first else FIRST
            if others := _tokens([*before, *found, *after]):
                yield Rival(words, others, kind)


def _read(words: Sequence[Word], *, start: bool) -> Kind:
    """Return the kind of a transcribed rival of ``words``. start: whether they begin the text."""
    # The first word of a text is capitalised whether it is a name or not.
    return NAMED if any(word.text.strip()[:1].isupper() for word in words[start:]) else READ


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

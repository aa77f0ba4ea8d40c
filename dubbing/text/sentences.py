"""Splitting of lines into sentences, for engines with a limit on what they speak at once.

The rules are small and use Unicode's punctuation. Libraries for this task drop characters where
they cut, and a wrong cut between two sentences only costs a pause.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

CLOSERS = r"[\"'”’“‘»«)\]}」』）】》〉]*"
FULL = "。！？｡"
"""Signs that end a sentence anywhere."""
BEFORE_SPACE = ".!?…؟۔।॥‼⁇⁈⁉"
"""Signs that end a sentence where a space follows."""
OWN = {"el": ";", "hy": "։"}
"""More such signs by language: the Greek question mark, the Armenian full stop."""
CLAUSE = re.compile(r".*?(?:[,;:，、；：،؛—–]+[\"'”’»)\]]*(?=\s|[^\x00-\u2fff]|$)|$)\s*", re.DOTALL)
WORD = re.compile(r"\S*\s*")
SHORT = re.compile(
    r"(?:^|[\s(\"'«„])(?:[^\W\d_]|\d{1,3}|[^\W\d_]\.[^\W\d_]|"
    r"Dr|Mr|Mrs|Ms|St|Prof|Nr|No|Hr|Fr|Sr|Sra|Mme|Mlle|bzw|ca|vgl|vs|approx|usw|etc|ecc|Sig|Dott|pág)\.$"
)
"""Forms with a full stop that rarely ends a sentence: initials, ordinals, titles."""
LONGEST_SHORT = 12
"""Characters; longer than any such form."""
JOINERS = "\u200c\u200d"

Measure = Callable[[str], list[str]]
"""Cuts text into smaller pieces."""


def split(text: str, language: str, limit: int, *, whole_words: bool = False) -> list[str]:
    """Return ``text`` in parts of at most ``limit`` characters, each as many sentences as fit.

    A sentence over the limit is cut at commas and similar signs, else between words, else between
    visible characters where the script writes no spaces. No word is lost or doubled: the parts
    hold every character but the spaces between them.

    language: BCP 47 tag. limit: at least 1; a visible character that is longer stays whole.
    whole_words: whether text without spaces stays whole instead, even if it exceeds the limit.
    """
    if limit < 1:
        raise ValueError(f"a limit of {limit} characters leaves no room for any")
    text = text.strip()
    if len(text) <= limit:
        return [text] if text else []
    measures = MEASURES[:-1] if whole_words else MEASURES
    parts = _packed(_sentences(text, language), limit, measures)
    return [part for part in map(str.strip, parts) if part]


def _sentences(text: str, language: str) -> list[str]:
    """Return the sentences, each with the space after it."""
    found: list[str] = []
    for match in _sentence(language.split("-", maxsplit=1)[0].lower()).finditer(text):
        piece = match.group()
        if found and SHORT.search(found[-1].rstrip()[-LONGEST_SHORT:]):
            found[-1] += piece
        elif piece:
            found.append(piece)
    return found


@lru_cache(maxsize=64)
def _sentence(language: str) -> re.Pattern[str]:
    before_space = BEFORE_SPACE + OWN.get(language, "")
    ends = rf"(?:[{FULL}]+{CLOSERS}|[{before_space}]+{CLOSERS}(?=\s|$))"
    return re.compile(rf".*?(?:{ends}|$)\s*", re.DOTALL)


def _packed(pieces: list[str], limit: int, measures: Sequence[Measure]) -> Iterator[str]:
    """Yield ``pieces`` joined up to ``limit``; cut longer pieces by the first of the measures."""
    held = ""
    for piece in pieces:
        if len((held + piece).rstrip()) <= limit:
            held += piece
            continue
        if held:
            yield held
        held = ""
        if len(piece.rstrip()) <= limit:
            held = piece
        elif measures:
            *whole, held = _packed(measures[0](piece), limit, measures[1:])
            yield from whole
        else:
            yield piece
    if held:
        yield held


def _clauses(text: str) -> list[str]:
    return [piece for piece in CLAUSE.findall(text) if piece]


def _words(text: str) -> list[str]:
    return [piece for piece in WORD.findall(text) if piece]


def _characters(text: str) -> list[str]:
    """Return the visible characters, with their accents, vowel signs and joiners."""
    seen: list[str] = []
    for character in text:
        if seen and (_belongs(character) or seen[-1].endswith(JOINERS[1])):
            seen[-1] += character
        else:
            seen.append(character)
    return seen


def _belongs(character: str) -> bool:
    """Whether a character is part of the visible character before it."""
    return (
        character.isspace()
        or character in JOINERS
        or unicodedata.category(character).startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


MEASURES: Sequence[Measure] = (_clauses, _words, _characters)
"""Ways to cut text that is too long, the gentlest first."""

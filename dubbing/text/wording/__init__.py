"""What is said for what is written: numbers, dates, amounts, abbreviations and signs in words.

Numbers, names of units, currencies and months are those of the Unicode CLDR. What is not covered
in a language stays as it is written; nothing is said in another one. Chinese and Japanese are read
by the grammars of the extra ``text``, where it is installed.

Tables are loaded with a language's first line, and never by an import.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from dubbing.text.characters import normalise
from dubbing.text.wording.amounts import amount_rules
from dubbing.text.wording.clock import time_rules
from dubbing.text.wording.dates import date_rules
from dubbing.text.wording.dictionary import Dictionary
from dubbing.text.wording.figures import figure_rules
from dubbing.text.wording.numerals import locale_of, numerals_of
from dubbing.text.wording.rule import DENSE, Rule
from dubbing.text.wording.short import short_rules, signs_of

CLAUSE = re.compile(r"[^，。！？；]+")
"""What Chinese and Japanese are read by; a number does not go on over one of these signs."""
LETTER = re.compile(rf"[^\W{DENSE}]")
NOTHING: Mapping[str, str] = {}

Span = tuple[int, int, str]
"""From where to where, and what is said there."""


class Wording:
    """How the lines of a job are worded."""

    def __init__(self, language: str, pronunciations: Mapping[str, str] = NOTHING) -> None:
        """Read the dictionary once, however many lines there are.

        language: BCP 47 tag. pronunciations: what is said for whole words; what they put in is
        said as it is.
        """
        self._language = language
        self._dictionary = Dictionary(pronunciations)

    def spoken(self, text: str) -> str:
        """Return what is said for ``text``, in normal form: the same for the same text."""
        text = normalise(text)
        listed = list(self._dictionary.find(text))
        reader = _reader(self._language)
        if not listed and not reader.may_read(text):
            return text
        # Names that CLDR gives may hold signs without a sound, as some scripts' words do.
        return normalise(reader.read(text, listed))


def spoken(text: str, language: str, pronunciations: Mapping[str, str] = NOTHING) -> str:
    """Return what is said for one line; for many, make a `Wording` once."""
    return Wording(language, pronunciations).spoken(text)


class _Reader:
    """Reads by rules; each line's part is said by the first rule that can."""

    def __init__(self, rules: Sequence[Rule], trigger: str) -> None:
        self._rules = rules
        self._trigger = re.compile(trigger)

    def may_read(self, text: str) -> bool:
        """Whether a rule may find something."""
        return bool(self._rules) and self._trigger.search(text) is not None

    def read(self, text: str, said: list[Span]) -> str:
        """Return ``text`` with its parts in words; those in ``said`` are kept."""
        if self.may_read(text):
            for pattern, say in self._rules:
                for match in pattern.finditer(text):
                    start, end = match.span()
                    if any(start < to and from_ < end for from_, to, _ in said):
                        continue
                    # Digits that carry an accent or a joiner are no number.
                    if unicodedata.category(text[end : end + 1] or " ").startswith(("M", "Cf")):
                        continue
                    words = say(match)
                    if words:
                        said.append((start, end, words))
        return _joined(text, sorted(said))


class _Grammar:
    """Reads Chinese or Japanese, where a number's words depend on what is counted."""

    def __init__(self, language: str) -> None:
        from wetext import Normalizer

        self._normalizer = Normalizer(lang=language, operator="tn")

    def may_read(self, text: str) -> bool:
        """Whether there is a digit in it."""
        return any(map(str.isdecimal, text))

    def read(self, text: str, said: list[Span]) -> str:
        """Return ``text`` with what stands between the parts in ``said`` in words."""
        between: list[Span] = []
        at = 0
        for start, end, _ in [*sorted(said), (len(text), len(text), "")]:
            for clause in CLAUSE.finditer(text, at, start):
                if self.may_read(clause.group()):
                    words = self._normalizer.normalize(clause.group())
                    between.append((*clause.span(), str(words)))
            at = end
        return _joined(text, sorted([*said, *between]))


@lru_cache(maxsize=64)
def _reader(language: str) -> _Reader | _Grammar:
    locale = locale_of(language)
    if locale is not None and locale.language in {"zh", "ja"}:
        try:
            return _Grammar(locale.language)
        except ImportError:
            return _Reader([], "(?!)")
    rules: list[Rule] = []
    if (numerals := numerals_of(language)) is not None:
        rules += [*date_rules(numerals), *time_rules(numerals), *amount_rules(numerals)]
        rules += figure_rules(numerals)
    plain = language.split("-", maxsplit=1)[0].lower()
    signs = re.escape(signs_of(plain))
    words = list(short_rules(plain))
    trigger = "|".join([rf"[\d½¼¾⅓⅔{signs}]", *(one.pattern.pattern for one in words)])
    return _Reader([*rules, *words], trigger)


def _joined(text: str, said: Sequence[Span]) -> str:
    """Return ``text`` with its parts replaced; words are kept apart."""
    result, at = "", 0
    for start, end, words in said:
        result = (
            _beside(_beside(result, text[at:start]), words)
            if start > at
            else _beside(result, words)
        )
        at = end
    return _beside(result, text[at:])


def _beside(left: str, right: str) -> str:
    glued = left and right and LETTER.match(left[-1]) and LETTER.match(right[0])
    return f"{left} {right}" if glued else left + right
